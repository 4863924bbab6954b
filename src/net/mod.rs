//! The network of a container with a way out: interfaces that the launcher makes or moves there, with addresses and routes, by
//! rtnetlink(7); and pasta(1).
//!
//! The launcher does all of this while process 1 waits. It has the rights in both network namespaces: those of the container's come
//! with the user namespace that owns it, which is a child of the launcher's.

pub mod links;
pub mod netlink;
pub mod pasta;
pub mod words;
