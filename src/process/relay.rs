//! PROCESS: the relay of `--pty`, a child of the launcher, which copies between the caller's terminal and the command's.
//!
//! - Namespaces, rights: the launcher's. It is in the launcher's process group: to the caller's shell both are one job.
//! - Signals: all blocked, and read from a signalfd(2), because it waits for descriptors too. The launcher stops it with the job.
//! - It begins when the command has been executed. It ends after the launcher's END, when all is copied, or when the launcher
//!   has ended. If it ends, the kernel hangs up the command's terminal.
//! - It makes the caller's terminal raw, and restores it at the end. If it is killed, the launcher restores it.

use linux_raw_sys::general as raw;
use rustix::fs::{OFlags, fstat, major};
use rustix::termios::isatty;

use crate::cgroup;
use crate::report::message::{blame, failed};
use crate::say;
use crate::state::{Cgroup, Launch, Look, Pipe};
use crate::supervise::relay::{BEGIN, END};
use crate::sys::files::{self, Fd, read, write};
use crate::sys::{self, Done, Failure, Kept, Polled, READABLE, Standard, Time, WRITABLE};
use crate::tty::job;
use crate::tty::pty;

/// How often a relay in the background looks whether it is in the foreground, while there is unread input.
const PATIENCE: Time = Time { seconds: 1, nanos: 0 };

const AT_ONCE: Time = Time { seconds: 0, nanos: 0 };

/// Bytes that a pipe takes without blocking if poll(2) reports it writable (PIPE_BUF).
const CHUNK: usize = 4096;

/// The most bytes of output on their way to a file or a pipe, which holds as many (pipe(7)). One read(2) of a pty returns at most
/// 4,095. To a terminal there are at most [`CHUNK`]: it may be slow, and shows what is on its way after ^C too.
const OUTPUT: usize = 64 * 1024;

/// `^C` and `^\`, with which people end a command: one that is frozen must go on for that.
const INTERRUPTS: [u8; 2] = [3, 28];

/// Bytes on their way.
struct Buffer {
    bytes: &'static mut [u8],
    from: usize,
    to: usize,
}

impl Buffer {
    /// # Errors
    /// ENOMEM: there is no memory.
    fn new(size: usize) -> Result<Buffer, Failure> {
        Ok(Buffer { bytes: sys::pages(size)?, from: 0, to: 0 })
    }

    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// Reads once, behind the bytes that are there. Returns the number of bytes; 0 also if there is no room.
    ///
    /// # Errors
    /// EAGAIN: there is nothing to read; EIO: the terminal was hung up, or we are in its background; others: see read(2).
    fn fill(&mut self, from: Fd) -> Result<u32, Failure> {
        if self.is_empty() {
            (self.from, self.to) = (0, 0);
        }
        let length = read(from, self.bytes.get_mut(self.to..).unwrap_or_default())?;
        self.to += length as usize;
        Ok(length)
    }

    /// Writes what `to` takes of the first `most` bytes. Other errors than those below lose all bytes: a full disk does not end
    /// the command.
    ///
    /// # Errors
    /// EPIPE, EIO: no process reads them any more.
    fn drain(&mut self, to: Fd, most: usize) -> Done {
        let rest = self.rest();
        match write(to, rest.get(..most).unwrap_or(rest)) {
            Ok(length) => self.from += length as usize,
            Err(Failure::AGAIN | Failure::INTR) => {}
            Err(why @ (Failure::PIPE | Failure::IO)) => return Err(why),
            Err(_) => self.from = self.to,
        }
        Ok(())
    }
}

/// The caller's standard input.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// It is for another process group, which is in the foreground of the terminal. The kernel does not report when ours is.
    Withheld,
    Ended,
}

struct Relay {
    /// The caller's terminal as it was; `None`: it stays as it is.
    look: Option<Look>,
    control: Fd,
    /// `None`: a seccomp filter forbids signalfd(2), and the command's terminal does not follow the size of the caller's.
    signals: Option<Fd>,
    master: Fd,
    /// That of the container, which may be frozen.
    cgroup: Option<Cgroup>,
    input: Input,
    /// The command has ended.
    ending: bool,
    /// The last byte that was read ended a line.
    at_line: bool,
    inwards: Buffer,
    outwards: Buffer,
    /// A descriptor of standard output on which no write(2) blocks. `None`: there is none, and only [`CHUNK`] bytes are written,
    /// after poll(2).
    unblocked: Option<Fd>,
}

