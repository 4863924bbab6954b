//! PROCESS: the logger of `--log`, a child of the keeper: it writes CMD's output to a file.
//!
//! - Namespaces, rights: the caller's.
//! - Signals: all blocked, and read from a signalfd(2), because it waits for its input too. On SIGHUP it opens the file again.
//! - CMD writes to a pipe and not to the file, so that the file can be replaced, and so that a full disk does not concern CMD: what cannot
//!   be written is lost, and that is reported, in the log too as soon as there is room.
//! - Next: exit(2) when no process has the write end of the pipe open any more.

use rustix::fs::OFlags;

use crate::channels::pid_file;
use crate::process::connect::plain_fork;
use crate::report::message::{blame, failed, warn};
use crate::say;
use crate::spec::{Object, Spec};
use crate::state::Launcher;
use crate::sys::files::{self, Fd, chdir, read, write};
use crate::sys::{self, Done, Failure, Fork, Kept, Polled, READABLE, Signal};
use crate::text::Text;

/// The bytes that are read at a time: a pipe holds as many (pipe(7)).
const CHUNK: usize = 64 * 1024;

/// The mode of a new log.
const MODE: u32 = 0o640;

/// S_IFREG.
const REGULAR: u32 = linux_raw_sys::general::S_IFREG;

/// Opens the log for appending; a missing file is made. The last component of its path is not followed if it is a link. Returns its
/// directory too, from which [`open_in`] opens it again: nsinit leaves its working directory.
///
/// # Errors
/// As [`open_in`].
pub fn open(spec: &Spec<'_>) -> Result<(Fd, Fd), Failure> {
    let place = pid_file::directory_of(Object::Log.name(spec))?;
    Ok((place, open_in(place, spec)?))
}

/// [`open`] in the directory that it returned.
///
/// # Errors
/// [`Failure::NO_FILE`]: it is no regular file; ELOOP: it is a symbolic link; others: see open(2).
fn open_in(place: Fd, spec: &Spec<'_>) -> Result<Fd, Failure> {
    // O_NONBLOCK: open(2) must not wait for the reader of a fifo.
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = files::create(place, pid_file::last_of(Object::Log.name(spec)), flags, MODE)?;
    match files::kind(file)? {
        REGULAR => Ok(file),
        _ => {
            sys::close(file);
            Err(Failure::NO_FILE)
        }
    }
}

/// Starts the logger. The keeper has opened the log and made the pipe.
///
/// # Errors
/// Reported: see fork(2).
pub fn start(keeper: &mut Launcher) -> Done {
    match plain_fork()? {
        Fork::Child => sys::exit(run(keeper)),
        Fork::Parent(logger) => keeper.logger = Some(logger),
    }
    Ok(())
}

struct Logger<'a> {
    spec: &'a Spec<'a>,
    /// The directory of the log, and the log.
    place: Fd,
    file: Fd,
    /// How many bytes were lost since the last write that succeeded, and why.
    lost: u64,
    why: Failure,
}

fn run(keeper: &Launcher) -> i32 {
    let (Some((place, file)), Some(pipe)) = (keeper.log, keeper.output) else { return failed() };
    let spec = &keeper.launch.spec;
    if spec.detaches() {
        // The descriptor for messages is the caller's terminal.
        sys::end_messages();
    }
    let _ = chdir(c"/");
    // Close our copy of the write end, or read(2) never returns the end of the file.
    sys::close(pipe.write);
    let _ = sys::close_all_but(&[], &[place, file, pipe.read].map(|fd| Kept::ours(Some(fd))));
    let mut logger = Logger { spec, place, file, lost: 0, why: Failure::NOSPC };
    match logger.forever(pipe.read) {
        Ok(()) => 0,
        Err(why) => {
            blame(say!("read CMD's output"), c"", why);
            failed()
        }
    }
}

impl Logger<'_> {
    /// Copies until the end of the input.
    ///
    /// # Errors
    /// See ppoll(2) and read(2).
    fn forever(&mut self, input: Fd) -> Done {
        let bytes = sys::pages(CHUNK)?;
        // A seccomp filter of the caller's may forbid signalfd(2): the log is then never opened again.
        let signals = sys::signals().ok();
        loop {
            let asked = if signals.is_some() { READABLE } else { 0 };
            let mut polled = [Polled::new(input, READABLE), Polled::new(signals.unwrap_or(input), asked)];
            match sys::poll(&mut polled, None) {
                Ok(_) => {}
                Err(Failure::INTR) => continue,
                Err(why) => return Err(why),
            }
            let [input_told, signals_told] = polled;
            if signals_told.told(READABLE) && hears_hup(signals) {
                self.reopen();
            }
            if !input_told.told(READABLE) {
                continue;
            }
            match read(input, bytes) {
                Ok(0) => {
                    self.report_loss();
                    return Ok(());
                }
                Ok(length) => self.write(bytes.get(..length as usize).unwrap_or_default()),
                Err(Failure::INTR | Failure::AGAIN) => {}
                Err(why) => return Err(why),
            }
        }
    }

    fn reopen(&mut self) {
        match open_in(self.place, self.spec) {
            Ok(file) => {
                self.report_loss();
                sys::close(self.file);
                self.file = file;
            }
            Err(why) => {
                let path = Object::Log.name(self.spec);
                warn(say!("open the log"), path, why, say!("CMD's output still goes to the file that was open"));
            }
        }
    }

    /// Writes the bytes, or counts them as lost.
    fn write(&mut self, bytes: &[u8]) {
        self.report_loss();
        if self.lost != 0 {
            self.lost += bytes.len() as u64;
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match write(self.file, rest) {
                Ok(length) => rest = rest.get(length as usize..).unwrap_or_default(),
                Err(Failure::INTR) => {}
                Err(why) => {
                    (self.lost, self.why) = (rest.len() as u64, why);
                    let hint = say!("CMD's output is lost until that is possible");
                    return warn(say!("write to the log"), Object::Log.name(self.spec), why, hint);
                }
            }
        }
    }

    /// If output was lost, tries to write a line about it.
    fn report_loss(&mut self) {
        if self.lost == 0 {
            return;
        }
        let mut line = Text::new();
        line.say(say!("\nnsinit: ")).push_long_number(self.lost).say(say!(" bytes of output are lost\n"));
        if write(self.file, line.bytes()).is_ok() {
            self.lost = 0;
        }
    }
}

/// Reads all signals: poll(2) reports those that stay unread again and again. Returns whether SIGHUP is one of them.
fn hears_hup(signals: Option<Fd>) -> bool {
    let Some(signals) = signals else { return false };
    let mut heard = false;
    // struct signalfd_siginfo (signalfd(2)): the number of the signal comes first.
    let mut info = [0u8; 128];
    while read(signals, &mut info) == Ok(128) {
        heard |= i32::from(info[0]) == Signal::HUP.number();
    }
    heard
}
