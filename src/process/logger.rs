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
use crate::state::{Launcher, descriptors};
use crate::sys::files::{self, Fd, chdir, read, write};
use crate::sys::{self, Change, Done, Failure, Fork, Kept, Polled, READABLE, Signal, Time};
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
/// [`Failure::NO_REGULAR`]: it is no regular file; ELOOP: it is a symbolic link; others: see open(2).
fn open_in(place: Fd, spec: &Spec<'_>) -> Result<Fd, Failure> {
    // O_NONBLOCK: open(2) must not wait for the reader of a fifo.
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NOCTTY | OFlags::NONBLOCK;
    let file = match files::create(place, pid_file::last_of(Object::Log.name(spec)), flags, MODE) {
        // A fifo without a reader, or a socket.
        Err(Failure::NXIO) => Err(Failure::NO_REGULAR),
        opened => opened,
    }?;
    match files::kind(file)? {
        REGULAR => Ok(file),
        _ => {
            sys::close(file);
            Err(Failure::NO_REGULAR)
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

/// When another logger is started, if there is none any more: without one, CMD would soon wait for room in the pipe.
pub struct Revival(Option<Time>);

/// So many seconds later it is tried again.
const PAUSE: u32 = 1;

impl Revival {
    pub const NONE: Revival = Revival(None);

    /// After the end of a logger. The keeper keeps its input open: so it was killed, or has failed and has printed why.
    #[must_use]
    pub fn of(end: Change) -> Revival {
        if matches!(end, Change::Killed(_)) {
            warn(say!("write the log"), c"", Failure::KILLED, say!("another process goes on with it"));
        }
        Revival(Some(sys::now().after(PAUSE)))
    }

    /// Starts another logger, if it is time.
    pub fn start(&mut self, keeper: &mut Launcher) {
        if self.0.is_some_and(|time| time.left() <= Time::NONE) {
            self.0 = start(keeper).is_err().then(|| sys::now().after(PAUSE));
        }
    }

    /// It is time now.
    pub fn hurry(&mut self) {
        self.0 = self.0.map(|_| sys::now());
    }

    /// How long a wait until then may last.
    #[must_use]
    pub fn left(&self, until: Option<Time>) -> Option<Time> {
        let is_sooner = |time: &Time| until.is_none_or(|until| *time < until);
        self.0.filter(is_sooner).or(until).map(Time::left)
    }
}

struct Logger<'a> {
    spec: &'a Spec<'a>,
    /// The directory of the log, and the log.
    place: Fd,
    file: Fd,
    /// How many bytes were lost since the last write that succeeded.
    lost: u64,
}

fn run(keeper: &Launcher) -> i32 {
    let (Some((place, file)), Some(pipe)) = (keeper.log, keeper.output) else { return failed() };
    let spec = &keeper.launch.spec;
    sys::set_name(c"nsinit-logger");
    if spec.detaches() {
        // The descriptor for messages is the caller's terminal. A reader may wait for the end of the other two.
        sys::end_messages();
        // This end cannot be written.
        descriptors::lead_output(pipe.read);
    }
    let _ = chdir(c"/");
    // Close our copy of the write end, or read(2) never returns the end of the file.
    sys::close(pipe.write);
    let _ = sys::close_all_but(&[], &[place, file, pipe.read].map(|fd| Kept::ours(Some(fd))));
    let mut logger = Logger { spec, place, file, lost: 0 };
    // The log may have been opened again since the keeper has opened it.
    logger.reopen();
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
    /// ENOMEM: there is no memory for what is read; others: see read(2).
    fn forever(&mut self, input: Fd) -> Done {
        let bytes = sys::pages(CHUNK)?;
        // A seccomp filter of the caller's may forbid signalfd(2): the log is then never opened again.
        let signals = sys::signals().ok();
        loop {
            let asked = if signals.is_some() { READABLE } else { 0 };
            let mut polled = [Polled::new(input, READABLE), Polled::new(signals.unwrap_or(input), asked)];
            let mut is_blind = false;
            match sys::poll(&mut polled, None) {
                Ok(_) => {}
                Err(Failure::INTR) => continue,
                // A filter forbids that too: read(2) waits.
                Err(_) => is_blind = true,
            }
            let [input_told, signals_told] = polled;
            if (is_blind || signals_told.told(READABLE)) && hears_hup(signals) {
                self.reopen();
            }
            if !is_blind && !input_told.told(READABLE) {
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
                    self.lost = rest.len() as u64;
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
