//! The root of a container: its file system, what is mounted in it, and the operations of the user.

pub mod dest;
pub mod image;
pub mod initramfs;
pub mod ops;
pub mod overlay;
pub mod pseudofs;
pub mod root;
pub mod tmpfs;
