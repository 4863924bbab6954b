//! Confinement of the command: capabilities, Landlock, limits, the filter of system calls, the session keyring, and the program
//! file of nsinit.

#[cfg(any(feature = "container", feature = "landlock"))]
mod bpf;
pub mod caps;
#[cfg(feature = "container")]
pub mod filter;
pub mod keyring;
#[cfg(feature = "landlock")]
pub mod landlock;
#[cfg(feature = "limits")]
pub mod limits;
#[cfg(feature = "landlock")]
pub mod ports;
pub mod rights;
pub mod self_exe;
