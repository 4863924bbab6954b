//! The process above the launcher: it starts CMD again, writes its output to a file, and answers the service manager.

use core::ffi::CStr;

/// What the keeper does.
#[derive(Clone, Copy)]
pub struct Keeper<'a> {
    pub restart: Restart,
    /// `--log`: the file for CMD's standard output and error.
    pub log: Option<&'a CStr>,
    /// `--notify`: the value of NOTIFY_SOCKET, if the caller has one (sd_notify(3)).
    pub notify: Option<&'a CStr>,
    /// `--notify-ready`: CMD itself reports that it is ready.
    pub listens: bool,
    /// `--keeper-pid-file`.
    pub pid_file: Option<&'a CStr>,
    /// This is the request for the launcher below a keeper.
    pub is_kept: bool,
}

/// `--restart`: after which end CMD is started again, in a new container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    No,
    /// After an exit status other than 0, or a signal that does not ask a program to end.
    OnFailure,
    Always,
}

impl Keeper<'_> {
    /// The name of its process, as the kernel has it (proc_pid_comm(5)). `--list` and `--stop` find it so.
    pub const PROGRAM: &'static CStr = c"nsinit-keeper";
    /// Its name in the pause before a restart.
    pub const WAITS: &'static CStr = c"nsinit-waits";
    pub const NONE: Keeper<'static> =
        Keeper { restart: Restart::No, log: None, notify: None, listens: false, pid_file: None, is_kept: false };

    /// Whether CMD may be started again.
    #[must_use]
    pub const fn restarts(&self) -> bool {
        !matches!(self.restart, Restart::No)
    }
}
