//! Reaps orphans where there is no process 1 of our own, and signals all that CMD has left.

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

/// Orphans among CMD's descendants become our children.
///
/// # Errors
/// EINVAL before Linux 3.4.
pub fn become_subreaper() -> Done {
    sys::prctl(PR_SET_CHILD_SUBREAPER, 1)
}

/// Finds the procfs that our descendants are looked for in: the container's own, since nothing of the host's stays open,
/// or one that nobody else sees. Without any, only CMD is ended.
#[must_use]
pub fn proc_of_descendants() -> Option<Fd> {
    let own = || mount_fd::detached(c"proc", &[], MOUNT_ATTR_RDONLY);
    procfs::mounted().map_or_else(own, Ok).ok()
}

/// A bit for each process number: PID_MAX_LIMIT is 4,194,304.
static MET: [AtomicU32; 1 << 17] = [const { AtomicU32::new(0) }; 1 << 17];

/// How long they have to stop, before it is looked again.
const PATIENCE: Time = Time::SHORT;

/// How often it is looked for others that a signal does not stop: some may make new ones as fast as they are found. The
/// numbers of processes begin anew at their limit, so that a child may be found before its parent.
const LOOKS: u32 = 3;

/// Sends `signals` to all our descendants, until a look at all processes shows none that has not had them; and, for SIGSTOP,
/// none that runs: what is in fork(2) when the signal comes still makes a child. Each visit costs a turn on a processor that
/// hundreds may want.
pub fn signal_all(proc: Fd, signals: &[Signal]) {
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
            let _ = sys::poll(&mut [], Some(PATIENCE));
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

/// Returns whether it can go on by itself. The directory of a process stays that of this process: no other of its number is
/// taken for it.
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

/// The state, and the number of the parent, proc_pid_stat(5): they follow the name, which may hold anything.
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
