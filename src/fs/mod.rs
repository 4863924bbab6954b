//! Files and mounts: descriptors of mounts, the staging tmpfs, paths below a root, /proc and device files of the caller.

pub mod devices;
pub mod mount_fd;
pub mod mount_legacy;
pub mod procfs;
pub mod resolve;
pub mod staging;
