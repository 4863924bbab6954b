//! --stats, --freeze and --thaw: what they mean beside other options.

use core::ffi::CStr;

use engine::say;
use engine::spec::{Setting, rooms};
use engine::sys::Standard;
use engine::text::Say;
use rustix::termios::isatty;

use super::{Asked, Draft};

/// The files of the numbers of `--stats`, whose controllers are enabled if they can be.
static COUNTED: [&CStr; 3] = [c"memory.peak", c"pids.peak", c"io.stat"];

impl Draft {
    /// Completes the options that need a cgroup and limit nothing.
    ///
    /// # Errors
    /// The message: they are given with others that have no meaning beside them.
    pub(super) fn settle_cgroup(&mut self) -> Result<(), Say> {
        if !self.spec.cgroup.stats {
            return Ok(());
        }
        if rooms::ENTER && self.spec.target.is_some() {
            self.asked = Asked::Stats;
            return Ok(());
        }
        let channels = &self.spec.channels;
        if channels.detach && channels.status.is_none() && isatty(Standard::Error.fd()) {
            return Err(say!("--stats and --detach need --status-fd, or a standard error that is not a terminal"));
        }
        self.settings.extend(COUNTED.map(|file| Setting { file, device: None, value: c"" }));
        Ok(())
    }
}
