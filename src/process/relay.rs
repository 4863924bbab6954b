//! PROCESS: the relay of `--pty`, a child of the launcher, which copies between the caller's terminal and the command's.
//!
//! - Namespaces, rights: the launcher's. It is in the launcher's process group: to the caller's shell both are one job.
//! - Signals: all blocked, and read from a signalfd(2), because it waits for descriptors too. The launcher stops it with the job.
//! - It begins when the command has been executed. It ends after the launcher's END, when all is copied, or when the launcher
//!   has ended. If it ends, the kernel hangs up the command's terminal.
//! - It makes the caller's terminal raw, and restores it at the end. If it is killed, the launcher restores it.

use crate::report::message::{blame, failed};
use crate::say;
use crate::state::{Launch, Look, Pipe};
use crate::supervise::relay::{BEGIN, END};
use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Done, Failure, Kept, Polled, READABLE, Standard, Time, WRITABLE};
use crate::tty::job;
use crate::tty::pty;

/// How often a relay in the background looks whether it is in the foreground, while there is unread input.
const PATIENCE: Time = Time { seconds: 1, nanos: 0 };

const AT_ONCE: Time = Time { seconds: 0, nanos: 0 };

/// The most bytes on their way in one direction. A pipe that poll(2) reports writable takes as many without blocking (PIPE_BUF).
const CHUNK: usize = 4096;

/// Bytes on their way.
struct Buffer {
    bytes: [u8; CHUNK],
    from: usize,
    to: usize,
}

impl Buffer {
    const NEW: Buffer = Buffer { bytes: [0; CHUNK], from: 0, to: 0 };

    fn is_empty(&self) -> bool {
        self.from == self.to
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.from..self.to).unwrap_or_default()
    }

    /// Reads into an empty buffer.
    ///
    /// # Errors
    /// EAGAIN: there is nothing to read; EIO: the terminal was hung up, or we are in its background; others: see read(2).
    fn fill(&mut self, from: Fd) -> Result<usize, Failure> {
        let length = read(from, self.bytes.as_mut_slice())? as usize;
        (self.from, self.to) = (0, length);
        Ok(length)
    }

    /// Writes what `to` takes. Other errors than those below lose the bytes: a full disk does not end the command.
    ///
    /// # Errors
    /// EPIPE, EIO: no process reads them any more.
    fn drain(&mut self, to: Fd) -> Done {
        match write(to, self.rest()) {
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
    input: Input,
    /// The command has ended.
    ending: bool,
    /// The last byte that was read ended a line.
    at_line: bool,
    inwards: Buffer,
    outwards: Buffer,
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
    let _ = sys::close_all_but(&[], &[Kept::ours(Some(control)), Kept::ours(Some(socket))]);
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
    let input = if launch.spec.channels.detach || !begins { Input::Ended } else { Input::Open };
    let look = launch.look.filter(|_| input == Input::Open);
    let relay = Relay {
        look,
        control,
        signals: sys::signals().ok(),
        master,
        input,
        ending: !begins,
        at_line: true,
        inwards: Buffer::NEW,
        outwards: Buffer::NEW,
    };
    relay.forever();
    pty::restore(look);
    0
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
            if self.ending && self.outwards.is_empty() {
                match self.outwards.fill(self.master) {
                    Ok(1..) => {}
                    _ => return,
                }
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
        let (input, output) = (Standard::Input.fd(), Standard::Output.fd());
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
            self.inwards.drain(self.master)?;
        }
        if master.told(READABLE) && self.outwards.is_empty() {
            match self.outwards.fill(self.master) {
                Ok(_) | Err(Failure::AGAIN | Failure::INTR) => {}
                Err(why) => return Err(why),
            }
        }
        if written.told(WRITABLE) {
            self.outwards.drain(output)?;
        }
        Ok(())
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
                let [first, second, ..] = &mut self.inwards.bytes;
                (*first, *second) = (end, end);
                (self.inwards.from, self.inwards.to) = (0, if self.at_line { 1 } else { 2 });
            }
            Ok(_) => self.at_line = self.inwards.rest().last() == Some(&b'\n'),
            Err(Failure::AGAIN | Failure::INTR) => {}
            Err(Failure::IO) => self.input = Input::Withheld,
            // It cannot be read: it is closed, or a directory.
            Err(_) => self.input = Input::Ended,
        }
    }
}
