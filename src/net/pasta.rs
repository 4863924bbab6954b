//! `--net pasta`: pasta(1) connects the container of an ordinary user to the caller's network. It is a program of its own, and copies
//! between sockets and a tap device in the container's network namespace.
//!
//! It runs in the foreground as a child of the launcher, and the kernel kills it when the launcher ends. It prints its process id to
//! the file of `--pid` when it is ready: that is its standard output, a pipe to the launcher.

use core::cell::Cell;
use core::ffi::CStr;

use rustix::fs::OFlags;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, setsid};

use crate::ns::program;
use crate::report::hint;
use crate::report::message::{blame, blame_hint, warning};
use crate::say;
use crate::state::{Launch, Launcher, Outside, Pipe};
use crate::step::mortal;
use crate::sys::files::{self, Fd, read};
use crate::sys::{self, Change, Done, Failure, PR_SET_PDEATHSIG, Signal, Standard, Word, c_str};
use crate::text::{self, Short, Text};

const PROGRAM: &CStr = c"pasta";

/// The arguments before those of the user: it stays in the foreground, prints errors only, and configures the interface inside.
static ALWAYS: [&CStr; 6] = [PROGRAM, c"--foreground", c"--quiet", c"--config-net", c"--pid", c"/proc/self/fd/1"];

/// An argument that closes what pasta would open by itself, and the options by which the user chooses. Without them pasta forwards
/// every port that a process listens on, in both directions, and maps the gateway's address to the caller's loopback interface.
struct Default {
    words: [&'static CStr; 2],
    short: &'static [u8],
    long: &'static [u8],
}

const fn ports(short: &'static CStr, long: &'static [u8]) -> Default {
    Default { words: [short, c"none"], short: short.to_bytes(), long }
}

static DEFAULTS: [Default; 5] = [
    ports(c"-t", b"--tcp-ports"),
    ports(c"-u", b"--udp-ports"),
    ports(c"-T", b"--tcp-ns"),
    ports(c"-U", b"--udp-ns"),
    // Its own option is one without a value.
    Default { words: [c"--no-map-gw", c""], short: b"--map-gw", long: b"--no-map-gw" },
];

/// The most arguments that the user can give.
pub const OPTIONS: usize = 64;
/// The most bytes of them.
pub const LENGTH: usize = 4000;

/// The arguments, the defaults with two words each, the user's, the process, and the end.
const WORDS: usize = ALWAYS.len() + 2 * DEFAULTS.len() + OPTIONS + 2;

/// Whether these can be passed on: as many, of that length, and each an option or perhaps its value. pasta would execute any other word.
#[must_use]
pub fn fits(options: &[u8]) -> bool {
    let mut may_have_value = false;
    let are_options = each(options).all(|word| {
        let is_option = word.starts_with(b"-");
        core::mem::replace(&mut may_have_value, is_option) || is_option
    });
    are_options && options.len() <= LENGTH && options.iter().filter(|byte| **byte == b',').count() < OPTIONS
}

/// The user's arguments; an empty one is left out.
fn each(mut options: &[u8]) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || text::word(&mut options, b',')).filter(|word| !word.is_empty())
}

impl Default {
    /// Whether the user has chosen.
    fn is_replaced(&self, options: &[u8]) -> bool {
        each(options).any(|word| word.starts_with(self.short) || text::first(word, b'=') == self.long)
    }
}

