//! How far the supervisor of the command has come: the command runs, it has ended, the other processes end.

use crate::spec::End;
use crate::sys::{self, Span, Time};

/// Seconds to wait for processes that SIGKILL does not end at once.
pub const PATIENCE: u32 = 2;

/// How far it has come.
#[derive(Clone, Copy)]
pub enum Life {
    /// The command runs, or is stopped. `until`: it was asked to end, and is killed then (`--stop-timeout`).
    Running { stopped: bool, until: Option<Time> },
    /// The command has ended with this status. Whether other processes are left is not known yet. `until`: of `--stop-timeout`.
    Ended { status: u8, until: Option<Time> },
    /// The command has ended. The other processes have until then.
    Ending { status: u8, until: Option<Time> },
    /// The other processes are being killed. One that waits for a dead device or file server does not end: it is left then.
    Killing { status: u8, until: Time },
}

impl Life {
    pub const BEGIN: Life = Life::Running { stopped: false, until: None };

    /// The other processes are to be killed from now on.
    #[must_use]
    pub fn kill(status: u8) -> Life {
        Life::Killing { status, until: sys::now().after(PATIENCE) }
    }

    /// Whether a process that SIGKILL has not ended is left.
    #[must_use]
    pub fn is_given_up(&self) -> bool {
        matches!(self, Life::Killing { until, .. } if until.left() == Time::NONE)
    }

    /// The command is stopped, or goes on.
    pub fn set_stopped(&mut self, now: bool) {
        if let Life::Running { stopped, .. } = self {
            *stopped = now;
        }
    }

    /// The command has ended.
    pub fn set_ended(&mut self, status: u8) {
        let until = if let Life::Running { until, .. } = self { *until } else { None };
        *self = Life::Ended { status, until };
    }

    /// A signal asked for the end: the time of `--stop-timeout` begins, if it has not begun. Without the command it is the time
    /// of `--wait-all`.
    pub fn ask(&mut self, end: End, timeout: Option<Span>) {
        let limit = timeout.map(|span| sys::now().after_span(span));
        match self {
            // Of a command that has just ended it is not known yet whether it leaves other processes.
            Life::Running { until, .. } | Life::Ended { until, .. } => *until = until.or(limit),
            Life::Ending { until, .. } if end == End::Wait => *until = until.or(limit),
            _ => {}
        }
    }

    /// The time is over. Returns whether the command is to be killed.
    pub fn run_out(&mut self) -> bool {
        match self {
            Life::Running { until, .. } => {
                *until = None;
                return true;
            }
            Life::Ending { status, .. } => *self = Life::kill(*status),
            _ => {}
        }
        false
    }

    /// How long to wait for the next signal.
    #[must_use]
    pub fn patience(&self) -> Option<Time> {
        match self {
            Life::Running { until, .. } | Life::Ending { until, .. } => until.map(Time::left),
            // More processes may have been born than the last look showed.
            Life::Killing { .. } => Some(Time::SHORT),
            Life::Ended { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A signal may be read after the command has ended, and before it is known whether other processes are left.
    #[test]
    fn time_begins_at_a_signal_beside_the_end_of_the_command() {
        let mut life = Life::BEGIN;
        life.set_ended(0);
        life.ask(End::Wait, Some(sys::SECOND));
        assert!(matches!(life, Life::Ended { until: Some(_), .. }));
    }
}
