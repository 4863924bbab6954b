//! PROCESS: the pause process of a pod (catatonit -P), without a command: it holds the namespaces and reaps orphans.
//!
//! - Namespaces, rights: the caller's.
//! - Signals: all blocked and read one by one.
//! - No step may fail.
//! - Next: exit(2) on SIGINT or SIGTERM.

use crate::supervise::wait::{self, ANY_CHILD, Heard};
use crate::sys::{self, Siginfo, Signal};

/// Reaps orphans until SIGINT or SIGTERM. Returns the exit status.
pub fn forever() -> i32 {
    loop {
        while matches!(sys::wait4(None, false), Ok(Some(_))) {}
        let mut info = Siginfo::empty();
        if matches!(wait::signal(None, ANY_CHILD, &mut info), Heard::Signal)
            && matches!(info.signal(), Signal::INT | Signal::TERM)
        {
            return 0;
        }
    }
}
