//! PROCESS: RELAY, `--pty`. A child of the launcher, which copies between the caller's terminal and CMD's.
//!
//! - Namespaces, rights: the launcher's. It is in his process group, so that the terminal takes both for one job.
//! - Signals: all blocked and read from a descriptor. The launcher stops it where the whole job stops.
//! - It begins when CMD has been executed. It ends by the launcher's word, when all is copied, or when he is no more;
//!   without it CMD's terminal is hung up.
//! - The terminal is made raw here, and what it was here; by the launcher, if this one was killed.

use crate::report::message::{blame, failed};
use crate::say;
use crate::state::{Launch, Look, Pipe};
use crate::supervise::relay::{BEGIN, END};
use crate::sys::files::{Fd, read, write};
use crate::sys::{self, Done, Failure, Kept, Polled, READABLE, Standard, Time, WRITABLE};
use crate::tty::job;
use crate::tty::pty;

/// How long what is typed for others may lie there before it is looked whether it is for us.
const PATIENCE: Time = Time { seconds: 1, nanos: 0 };

const AT_ONCE: Time = Time { seconds: 0, nanos: 0 };

/// Bytes that are under way in one direction. To a pipe that can be written, as many can be written at once (PIPE_BUF).
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

    /// Takes what there is to read. Only for one that is empty.
    fn fill(&mut self, from: Fd) -> Result<usize, Failure> {
        let length = read(from, self.bytes.as_mut_slice())? as usize;
        (self.from, self.to) = (0, length);
        Ok(length)
    }

    /// Writes what can be written. What nobody hears any more is an end; what finds no room is lost.
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

/// What there is to read from the caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    /// It is for who is in the foreground of the terminal, and that is not us. Nobody tells when we are: it is looked for
    /// as long as something lies there that was typed.
    Withheld,
    Ended,
}

struct Relay {
    look: Option<Look>,
    control: Fd,
    signals: Fd,
    master: Fd,
    input: Input,
    /// CMD has ended.
    ending: bool,
    /// The last byte that was read ended a line.
    at_line: bool,
    inwards: Buffer,
    outwards: Buffer,
}

/// Waits for the launcher's word, and copies until there is no more to copy. Returns the exit status, which nobody asks for.
pub fn run(launch: &Launch, word: Option<Pipe>) -> i32 {
    let (Some(control), Some(socket)) = (word, launch.hand_over.known()) else { return failed() };
    // While these were open here too they would not tell of the launcher's end, whatever close_range(2) answers.
    for ours in [control.write, socket.write] {
        sys::close(ours);
    }
    let (control, socket) = (control.read, socket.read);
    let _ = sys::prctl(sys::PR_SET_DUMPABLE, 0);
    let _ = sys::close_all_but(&[], &[Kept::ours(Some(control)), Kept::ours(Some(socket))]);
    let mut word = [0u8];
    match read(control, &mut word) {
        Ok(1) => {}
        // The launcher is no more.
        Ok(_) => return failed(),
        Err(why) => return broken(why),
    }
    // CMD may have ended before it was known that it has begun: what it has written is there all the same. If it was never
    // executed there may be nothing to copy from.
    let begins = word == [BEGIN];
    if !begins && sys::poll(&mut [Polled::new(socket, READABLE)], Some(AT_ONCE)) != Ok(1) {
        return failed();
    }
    let ready = sys::receive(socket).and_then(|[master, _]| Ok((master, sys::signals()?)));
    let (master, signals) = match ready {
        Ok(ready) => ready,
        Err(why) if begins => return broken(why),
        Err(_) => return failed(),
    };
    // A terminal that nobody reads: then none is made raw either.
    let input = if launch.spec.channels.detach || !begins { Input::Ended } else { Input::Open };
    let look = launch.look.filter(|_| input == Input::Open);
    let relay = Relay {
        look,
        control,
        signals,
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

/// Without us CMD's terminal is hung up.
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
                // Nobody is there any more, at one end or the other.
                Err(Failure::PIPE | Failure::IO) => return,
                Err(why) => {
                    broken(why);
                    return;
                }
            }
        }
    }

    /// Waits until something can be done, and does it. An error is the end.
    fn turn(&mut self) -> Done {
        let (input, output) = (Standard::Input.fd(), Standard::Output.fd());
        let asks = |asked: bool, what: i16| if asked { what } else { 0 };
        let reads = self.input == Input::Open && !self.ending && self.inwards.is_empty();
        let master = asks(self.outwards.is_empty(), READABLE) | asks(!self.inwards.is_empty(), WRITABLE);
        let mut polled = [
            Polled::new(self.control, READABLE),
            Polled::new(self.signals, READABLE),
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

    /// The launcher's word, or his end.
    fn obey(&mut self) -> Done {
        let mut word = [0u8];
        if read(self.control, &mut word)? == 0 || word != [END] {
            return Err(Failure::PIPE);
        }
        self.ending = true;
        Ok(())
    }

    /// The window has another size, or we are continued, in the foreground perhaps. Signals that can't be read would be told of
    /// for ever.
    fn notice(&mut self) -> Done {
        loop {
            // signalfd(2): as many bytes each.
            match read(self.signals, &mut [0u8; 128]) {
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

    /// What the caller types, or has in a file. Its end is one that a terminal tells, by a character: at a line's beginning
    /// it is the end, elsewhere only that of what is to be read now (termios(3), VEOF).
    fn take(&mut self) {
        if job::is_anothers(Standard::Input.fd()) {
            self.input = Input::Withheld;
            return;
        }
        // We may have been brought to the foreground without a word.
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
            // There never was anything to read.
            Err(_) => self.input = Input::Ended,
        }
    }
}
