//! A pty for the command alone (pty(7), devpts(5)): with `--pty`, and by default if a container is started or entered from a
//! terminal. The command has its slave. The relay has its master, and copies between it and the caller's terminal. So no
//! process in the container has the caller's terminal open.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fchown, fstat, major, minor};
use rustix::pipe::PipeFlags;
use rustix::process::setsid;
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, unlockpt};
use rustix::termios::{isatty, tcgetwinsize, tcsetwinsize};
use rustix::thread::Uid;

use crate::fs::staging::fd_path;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::state::{Launch, Look, Pipe};
use crate::sys::files::{self, Fd, read};
use crate::sys::{self, Done, Failure, Polled, READABLE, Standard};
use crate::text::Short;
use crate::tty::job;

/// Reads the modes and the size of the caller's terminal, and makes the socket by which the pty goes to the relay. Returns the pipe by
/// which the launcher controls the relay.
///
/// # Errors
/// EMFILE, ENFILE: too many descriptors are open; EIO: the caller's terminal was hung up.
pub fn prepare(launch: &mut Launch) -> Result<Pipe, Failure> {
    if let Some(terminal) = job::standard() {
        let look = launch.look.insert(Look { modes: sys::modes(terminal)?, size: tcgetwinsize(terminal).ok() });
        // In the background, the modes may be those of a shell that edits its line.
        if job::is_anothers(terminal) {
            look.modes.cook();
        }
    }
    if launch.spec.enters() {
        // For a container that has no devpts that works. There may be none.
        launch.ptmx = files::open(files::HERE, PTMX, OFlags::PATH).ok();
    }
    launch.hand_over.set(Pipe::of_sockets()?);
    Pipe::new(PipeFlags::empty())
}

/// Makes a pty in the devpts that `ptmx` belongs to: its master and its slave, with the modes and the size of the caller's terminal.
/// If standard input is no terminal, the slave does not echo: a file is not shown as if it were typed.
///
/// # Errors
/// ENOSPC: the devpts has no pty left (`max=`, kernel.pty.max); others: see open(2).
pub fn make(directory: Fd, ptmx: &CStr, look: Option<Look>) -> Result<(Fd, Fd), Failure> {
    let master = files::open(directory, ptmx, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK)?;
    unlockpt(master)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::from_bits_retain(raw::O_CLOEXEC);
    let slave = sys::keep_open(ioctl_tiocgptpeer(master, flags)?);
    let mut modes = look.map_or(sys::modes(slave), |look| Ok(look.modes))?;
    if !isatty(Standard::Input.fd()) {
        // If standard output is a terminal, that one turns newlines into CR NL.
        modes = modes.silent(isatty(Standard::Output.fd()));
    }
    sys::set_modes(slave, modes)?;
    if let Some(size) = look.and_then(|look| look.size) {
        tcsetwinsize(slave, size)?;
    }
    Ok((master, slave))
}

/// Makes the slave of a pty standard input, output and error of this process, and the controlling terminal of a new session; the
/// command inherits it. The pty is `made`, or one of the container's /dev. Sends both ends to the relay.
///
/// # Errors
/// Why no pty can be made, reported; EPERM: this process leads a process group (setsid(2)).
pub fn give(launch: &mut Launch, made: Option<(Fd, Fd)>) -> Done {
    let spec = &launch.spec;
    let pty = made.map_or_else(|| find(files::open(files::HERE, PTMX, OFlags::PATH), launch), Ok);
    // The entered container may have no working devpts, or no pty left: then a pty of the caller's devpts.
    let pty = pty.or_else(|why| find(launch.ptmx.ok_or(why), launch));
    let failed = |why| blame_hint(say!("make a pty with"), PTMX, why, hint::of_terminal(spec, why).hint());
    let (master, slave) = pty.map_err(failed)?;
    let (uid, socket) = (Uid::from_raw(spec.ids.uid), launch.hand_over.get()?);
    if fstat(slave)?.st_uid != spec.ids.uid {
        // If its owner cannot be changed, the command still has it open, and can open it as /dev/tty.
        let _ = fchown(slave, Some(uid), None);
    }
    sys::send(socket.write, [master, slave])?;
    for own in [Standard::Input, Standard::Output, Standard::Error] {
        sys::replace(own, slave)?;
    }
    // When the leader of a session ends, the kernel hangs up the terminal, and discards unread output. So the leader is this
    // process, which outlives the command.
    setsid()?;
    job::control()?;
    (launch.terminal, launch.lent) = (Some(Standard::Input.fd()), true);
    Ok(())
}

/// Waits, as the leader of the terminal's session, until the relay has copied all output, or the launcher has ended.
pub fn outlive(go: Option<Fd>) {
    if let Some(go) = go
        && sys::poll(&mut [Polled::new(go, READABLE)], None).is_err()
    {
        // A filter forbids ppoll(2).
        let _ = read(go, &mut [0u8]);
    }
}

/// It may be a symlink, or a bind mount.
const PTMX: &CStr = c"/dev/ptmx";

/// Makes a pty through a /dev/ptmx.
///
/// # Errors
/// ENODEV: it is another device, or none; others: see [`make`].
fn find(ptmx: Result<Fd, Failure>, launch: &Launch) -> Result<(Fd, Fd), Failure> {
    /// The device, Documentation/admin-guide/devices.txt.
    const DEVICE: (u32, u32) = (5, 2);
    let found = ptmx?;
    let stat = fstat(found)?;
    if stat.st_mode & raw::S_IFMT != raw::S_IFCHR || (major(stat.st_rdev), minor(stat.st_rdev)) != DEVICE {
        return Err(Failure::NODEV);
    }
    let mut path = Short::new();
    let path = sys::tail(fd_path(found, &mut path), b"/proc/".len());
    make(launch.proc.get()?, path, launch.look)
}

/// Makes the caller's terminal raw: each byte goes to the command's terminal as it was typed. Only if our process group is in
/// the foreground.
pub fn make_raw(look: Option<Look>) {
    let terminal = Standard::Input.fd();
    if let Some(look) = look
        && !job::is_anothers(terminal)
    {
        let _ = sys::set_modes(terminal, look.modes.raw());
    }
}

/// Restores the modes of the caller's terminal, if they are those of [`make_raw`]: otherwise another process has set them since.
pub fn restore(look: Option<Look>) {
    let terminal = Standard::Input.fd();
    if let Some(Look { modes, .. }) = look
        && sys::modes(terminal).is_ok_and(|now| now == modes.raw())
    {
        let _ = sys::set_modes(terminal, modes);
    }
}

/// Gives the command's terminal the size of the caller's.
pub fn copy_size(master: Fd) {
    if let Some(size) = job::standard().and_then(|terminal| tcgetwinsize(terminal).ok()) {
        let _ = tcsetwinsize(master, size);
    }
}
