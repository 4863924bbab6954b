//! Without a pid namespace: the supervisor reaps orphans as a subreaper, and finds its descendants in a procfs to signal them.

use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, Ordering};

use crate::sys::PR_SET_CHILD_SUBREAPER;
use linux_raw_sys::general::MOUNT_ATTR_RDONLY;
use rustix::fs::OFlags;
use rustix::process::getpid;

use crate::fs::mount_fd;
use crate::fs::procfs;
use crate::sys::files::{self, Fd, read};
use crate::sys::{self, Done, Failure, Signal, Time};
use crate::text;

/// Makes orphaned descendants children of this process (prctl(2), PR_SET_CHILD_SUBREAPER).
///
/// # Errors
/// EPERM, ENOSYS or any other: a seccomp filter forbids it.
pub fn become_subreaper() -> Done {
    sys::prctl(PR_SET_CHILD_SUBREAPER, 1)
}

/// Opens the procfs that shows the descendants: the container's own, because no descriptor of the host's stays open; or a new
/// one that is mounted nowhere. Without either, only the command is signalled.
///
/// # Errors
/// None.
#[must_use]
pub fn proc_of_descendants() -> Option<Fd> {
    let own = || mount_fd::detached(c"proc", &[], MOUNT_ATTR_RDONLY);
    procfs::mounted().map_or_else(own, Ok).ok()
}

/// A bit for each process number: PID_MAX_LIMIT is 4,194,304.
static MET: [AtomicU32; 1 << 17] = [const { AtomicU32::new(0) }; 1 << 17];

/// How long processes have to stop before the next look.
const PATIENCE: Time = Time::SHORT;

/// How many more looks there are for processes that a signal does not stop: they may fork as fast as they are found. One look
/// is not enough: process numbers wrap around at their limit, so that a child may be listed before its parent.
const LOOKS: u32 = 3;

/// Sends `signals` to all descendants that `proc` shows. Without `proc`, and if `opens`, /proc is opened.
pub fn signal_all(proc: Option<Fd>, opens: bool, signals: &[Signal]) {
    if let Some(proc) = proc {
        signal_each(proc, signals);
    } else if opens && let Ok(proc) = procfs::open() {
        signal_each(proc, signals);
        close(proc);
    }
}

/// Looks at all processes until no descendant is left that has not got the signals; and, for SIGSTOP, none that runs: a process
/// in fork(2) when the signal arrives still makes its child. Between the looks for SIGSTOP it sleeps: each look takes
/// processor time that the processes need to stop.
fn signal_each(proc: Fd, signals: &[Signal]) {
    let stops = signals.contains(&Signal::STOP);
    for word in MET.iter().filter(|word| word.load(Ordering::Relaxed) != 0) {
        word.store(0, Ordering::Relaxed);
    }
    set_met(getpid().as_raw_nonzero().get().cast_unsigned());
    for look in 0.. {
        let mut ready = true;
        let Ok(list) = files::open(proc, c".", OFlags::RDONLY | OFlags::DIRECTORY) else { return };
        files::each_name(list, &mut |name| {
            if let Some(pid) = text::number(name.to_bytes())
                && (stops || !is_met(pid))
                && let Ok(runs) = signal_descendant(list, name, pid, signals)
            {
                ready &= is_met(pid) && !runs;
                set_met(pid);
            }
        });
        close(list);
        if ready || !stops && look == LOOKS {
            return;
        }
        if stops {
            sys::pause(PATIENCE);
        }
    }
}

fn close(fd: Fd) {
    sys::close(fd);
}

fn bit(pid: u32) -> (Option<&'static AtomicU32>, u32) {
    (MET.get(pid as usize / 32), 1 << (pid % 32))
}

fn is_met(pid: u32) -> bool {
    let (word, bit) = bit(pid);
    word.is_some_and(|word| word.load(Ordering::Relaxed) & bit != 0)
}

fn set_met(pid: u32) {
    let (word, bit) = bit(pid);
    if let Some(word) = word {
        word.fetch_or(bit, Ordering::Relaxed);
    }
}

/// Signals a process if it is a descendant. Returns whether it still runs. The descriptor of its directory stays bound to this
/// process: another one that gets its number is not signalled.
///
/// # Errors
/// ESRCH: it is no descendant, or has ended.
fn signal_descendant(proc: Fd, name: &CStr, pid: u32, signals: &[Signal]) -> Result<bool, Failure> {
    let process = files::open(proc, name, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let done = match look(process) {
        Ok((state, parent)) if is_met(parent) => {
            let sent = signals.iter().try_for_each(|signal| match sys::signal_process(process, *signal) {
                // Before Linux 5.1.
                Err(Failure::NOSYS) => sys::kill(pid.cast_signed(), *signal),
                done => done,
            });
            sent.map(|()| matches!(state, b'R' | b'S'))
        }
        _ => Err(Failure::SRCH),
    };
    close(process);
    done
}

/// The state, and the number of the parent, proc_pid_stat(5). They follow the last `)`: the name before it may hold any byte.
fn look(process: Fd) -> Result<(u8, u32), Failure> {
    let mut stat = [0u8; 256];
    let file = files::open(process, c"stat", OFlags::RDONLY)?;
    let length = read(file, &mut stat);
    close(file);
    let stat = stat.get(..length? as usize).unwrap_or_default();
    let end = stat.iter().rposition(|byte| *byte == b')').ok_or(Failure::SRCH)?;
    let [_, _, state, _, rest @ ..] = stat.get(end..).unwrap_or_default() else { return Err(Failure::SRCH) };
    Ok((*state, text::number(text::first(rest, b' ')).ok_or(Failure::SRCH)?))
}
