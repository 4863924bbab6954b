//! `--boot`: process 1 prepares, supervises and shuts down a machine.

use core::ffi::CStr;

/// The machine that nsinit boots.
#[derive(Clone, Copy)]
pub struct Machine<'a> {
    /// nsinit is the first process of a machine, or of a pid namespace that is used like one.
    pub boots: bool,
    /// nsinit is the first process of the kernel itself, not only of a pid namespace.
    pub is_whole: bool,
    pub at_end: AtEnd,
    /// `--switch-root DIR`: the command takes the place of nsinit there. `None`: the command is a child.
    pub switch_root: Option<&'a CStr>,
}

/// `--on-exit`: the action when the command has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum AtEnd {
    /// The option was not given: the power is switched off.
    Unsaid,
    PowerOff,
    Reboot,
    Halt,
    /// A shell is started. When it ends, the power is switched off.
    Shell,
    /// The command is started again.
    Respawn,
}