/// Waits for the launcher's BEGIN, and copies until the end. Returns the exit status, which the launcher does not use.
pub fn run(launch: &Launch, word: Option<Pipe>) -> i32 {
    let (Some(control), Some(socket)) = (word, launch.hand_over.known()) else { return failed() };
    // Close our copies of the write ends, or read(2) never returns the end of file at the launcher's end. Not left to
    // close_range(2), which may fail.
    for ours in [control.write, socket.write] {
        sys::close(ours);
    }
    let (control, socket) = (control.read, socket.read);
    let _ = sys::prctl(sys::PR_SET_DUMPABLE, 0);
    let cgroup = launch.cgroup.known();
    let kept = [Some(control), Some(socket), cgroup.map(|cgroup| cgroup.own)];
    let _ = sys::close_all_but(&[], &kept.map(Kept::ours));
    let output = if isatty(Standard::Output.fd()) { CHUNK } else { OUTPUT };
    let (inwards, outwards) = match (Buffer::new(CHUNK), Buffer::new(output)) {
        (Ok(inwards), Ok(outwards)) => (inwards, outwards),
        (Err(why), _) | (_, Err(why)) => return broken(why),
    };
    let mut word = [0u8];
    match read(control, &mut word) {
        Ok(1) => {}
        // The launcher has ended.
        Ok(_) => return failed(),
        Err(why) => return broken(why),
    }
    // END without BEGIN: the command ended before its execution was known, and its output is still to be copied; or it was never
    // executed, and there may be no terminal.
    let begins = word == [BEGIN];
    if !begins && sys::poll(&mut [Polled::new(socket, READABLE)], Some(AT_ONCE)) != Ok(1) {
        return failed();
    }
    let master = match sys::receive(socket) {
        Ok([master, _]) => master,
        Err(why) if begins => return broken(why),
        Err(_) => return failed(),
    };
    // Without input to read, the caller's terminal is not made raw.
    let input = if launch.spec.detaches() || !begins { Input::Ended } else { Input::Open };
    let look = launch.look.filter(|_| input == Input::Open);
    let relay = Relay {
        look,
        control,
        signals: sys::signals().ok(),
        master,
        cgroup,
        input,
        ending: !begins,
        at_line: true,
        inwards,
        outwards,
        unblocked: unblocked_output(),
    };
    relay.forever();
    pty::restore(look);
    0
}

/// Standard output as a descriptor on which no write(2) blocks: a regular file, or a pipe or a slave of a pty that is opened again.
/// O_NONBLOCK is a flag of the open file description, which the caller's processes share, so it cannot be set on descriptor 1.
/// Without it, write(2) to a terminal blocks until the terminal has taken all bytes, although poll(2) reports room for one as
/// writable (n_tty_write): typed keys would wait for a terminal that is not read.
fn unblocked_output() -> Option<Fd> {
    /// UNIX98 pty slaves, Documentation/admin-guide/devices.txt. Opening another device again may do more than to open it: of
    /// /dev/ptmx it makes a new pty.
    const SLAVES: core::ops::RangeInclusive<u32> = 136..=143;
    let output = Standard::Output.fd();
    let stat = fstat(output).ok()?;
    match stat.st_mode & raw::S_IFMT {
        raw::S_IFREG => return Some(output),
        raw::S_IFIFO => {}
        raw::S_IFCHR if SLAVES.contains(&major(stat.st_rdev)) => {}
        _ => return None,
    }
    let opened = files::open_path(c"/proc/self/fd/1", OFlags::WRONLY | OFlags::NOCTTY | OFlags::NONBLOCK).ok()?;
    // /proc may be another file system.
    let again = fstat(opened).ok()?;
    ((again.st_dev, again.st_ino) == (stat.st_dev, stat.st_ino)).then_some(opened)
}

/// Reports why the relay ends, and the kernel hangs up the command's terminal.
fn broken(why: Failure) -> i32 {
    blame(say!("copy from and to CMD's terminal"), c"", why);
    failed()
}

impl Relay {
    fn forever(mut self) {
        pty::make_raw(self.look);
        pty::copy_size(self.master);
        loop {
            if self.ending && self.outwards.is_empty() && (self.read_output().is_err() || self.outwards.is_empty()) {
                return;
            }
            match self.turn() {
                Ok(()) => {}
                // One of the two ends is closed.
                Err(Failure::PIPE | Failure::IO) => return,
                Err(why) => {
                    broken(why);
                    return;
                }
            }
        }
    }

