//! Which process is process 1, which processes get a signal, and how the container ends.

use core::ffi::CStr;

use super::rooms;
use crate::sys::{SECOND, Signal, Span};

/// How the command lives and ends.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Life<'a> {
    /// The supervisor of the command is process 1 of a pid namespace: it can signal no process outside of that namespace.
    pub process_1: bool,
    /// The command itself is process 1: nsinit reaps no orphans and forwards no signals inside.
    pub as_pid_1: bool,
    /// The command gets a session of its own.
    pub new_session: bool,
    /// The command gets a process group of its own.
    pub own_group: bool,
    /// The command, and the whole container, is killed when nsinit is.
    pub die_together: bool,
    /// `Mode::Init`, not process 1: become the reaper of the command's orphans.
    pub subreaper: bool,
    /// The signal that nsinit gets when its parent ends.
    pub die_with_parent: Option<Signal>,
    pub audience: Audience,
    /// nsinit stops too after it has forwarded a signal that stops the command.
    pub stop_with_command: bool,
    /// nsinit dies of the signal that killed the command.
    pub propagate: bool,
    /// How much is reported: 1 the ends, 2 the signals too, 3 the orphans too.
    pub verbose: u8,
    /// Orphans are reported in any case.
    pub tell_reaped: bool,
    pub end: End,
    /// The time from a signal that asks the command to end until SIGKILL.
    pub stop_timeout: Option<Span>,
    /// Signals that are forwarded as other signals; 0: the signal is not forwarded.
    pub rewrite: &'a [(u8, u8)],
    /// Exit statuses that are passed on as others.
    pub remap: &'a [(u8, u8)],
    /// Files, seen from inside, that are locked for reading (fcntl(2)) while any process is inside.
    pub locks: &'a [&'a CStr],
    /// The command line that the launcher shows, `nsinit: NAME`; `None`: the one that it was started with.
    pub title: Option<&'static CStr>,
    /// The command line of process 1, or of the helper of `--enter`, as seen inside: `init`, `init: NAME`, `nsinit`.
    pub title_inside: &'static CStr,
}

/// How many files can be locked.
pub const LOCKS: usize = 16;

/// Which processes get the signals that are forwarded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Command,
    /// The command's process group.
    Group,
    /// Every process.
    All,
}

/// From SIGTERM to SIGKILL, if the user gives no other time.
pub(super) const GRACE: Span = 2 * SECOND;

/// How the other processes end when the command has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing: nsinit ends at once.
    AtOnce,
    /// nsinit sends SIGTERM to the command's group, or only reports that it does, and ends at once.
    Term { group: bool },
    /// They get SIGTERM, and so much later SIGKILL.
    Grace(Span),
    /// nsinit waits for them.
    Wait,
    /// Process 1 waits for them, the launcher does not: it ends with the command's status at once.
    Leave,
}

impl Life<'_> {
    /// Whether anything is asked for that needs a process between the command and the launcher.
    #[must_use]
    pub fn asks_for_more_than_the_preset(&self) -> bool {
        self.asks_for_more_than_the_launcher() || self.stop_timeout.is_some() || !self.rewrite.is_empty()
    }

    /// Whether anything is asked for that the launcher does not do, with the command as process 1.
    #[must_use]
    pub fn excludes_pid_1(&self) -> bool {
        if rooms::CGROUP { self.asks_for_more_than_the_launcher() } else { self.asks_for_more_than_the_preset() }
    }

    fn asks_for_more_than_the_launcher(&self) -> bool {
        let preset = &super::Spec::PRESET.life;
        self.audience != preset.audience
            || !matches!(self.end, End::Leave | End::Grace(GRACE))
            || self.propagate
            || self.verbose != 0
            || !self.remap.is_empty()
    }

    /// The rule of `--rewrite` for a signal.
    #[must_use]
    pub fn rule_for(&self, signal: Signal) -> Option<u8> {
        self.rewrite.iter().find(|(from, _)| i32::from(*from) == signal.number()).map(|(_, to)| *to)
    }

    /// The signal that `signal` is forwarded as. `None`: it is dropped.
    #[must_use]
    #[inline(never)]
    pub fn forwarded_as(&self, signal: Signal) -> Option<Signal> {
        match self.rule_for(signal) {
            Some(0) => None,
            rule => Some(rule.map_or(signal, |to| Signal::new(to.into()))),
        }
    }

    /// Whether a signal that is forwarded as `to` asks the command to end: those four that do, and whatever SIGTERM is forwarded as.
    #[must_use]
    #[inline(never)]
    pub fn asks_for_end(&self, to: Signal) -> bool {
        to.ends() || !self.rewrite.is_empty() && self.forwarded_as(Signal::TERM) == Some(to)
    }
}
