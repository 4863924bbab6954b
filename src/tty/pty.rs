//! A terminal for CMD alone (pty(7), devpts(5)): `--pty`, and by itself where a container is started or entered from a
//! terminal. Its slave is CMD's, its master the relay's, which copies between
//! that and the caller's terminal. So nothing inside has the caller's terminal open.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fchown, fstat, major, minor};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::PipeFlags;
use rustix::process::setsid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{isatty, tcgetwinsize, tcsetwinsize};
use rustix::thread::Uid;

use crate::fs::staging::fd_path;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::Mode;
use crate::state::{Launch, Look, Pipe};
use crate::sys::files::{self, Fd, read};
use crate::sys::{self, Done, Failure, Polled, READABLE, Standard};
use crate::text::Text;
use crate::tty::job;

/// Looks at the caller's terminal, and makes what the launcher, the relay and the terminal's maker talk by.
///
/// # Errors
/// Those of pipe(2) and socketpair(2).
pub fn prepare(launch: &mut Launch) -> Result<Pipe, Failure> {
    if let Some(terminal) = job::standard() {
        launch.look = Some(Look { modes: sys::modes(terminal)?, size: tcgetwinsize(terminal).ok() });
    }
    if launch.spec.mode == Mode::Enter {
        // Nothing is made of it as long as the container has one. There may be none.
        launch.ptmx = files::open(files::HERE, PTMX, OFlags::PATH).ok();
    }
    let (write, read) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    launch.hand_over.set(Pipe { read: sys::keep_open(read), write: sys::keep_open(write) });
    Pipe::new(PipeFlags::empty())
}

/// A new terminal, of the devpts that `ptmx` belongs to: its master and its slave. It is as the caller's; where he types
/// nothing, nothing that is typed is shown.
///
/// # Errors
/// ENOSPC: there are too many; those of open(2).
pub fn make(directory: Fd, ptmx: &CStr, look: Option<Look>) -> Result<(Fd, Fd), Failure> {
    let master = files::open(directory, ptmx, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK)?;
    unlockpt(master)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::from_bits_retain(raw::O_CLOEXEC);
    let slave = sys::keep_open(ioctl_tiocgptpeer(master, flags)?);
    let mut modes = look.map_or(sys::modes(slave), |look| Ok(look.modes))?;
    if !isatty(Standard::Input.fd()) {
        // A terminal that the caller has for the output only ends the lines itself.
        modes = modes.silent(isatty(Standard::Output.fd()));
    }
    sys::set_modes(slave, modes)?;
    if let Some(size) = look.and_then(|look| look.size) {
        tcsetwinsize(slave, size)?;
    }
    Ok((master, slave))
}

/// Gives CMD, whose standard input, output and error ours are to be, a terminal: the one that there is, or one of the
/// container's /dev. `proc` is the caller's.
///
/// # Errors
/// Why there is none, reported.
pub fn give(launch: &mut Launch, made: Option<(Fd, Fd)>) -> Done {
    let spec = &launch.spec;
    let pty = made.map_or_else(|| find(files::open(files::HERE, PTMX, OFlags::PATH), launch), Ok);
    // The container entered may have no working devpts, or none to spare: then take a pty of the caller's devpts, for CMD alone.
    let pty = pty.or_else(|why| find(launch.ptmx.ok_or(why), launch));
    let failed = |why| blame_hint(say!("make a terminal by"), PTMX, why, hint::of_terminal(spec, why).hint());
    let (master, slave) = pty.map_err(failed)?;
    let (uid, socket) = (Uid::from_raw(spec.ids.uid), launch.hand_over.get()?);
    if fstat(slave)?.st_uid != spec.ids.uid {
        // Where it can't be his he has it open, and opens it as /dev/tty.
        let _ = fchown(slave, Some(uid), None);
    }
    sys::send(socket.write, [master, slave])?;
    for own in [Standard::Input, Standard::Output, Standard::Error] {
        sys::replace(own, slave)?;
    }
    // The kernel throws away what a terminal holds when its session's leader ends: so that is not CMD, but we.
    setsid()?;
    job::control()?;
    (launch.terminal, launch.lent) = (Some(Standard::Input.fd()), true);
    Ok(())
}

/// Waits, as the leader of the terminal's session, until all that was written there is copied, or the launcher is no more.
pub fn outlive(go: Option<Fd>) {
    if let Some(go) = go
        && sys::poll(&mut [Polled::new(go, READABLE)], None).is_err()
    {
        // A filter forbids ppoll(2).
        let _ = read(go, &mut [0u8]);
    }
}

/// Whatever leads there.
const PTMX: &CStr = c"/dev/ptmx";

/// Makes a terminal by a /dev/ptmx, if it is that device.
fn find(ptmx: Result<Fd, Failure>, launch: &Launch) -> Result<(Fd, Fd), Failure> {
    /// The device, Documentation/admin-guide/devices.txt.
    const DEVICE: (u32, u32) = (5, 2);
    let found = ptmx?;
    let stat = fstat(found)?;
    if stat.st_mode & raw::S_IFMT != raw::S_IFCHR || (major(stat.st_rdev), minor(stat.st_rdev)) != DEVICE {
        return Err(Failure::NODEV);
    }
    let mut path = Text::new();
    let path = sys::tail(fd_path(found, &mut path), b"/proc/".len());
    make(launch.proc.get()?, path, launch.look)
}

/// Makes the caller's terminal one that hands on each byte, if we are in its foreground.
pub fn make_raw(look: Option<Look>) {
    let terminal = Standard::Input.fd();
    if let Some(look) = look
        && !job::is_anothers(terminal)
    {
        let _ = sys::set_modes(terminal, look.modes.raw());
    }
}

/// Makes it what it was, if it is as [`make_raw`] has made it: somebody else may have it by now.
pub fn restore(look: Option<Look>) {
    let terminal = Standard::Input.fd();
    if let Some(Look { modes, .. }) = look
        && sys::modes(terminal).is_ok_and(|now| now == modes.raw())
    {
        let _ = sys::set_modes(terminal, modes);
    }
}

/// Gives CMD's terminal the size of the caller's.
pub fn copy_size(master: Fd) {
    if let Some(size) = job::standard().and_then(|terminal| tcgetwinsize(terminal).ok()) {
        let _ = tcsetwinsize(master, size);
    }
}