/// Starts pasta for the namespaces of process 1, and waits until the network is complete.
///
/// # Errors
/// Reported. ENOENT: it is not installed; [`Failure::HELPER`]: it has failed; others: see fork(2) and execve(2).
#[inline(never)]
pub fn start(launcher: &mut Launcher) -> Done {
    let launch = &launcher.launch;
    let options = launch.spec.net.pasta.unwrap_or_default().to_bytes();
    let mut own = Text::new();
    each(options).filter(|word| *word != b"--map-gw").for_each(|word| {
        own.push(word).byte(0);
    });
    let mut process = Short::new();
    process.push_number(launcher.outside.container.get()?.as_raw_nonzero().get().unsigned_abs());
    let mut words = [Word::END; WORDS];
    let [places @ .., _end] = &mut words;
    let mut places = places.iter_mut();
    let mut put = |word| {
        if let Some(place) = places.next() {
            *place = Word::new(word);
        }
    };
    ALWAYS.iter().for_each(|word| put(word));
    for default in DEFAULTS.iter().filter(|default| !default.is_replaced(options)) {
        default.words.iter().filter(|word| !word.is_empty()).for_each(|word| put(word));
    }
    let mut rest = own.bytes();
    while !rest.is_empty() {
        let word = c_str(rest);
        rest = rest.get(word.count_bytes() + 1..).unwrap_or_default();
        put(word);
    }
    put(process.c_str());

    let (pipe, null) = (Pipe::new(PipeFlags::empty())?, files::open_path(c"/dev/null", OFlags::RDWR)?);
    let failure = Cell::new(Failure::CHILD);
    let child = sys::spawn(execute, &(launch, words.as_slice(), pipe.write, null, &failure))
        .map_err(|why| blame_hint(say!("fork"), PROGRAM, why, hint::of_fork(why).hint()))?;
    // Close our copy of the write end, or read(2) never returns the end of the file.
    [pipe.write, null].into_iter().for_each(sys::close);
    launcher.outside.pasta = Some(child);
    let is_ready = is_ready(pipe.read);
    sys::close(pipe.read);
    if is_ready {
        return Ok(());
    }
    end(&mut launcher.outside);
    Err(match failure.get() {
        Failure::CHILD => {
            blame_hint(say!("start"), PROGRAM, Failure::HELPER, hint::of_map_helper(Failure::HELPER).hint())
        }
        why => blame_hint(say!("execute"), PROGRAM, why, hint::of_pasta(why).hint()),
    })
}

/// Waits for the number, or for the end of the process.
fn is_ready(from: Fd) -> bool {
    let mut first = [0u8; 16];
    loop {
        match mortal(|| read(from, &mut first)) {
            Err(Failure::INTR) => {}
            // Anything else is the answer to an option such as --version.
            told => return told.is_ok_and(|length| length > 0) && first.first().is_some_and(u8::is_ascii_digit),
        }
    }
}

/// Becomes pasta. Returns only if that failed.
fn execute((launch, words, output, null, failure): &(&Launch, &[Word<'_>], Fd, Fd, &Cell<Failure>)) -> i32 {
    failure.set(match prepare(launch, *output, *null) {
        Ok(()) => program::execute(PROGRAM, words, launch),
        Err(why) => why,
    });
    1
}

fn prepare(launch: &Launch, output: Fd, null: Fd) -> Done {
    sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned())?;
    // The launcher may have ended before.
    if !sys::is_child_of(Some(launch.launcher))? {
        return Err(Failure::CHILD);
    }
    // What is typed at the terminal is for the container.
    setsid()?;
    // It refuses to start while SIGPIPE is ignored.
    let _ = sys::set_ignored(Signal::PIPE, false);
    sys::put(Standard::Input, null)?;
    sys::put(Standard::Output, output)?;
    sys::close_all_but(&[], &[])
}

/// Whether pasta has ended by itself. It is reaped then.
pub fn has_ended(outside: &mut Outside) -> bool {
    let ended = outside.pasta.is_some_and(|process| {
        matches!(sys::wait4(Some(process), false), Ok(Some((_, Change::Exited(_) | Change::Killed(_)))))
    });
    if ended {
        outside.pasta = None;
    }
    ended
}

/// Says that pasta has ended before the container.
#[cold]
#[inline(never)]
pub fn warn_of_end() {
    warning(Text::new().push(b"pasta has ended: the container has no network any more"));
}

/// Ends pasta. It leaves nothing behind: its interface ends with the network namespace, its ports with the process.
pub fn end(outside: &mut Outside) {
    if let Some(process) = outside.pasta.take().map(Pid::as_raw_nonzero) {
        let _ = sys::kill(process.get(), Signal::KILL);
        if let Err(why) = sys::wait_end(process.get())
            && why != Failure::KILLED
        {
            blame(say!("wait for"), PROGRAM, why);
        }
    }
}
