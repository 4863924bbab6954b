//! Verbs of messages that another vocabulary words in its own way. Each is written once, here, so that the steps and the
//! vocabularies refer to it by name.

use crate::say;
use crate::text::Say;

pub const COPY_MOUNT: Say = say!("bind mount");
pub const MAKE_DIRECTORY: Say = say!("make directory");
pub const MAKE_FILE: Say = say!("make file");
pub const MAKE_SYMLINK: Say = say!("make symbolic link");
pub const CHANGE_MODE: Say = say!("change the mode of");
pub const MAKE_READ_ONLY: Say = say!("make read-only");
pub const MOUNT_OVERLAY: Say = say!("mount an overlay on");
pub const OPEN_DIRECTORY: Say = say!("open directory");
pub const ENTER_DIRECTORY: Say = say!("enter directory");
pub const CREATE_NAMESPACES: Say = say!("create namespaces");
pub const JOIN_USER: Say = say!("join the user namespace");
pub const JOIN_PID: Say = say!("join the pid namespace");
pub const WRITE_SETGROUPS: Say = say!("write setgroups");
pub const WRITE_UID_MAP: Say = say!("write uid_map");
pub const WRITE_GID_MAP: Say = say!("write gid_map");
pub const WRITE: Say = say!("write");
pub const MAKE_SLAVE: Say = say!("make every mount below / a slave");
pub const LOCK: Say = say!("lock");
pub const OPEN_LOCK_FILE: Say = say!("open lock file");
pub const FILTER_CALLS: Say = say!("filter system calls");
