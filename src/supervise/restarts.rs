//! When a program that has ended is started again.

use crate::report::exit;
use crate::spec::{Most, Restart};
use crate::sys::{self, Signal, Time};

/// The restarts of one program.
#[derive(Clone, Copy)]
pub struct Restarts {
    /// The last pause, in seconds.
    pause: u32,
    /// The first restart of those that are counted.
    since: Time,
    /// How many there were since then.
    count: u32,
}

/// A program is restarted at once if it ran for so many seconds; otherwise after a pause of one second, which doubles each time,
const LONG: i64 = 10;
/// up to so many seconds.
const LONGEST_PAUSE: u32 = 64;

impl Restarts {
    pub const NONE: Restarts = Restarts { pause: 0, since: Time::NONE, count: 0 };

    /// Counts a restart of a program that ran for so many seconds. Returns the pause before it, in seconds; `None`: the program has
    /// been restarted too often.
    ///
    /// With a limit of `count` restarts in `seconds`, the pauses are so short that a program that ends at once reaches it.
    pub fn next(&mut self, ran: i64, most: Option<Most>) -> Option<u32> {
        self.pause = if ran >= LONG { 0 } else { (self.pause * 2).clamp(1, LONGEST_PAUSE) };
        let Some(most) = most else { return Some(self.pause) };
        let now = sys::now();
        if self.count == 0 || now.since(self.since).seconds >= most.seconds.into() {
            (self.since, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        (self.count <= most.count)
            .then(|| self.pause.min(most.seconds.checked_div(most.count.saturating_add(1)).unwrap_or(0)))
    }
}

/// Whether CMD starts again after it has ended with that status. As with systemd's Restart=on-failure, a signal that asks a program to end,
/// or that of a pipe without a reader, is no failure.
#[must_use]
pub fn are_wanted(restart: Restart, status: i32) -> bool {
    const CLEAN: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::PIPE, Signal::TERM];
    match restart {
        Restart::No => false,
        Restart::OnFailure => status != 0 && CLEAN.iter().all(|signal| status != exit::of_signal(*signal).into()),
        Restart::Always => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_end_after_a_long_run() {
        let mut restarts = Restarts::NONE;
        for pause in [1, 2, 4, 8, 16, 32, 64, 64] {
            assert_eq!(restarts.next(0, None), Some(pause));
        }
        assert_eq!(restarts.next(LONG, None), Some(0));
        assert_eq!(restarts.next(LONG - 1, None), Some(1));
    }

    #[test]
    fn limit_is_reached_within_its_time() {
        for (count, seconds) in [(0, 10), (1, 10), (3, 10), (5, 10), (9, 3600), (100, 2)] {
            let (mut restarts, mut sum) = (Restarts::NONE, 0);
            for _ in 0..count {
                sum += restarts.next(0, Some(Most { count, seconds })).unwrap();
            }
            assert!(sum <= seconds, "{count}/{seconds}: {sum}");
            assert_eq!(restarts.next(0, Some(Most { count, seconds })), None);
        }
    }
}
