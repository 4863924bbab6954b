//! Ordered work as a list: rows walked by one loop. A row gives the order, the words of a message, `--explain`, and the
//! fault tests.
//!
//! Everything that a process does between its start and execve(2), or its supervision, is a row, forks included. With
//! `--explain` the same loop walks the same rows and prints them instead.

use core::ffi::CStr;

use crate::sys::PR_SET_DUMPABLE;
use rustix::process::{Pid, getpid};

use crate::report::hint;
use crate::report::message::{blame_hint, push_object, warn, write_line};
use crate::say;
use crate::spec::{Object, Spec, kinds};
use crate::state::{Launch, Process};
use crate::sys::{self, Done, Failure, Set, Signal, Standard};
use crate::text::{Say, Text};

/// The effect of a failed step on the launch.
#[derive(Clone, Copy)]
pub enum OnError {
    /// The launch ends, with one line and the exit status of a failure of nsinit.
    End,
    /// The launch goes on, after a warning with this hint.
    Warn(Say),
    /// The launch goes on without a message: no caller could use it.
    Ignore,
    /// The steps of this process end here without a message, and another process does the work instead.
    Leave,
}

/// The function that finds the hint for a failure.
#[derive(Clone, Copy)]
pub enum Ask {
    /// [`hint::of_call`]: the causes for which any system call is refused.
    Call,
    /// [`hint::of_map`]: the causes for which an id map is refused.
    Map,
}

/// One thing that a process does.
pub struct Step<P> {
    row: Row,
    run: fn(&mut P) -> Done,
}

/// A step as a message and `--explain` show it.
struct Row {
    says: Say,
    on_error: OnError,
    ask: Ask,
    on: Object,
    when: fn(&Spec<'_>) -> bool,
}

impl<P: Process> Step<P> {
    /// Whether it is done at all.
    #[must_use]
    pub fn is_asked(&self, spec: &Spec<'_>) -> bool {
        (self.row.when)(spec)
    }

    /// A step without an object, which is always done and whose failure ends the launch. `says` is the verb, with the
    /// preposition that leads to the object: `mount proc on`.
    #[must_use]
    pub const fn new(says: Say, run: fn(&mut P) -> Done) -> Step<P> {
        Step { row: Row { says, on_error: OnError::End, ask: Ask::Call, on: Object::None, when: |_| true }, run }
    }

    /// Its object, as the user wrote it.
    #[must_use]
    pub const fn on(mut self, on: Object) -> Step<P> {
        self.row.on = on;
        self
    }

    /// Whether it is done at all.
    #[must_use]
    pub const fn when(mut self, when: fn(&Spec<'_>) -> bool) -> Step<P> {
        self.row.when = when;
        self
    }

    /// The function that finds the hint for its failure.
    #[must_use]
    pub const fn ask(mut self, ask: Ask) -> Step<P> {
        self.row.ask = ask;
        self
    }

    /// The effect of its failure.
    #[must_use]
    pub const fn on_error(mut self, on_error: OnError) -> Step<P> {
        self.row.on_error = on_error;
        self
    }
}

impl Row {
    fn hint(&self, why: Failure) -> Say {
        match self.ask {
            Ask::Call => hint::of_call(why),
            Ask::Map => hint::of_map(why),
        }
        .hint()
    }

    /// Reports why the step failed. `reported`: the cause is reported already.
    #[inline(never)]
    fn failed(&self, spec: &Spec<'_>, why: Failure, reported: bool) -> Done {
        match self.on_error {
            OnError::End if reported => Err(Failure::REPORTED),
            OnError::End => Err(blame_hint(self.says, self.on.name(spec), why, self.hint(why))),
            OnError::Warn(hint) => {
                warn(self.says, self.on.name(spec), why, hint);
                Ok(())
            }
            OnError::Ignore => Ok(()),
            OnError::Leave => Err(Failure::REPORTED),
        }
    }

