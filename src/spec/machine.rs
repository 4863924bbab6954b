//! What is asked of the process 1 that prepares, supervises and shuts down a machine, `--boot`.

use core::ffi::CStr;

/// The machine that nsinit boots.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// nsinit is the first process of a machine, or of a pid namespace that is used like one.
    pub boots: bool,
    /// It is the first process of the kernel itself.
    pub is_whole: bool,
    pub at_end: AtEnd,
    /// `--switch-root DIR`: the command takes the place of nsinit there. `None`: the command is a child.
    pub switch_root: Option<&'a CStr>,
}

/// `--on-exit`: what follows when the command has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// Not given: the power is switched off.
    Unsaid,
    PowerOff,
    Reboot,
    Halt,
    /// A shell, and then the power is switched off.
    Shell,
    /// The command again.
    Respawn,
}
