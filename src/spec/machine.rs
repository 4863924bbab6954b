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
    /// `--max-restarts`.
    pub most: Option<Most>,
    /// `--on-failure`: the action, other than `Respawn`, when the command fails and is not started again.
    pub on_failure: Option<AtEnd>,
    /// `--wait-device SECONDS`, for the devices of `--image` and `--overlay-device`.
    pub wait_device: Option<u32>,
    /// `--overlay-device`: the disk that all writes to the root go to. Empty: none.
    pub overlay_device: &'a CStr,
    pub root: KernelRoot<'a>,
    /// `--switch-root DIR`: the command takes the place of nsinit there. `None`: the command is a child.
    pub switch_root: Option<&'a CStr>,
    /// This is the request for a service, not for the machine.
    pub is_service: bool,
    /// `--after`: the services that this one is started after.
    pub after: &'a [&'a CStr],
    /// `--service`: files with the requests for services.
    pub services: &'a [&'a CStr],
    /// `--console`: the terminals, each of which gets a command.
    pub consoles: &'a [&'a CStr],
}

/// `--max-restarts`: at most so many restarts within so many seconds.
#[derive(Clone, Copy)]
pub struct Most {
    pub count: u32,
    pub seconds: u32,
}

/// What the kernel's command line says of the root.
#[derive(Clone, Copy)]
pub struct KernelRoot<'a> {
    /// `root=`: the image is that device, named as the kernel permits.
    pub given: bool,
    /// `rootfstype=`: the kinds of file systems to try, with commas between them; empty: the one that is found.
    pub kinds: &'a CStr,
    /// `rootflags=`: mount options, with commas between them.
    pub flags: &'a CStr,
    /// `rw`.
    pub writable: bool,
}

impl KernelRoot<'_> {
    pub const NONE: KernelRoot<'static> = KernelRoot { given: false, kinds: c"", flags: c"", writable: false };
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

impl Machine<'_> {
    /// Whether `--after` is given, and this is the request for a machine.
    #[must_use]
    pub const fn waits_as_no_service(&self) -> bool {
        !self.after.is_empty() && !self.is_service
    }

    /// Whether `--on-failure` is given, and the command is restarted however often it fails.
    #[must_use]
    pub fn never_fails(&self) -> bool {
        self.on_failure.is_some() && self.at_end == AtEnd::Respawn && self.most.is_none()
    }

    #[must_use]
    pub const fn asks_for_failure_or_services(&self) -> bool {
        self.on_failure.is_some() || !(self.services.is_empty() && self.consoles.is_empty())
    }

    /// Whether a service asks for something that only the machine can have.
    #[must_use]
    pub fn is_more_than_a_service(&self) -> bool {
        !matches!(self.at_end, AtEnd::Unsaid | AtEnd::Respawn)
            || self.on_failure == Some(AtEnd::Shell)
            || self.switch_root.is_some()
            || !(self.services.is_empty() && self.consoles.is_empty())
    }
}