    /// Whether the step is to be done now. With `--explain` it is printed instead.
    #[inline(never)]
    fn is_done(&self, launch: &Launch) -> bool {
        let asked = (self.when)(&launch.spec);
        if asked && launch.explains() {
            explain_line(self.says, self.on.name(&launch.spec));
        }
        asked && !launch.explains()
    }

    /// Whether a failure ends the launch.
    const fn ends(&self) -> bool {
        matches!(self.on_error, OnError::End)
    }
}

/// Does the steps in order, until the failure of one ends the launch. With `--explain` it prints them instead.
///
/// # Errors
/// [`Failure::REPORTED`]: the line is written.
pub fn walk<P: Process>(steps: &[Step<P>], process: &mut P) -> Done {
    for Step { row, run } in steps {
        if row.is_done(process.launch())
            && let Err(why) = run(process)
        {
            let reported = row.ends() && process.abort();
            row.failed(&process.launch().spec, why, reported)?;
        }
    }
    Ok(())
}

/// One line of `--explain`.
pub fn explain_line(says: Say, on: &CStr) {
    let mut line = Text::new();
    push_object(line.push(b"  ").say(says), on);
    write_line(Standard::Output, &mut line);
}

/// A line of `--explain` with kinds of namespaces (CLONE_NEW*).
pub fn explain_namespaces(says: Say, made: u32) {
    let mut line = Text::new();
    line.push(b"  ").say(says);
    for (kind, path) in kinds::all() {
        if made & kind != 0 {
            line.byte(b' ').push(kinds::name(path));
        }
    }
    write_line(Standard::Output, &mut line);
}

/// The line of `--explain` above the steps of a process.
pub fn explain_title(title: Say) {
    write_line(Standard::Output, Text::new().say(title));
}

/// While SIGCHLD is ignored no child leaves an exit status (wait(2)).
#[must_use]
pub const fn stop_ignoring_children<P: Process>() -> Step<P> {
    Step::new(say!("stop ignoring SIGCHLD"), |process| {
        process.launch().caller.child_ignored = sys::set_ignored(Signal::CHLD, false)?;
        Ok(())
    })
}

/// From here on nsinit takes one signal after the other. The caller's mask is kept for the command.
#[must_use]
pub const fn block_signals<P: Process>() -> Step<P> {
    Step::new(say!("block all signals"), |process| {
        let (mask, launch) = (sys::set_mask(Set::ALL)?, process.launch());
        // The keeper has blocked them already, and has stored the caller's mask.
        if !launch.spec.is_kept() {
            launch.caller.mask = mask;
        }
        Ok(())
    })
}

/// New files then get exactly the mode that a step names. The caller's mask is kept for the command.
#[must_use]
pub const fn clear_umask<P: Process>() -> Step<P> {
    Step::new(say!("clear the umask"), |process| {
        process.launch().caller.umask = sys::umask(0)?;
        Ok(())
    })
}

/// No process may trace this one or read its memory, while it has other rights and descriptors than the command (prctl(2),
/// PR_SET_DUMPABLE). A change of credentials undoes it.
#[must_use]
pub const fn untraceable<P: Process>() -> Step<P> {
    Step::new(say!("become untraceable"), |_| sys::prctl(PR_SET_DUMPABLE, 0))
}

/// Calls `body`, which changes nothing, with SIGHUP, SIGINT, SIGQUIT and SIGTERM unblocked: each ends the process. A call that
/// waits for a file system that does not answer ends for nothing else. For process 1 of a pid namespace the kernel would
/// drop the signal (pid_namespaces(7)).
pub fn mortal<T>(body: impl FnOnce() -> T) -> T {
    const MORTAL: Set = Set::ALL.without(Signal::HUP).without(Signal::INT).without(Signal::QUIT).without(Signal::TERM);
    let mortal = getpid() != Pid::INIT && sys::set_mask(MORTAL).is_ok();
    let result = body();
    if mortal {
        let _ = sys::set_mask(Set::ALL);
    }
    result
}

/// For steps of a container, a new one or one that exists.
#[must_use]
pub fn contained(spec: &Spec<'_>) -> bool {
    spec.contained()
}
