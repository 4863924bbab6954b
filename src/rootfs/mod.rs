//! The root of a container: its file system, what is mounted in it, and the operations of the user.

#[cfg(feature = "root-device")]
pub mod block;
pub mod copy;
pub mod dest;
#[cfg(feature = "root-device")]
mod device;
pub mod image;
pub mod initramfs;
#[cfg(feature = "idmap")]
pub mod mapped;
#[cfg(not(feature = "root-device"))]
mod no_device;
#[cfg(feature = "keeper")]
pub mod notify_socket;
pub mod ops;
pub mod overlay;
#[cfg(feature = "root-device")]
pub mod partition;
pub mod pseudofs;
#[cfg(feature = "net")]
pub mod resolv;
pub mod root;
pub mod superblock;
pub mod tmpfs;

#[cfg(not(feature = "root-device"))]
use no_device as device;
