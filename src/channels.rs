//! What somebody outside is told of a container: that it runs and that it has ended; and what he is waited for.

use core::ffi::CStr;

use crate::sys::PR_SET_PDEATHSIG;
use rustix::fs::{AtFlags, OFlags, fstat, statat, unlinkat};
use rustix::process::Pid;

use crate::ns::{kinds, target};
use crate::report::hint;
use crate::report::message::{blame, blame_hint, failed, warn};
use crate::say;
use crate::spec::Spec;
use crate::state::{Launch, Outside, write_to_anybody};
use crate::step::mortal;
use crate::sys::files::{self, Fd, HERE, chdir, read, write};
use crate::sys::{self, Done, Failure, Signal};
use crate::text::Say;
use crate::text::Text;
use crate::text::verb;

/// Writes who process 1 is, or CMD where there is none, by its number outside, and the inode numbers of its new namespaces
/// (namespaces(7)). `space` stands before each member.
///
/// # Errors
/// Those of stat(2) and write(2).
pub fn tell_of_container(to: Option<u32>, spec: &Spec<'_>, outside: &Outside, space: &[u8]) -> Done {
    let mut line = Text::new();
    line.byte(b'{').push(space).push(b"\"child-pid\": ");
    line.push_number(outside.container.get()?.as_raw_nonzero().get().cast_unsigned());
    let untold = if spec.channels.tells_signal { 0 } else { kinds::UNREPORTED };
    for ((flag, path), inode) in kinds::all().zip(outside.namespaces) {
        if spec.unshares(flag) && flag & untold == 0 {
            // The kernel's numbers for them have 32 bits.
            let inode = inode as u32;
            line.byte(b',').push(space).byte(b'"').push(kinds::name(path));
            line.push(b"-namespace\": ").push_number(inode);
        }
    }
    line.byte(if space.len() > 1 { b'\n' } else { b' ' }).push(b"}\n");
    tell(to, &line)
}

/// Process 1's: tells the launcher of its namespaces, who may not look into one that hides.
///
/// # Errors
/// Those of open(2) and write(2).
pub fn tell_namespaces(launch: &Launch) -> Done {
    let pipe = launch.told.get()?;
    let mut numbers = Text::new();
    for number in target::ours(launch.proc.get()?)? {
        numbers.push(&number.to_ne_bytes());
    }
    write(pipe.write, numbers.bytes()).map(|_| ())
}

/// The launcher's: waits until he is told.
///
/// # Errors
/// ECHILD: process 1 has ended.
pub fn ask_for_namespaces(launch: &Launch, outside: &mut Outside) -> Done {
    let pipe = launch.told.get()?;
    // While we held that end too, nobody would tell of its end.
    sys::close(pipe.write);
    let mut numbers = [0u8; size_of::<target::Namespaces>()];
    if read(pipe.read, &mut numbers)? as usize != numbers.len() {
        return Err(Failure::CHILD);
    }
    let (list, _) = numbers.as_chunks();
    outside.namespaces.iter_mut().zip(list).for_each(|(number, bytes)| *number = u64::from_ne_bytes(*bytes));
    Ok(())
}

/// Makes the file of `--pid-file`, empty. There is to be none. Its directory is kept: the path may lead elsewhere when the
/// file is removed.
///
/// # Errors
/// Those of open(2), reported.
pub fn make_pid_file(spec: &Spec<'_>) -> Result<(Fd, Fd), Failure> {
    let path = spec.channels.pid_file.unwrap_or_default();
    // If it can be looked for, it can be made.
    let _ = mortal(|| files::look(HERE, path));
    let made = directory_of(path).and_then(|directory| {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        Ok((directory, files::create(directory, last_of(path), flags, 0o644)?))
    });
    made.map_err(|why| blame_hint(say!("make"), path, why, hint::of_pid_file(path, why).hint()))
}

/// The length of what stands before the last component of `path`.
fn before_last(path: &CStr) -> usize {
    path.to_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1)
}

fn last_of(path: &CStr) -> &CStr {
    sys::tail(path, before_last(path))
}

