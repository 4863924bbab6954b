//! Takes the place of `kernel_cmdline` in a build without the feature boot: nsinit prepares no machine.

use engine::report::message::refuse;
use engine::say;
use engine::sys::{self, Start};

use super::CommandLine;

/// Whether nsinit prepares the machine that it is the first process of: no.
pub fn is_whole_machine() -> bool {
    false
}

/// Ends nsinit, which was started as /init.
pub fn boot(_: &'static Start, _: bool, _: Option<&mut CommandLine>) -> ! {
    sys::exit(refuse(say!("init is not in this build (see nsinit --version)")))
}
