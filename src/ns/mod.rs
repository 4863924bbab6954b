//! Namespaces that are made or joined, and the ids in them.

#[cfg(feature = "forms")]
pub mod accounts;
pub mod credentials;
pub mod find;
#[cfg(feature = "container")]
pub mod hostname;
#[cfg(feature = "idmap")]
pub mod idmap;
pub mod join;
pub mod limits;
#[cfg(feature = "enter")]
pub mod list;
pub mod loopback;
#[cfg(any(feature = "ids", feature = "net"))]
pub mod program;
#[cfg(feature = "ids")]
pub mod ranges;
#[cfg(feature = "enter")]
pub mod stop;
#[cfg(feature = "ids")]
pub mod subids;
#[cfg(all(feature = "limits", feature = "container"))]
pub mod sysctl;
pub mod target;
pub mod usermap;