    /// Waits until a descriptor is ready, and copies.
    ///
    /// # Errors
    /// EPIPE, EIO: an end is closed; others: the copying failed.
    fn turn(&mut self) -> Done {
        let input = Standard::Input.fd();
        let (output, most) = self.unblocked.map_or((Standard::Output.fd(), CHUNK), |output| (output, OUTPUT));
        let asks = |asked: bool, what: i16| if asked { what } else { 0 };
        let reads = self.input == Input::Open && !self.ending && self.inwards.is_empty();
        let master = asks(self.outwards.is_empty(), READABLE) | asks(!self.inwards.is_empty(), WRITABLE);
        let mut polled = [
            Polled::new(self.control, READABLE),
            Polled::new(self.signals.unwrap_or(self.control), asks(self.signals.is_some(), READABLE)),
            Polled::new(input, asks(reads, READABLE)),
            Polled::new(self.master, master),
            Polled::new(output, asks(!self.outwards.is_empty(), WRITABLE)),
        ];
        let patience = (self.input == Input::Withheld).then_some(PATIENCE);
        match sys::poll(&mut polled, patience) {
            Ok(0) => self.input = Input::Open,
            Ok(_) => {}
            Err(Failure::INTR) => return Ok(()),
            Err(why) => {
                broken(why);
                return Err(Failure::PIPE);
            }
        }
        let [control, signals, typed, master, written] = polled;
        if control.told(READABLE) {
            self.obey()?;
        }
        if signals.told(READABLE) {
            self.notice()?;
        }
        if typed.told(READABLE) {
            self.take();
        }
        if master.told(WRITABLE) && !self.inwards.is_empty() {
            self.inwards.drain(self.master, CHUNK)?;
        }
        let mut writes = written.told(WRITABLE);
        if master.told(READABLE) && self.outwards.is_empty() {
            self.read_output()?;
            writes = self.unblocked.is_some() && !self.outwards.is_empty();
        }
        if writes {
            self.outwards.drain(output, most)?;
        }
        Ok(())
    }

    /// Reads the command's output, as long as there is some and room for it. Each write(2) may wake the process that reads it, so
    /// few large ones are faster.
    ///
    /// # Errors
    /// EIO: nothing was read, and no process has the command's terminal open; others: see read(2).
    fn read_output(&mut self) -> Done {
        loop {
            match self.outwards.fill(self.master) {
                Ok(1..) => {}
                Ok(0) | Err(Failure::AGAIN | Failure::INTR) => return Ok(()),
                Err(why) => return if self.outwards.is_empty() { Err(why) } else { Ok(()) },
            }
        }
    }

    /// Reads the launcher's byte: END.
    ///
    /// # Errors
    /// EPIPE: the launcher has ended.
    fn obey(&mut self) -> Done {
        let mut word = [0u8];
        if read(self.control, &mut word)? == 0 || word != [END] {
            return Err(Failure::PIPE);
        }
        self.ending = true;
        Ok(())
    }

    /// A signal arrived: the window has another size, or the relay was continued, perhaps in the foreground. All signals are
    /// read: poll(2) reports those that stay unread again and again.
    ///
    /// # Errors
    /// See read(2).
    fn notice(&mut self) -> Done {
        while let Some(signals) = self.signals {
            // sizeof(struct signalfd_siginfo), signalfd(2).
            match read(signals, &mut [0u8; 128]) {
                Ok(_) | Err(Failure::INTR) => {}
                Err(Failure::AGAIN) => break,
                Err(why) => return Err(why),
            }
        }
        pty::make_raw(self.look);
        pty::copy_size(self.master);
        if self.input == Input::Withheld {
            self.input = Input::Open;
        }
        Ok(())
    }

    /// Reads the caller's input, typed or from a file. The end of a file becomes the character VEOF (termios(3)): at the start of a
    /// line it means the end of input; elsewhere one only ends a read(2), and a second one means the end.
    fn take(&mut self) {
        if job::is_anothers(Standard::Input.fd()) {
            self.input = Input::Withheld;
            return;
        }
        // The relay may have come to the foreground without a signal.
        pty::make_raw(self.look);
        match self.inwards.fill(Standard::Input.fd()) {
            Ok(0) => {
                self.input = Input::Ended;
                let end = sys::modes(self.master).map_or(0, |modes| modes.end_of_file());
                if let [first, second, ..] = &mut *self.inwards.bytes {
                    (*first, *second) = (end, end);
                }
                (self.inwards.from, self.inwards.to) = (0, if self.at_line { 1 } else { 2 });
            }
            Ok(_) => {
                let typed = self.inwards.rest();
                self.at_line = typed.last() == Some(&b'\n');
                if typed.iter().any(|byte| INTERRUPTS.contains(byte)) {
                    cgroup::thaw(self.cgroup);
                }
            }
            Err(Failure::AGAIN | Failure::INTR) => {}
            Err(Failure::IO) => self.input = Input::Withheld,
            // It cannot be read: it is closed, or a directory.
            Err(_) => self.input = Input::Ended,
        }
    }
}