fn directory_of(path: &CStr) -> Result<Fd, Failure> {
    let mut directory = Text::new();
    directory.push(path.to_bytes().get(..before_last(path)).unwrap_or_default());
    if directory.is_full() {
        return Err(Failure::NAMETOOLONG);
    }
    // The path of a file in the working directory has none.
    files::directory(HERE, directory.byte(b'.').c_str())
}

/// CMD has been executed: tells everybody who waits for that. `pid` is process 1, or CMD where there is none. Returns whether
/// it may go on: what goes on in the background is found by its pid file alone.
#[must_use]
pub fn started(spec: &Spec<'_>, outside: &mut Outside, pid: Pid) -> bool {
    if let Some((_, file)) = outside.pid_file {
        let mut line = Text::new();
        line.push_number(pid.as_raw_nonzero().get().cast_unsigned()).byte(b'\n');
        if let Err(why) = write(file, line.bytes()) {
            if outside.waiting.is_some() {
                blame_hint(verb::WRITE, spec.channels.pid_file.unwrap_or_default(), why, Say::NOTHING);
                return false;
            }
            warn(verb::WRITE, spec.channels.pid_file.unwrap_or_default(), why, Say::NOTHING);
        }
    }
    if let Some(fd) = spec.channels.ready {
        // Who no longer waits need not be told.
        if let Err(why) = write_to_anybody(sys::given(fd), b"\n")
            && why != Failure::PIPE
        {
            warn(say!("write to"), c"--ready-fd", why, Say::NOTHING);
        }
        sys::close_given(spec.channels.ready);
    }
    if let Some(waiting) = outside.waiting.take() {
        // The caller's process may go, and we stay.
        let stays = sys::prctl(PR_SET_PDEATHSIG, 0).map_err(|why| blame(say!("go on in the background"), c"", why));
        let _ = chdir(c"/");
        let status = if stays.is_ok() { 0 } else { failed() as u8 };
        if write_to_anybody(waiting, &[status]).is_err() || stays.is_err() {
            // The parent was killed, and does not report us; or its end ends us.
            let _ = sys::kill(pid.as_raw_nonzero().get(), Signal::KILL);
        }
        sys::close(waiting);
        sys::end_messages();
    }
    true
}

/// Writes how the command ended: its exit status, or the signal that killed it.
///
/// # Errors
/// EPIPE: the reader has gone; others: see write(2).
pub fn write_end(spec: &Spec<'_>, status: i32, killer: Option<Signal>) -> Done {
    let mut line = Text::new();
    line.push(b"{ \"");
    match killer.filter(|_| spec.channels.tells_signal) {
        Some(killer) => line.push(b"signal\": ").push_number(killer.number().cast_unsigned()),
        None => line.push(b"exit-code\": ").push_number(status.cast_unsigned()),
    };
    line.push(b" }\n");
    tell(spec.channels.status, &line)
}

/// Tells the caller's process how to end, unless it has been told that the command runs.
pub fn tell_waiting(outside: &mut Outside, status: i32) {
    if let Some(waiting) = outside.waiting.take() {
        let _ = write_to_anybody(waiting, &[status as u8]);
    }
}

/// Removes the file of `--pid-file`, if it is still the one that we made.
pub fn remove_pid_file(spec: &Spec<'_>, outside: &Outside) {
    let Some((directory, file)) = outside.pid_file else { return };
    let name = last_of(spec.channels.pid_file.unwrap_or_default());
    if let (Ok(ours), Ok(there)) = (fstat(file), statat(directory, name, AtFlags::SYMLINK_NOFOLLOW))
        && (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
    {
        let _ = unlinkat(directory, name, AtFlags::empty());
    }
}

fn tell(to: Option<u32>, line: &Text) -> Done {
    match to {
        Some(fd) => Ok(write_to_anybody(sys::given(fd), line.bytes())?),
        None => Ok(()),
    }
}

/// Waits until something can be read, or nothing will.
///
/// # Errors
/// Those of read(2).
pub fn wait_for(fd: Option<u32>) -> Done {
    let Some(fd) = fd else { return Ok(()) };
    loop {
        match read(sys::given(fd), &mut [0u8]) {
            Err(Failure::INTR) => {}
            done => return done.map(|_| ()),
        }
    }
}
