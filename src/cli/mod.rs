//! From the arguments to a Spec.
//!
//! Each line uses only lines above it. A test reads the sources and checks.
//!
//! ```text
//! complaint         what is wrong with an argument
//! words             lists of words: from the kernel, from a text, from a descriptor
//! quoting           how a text is split into words
//! args_file         a file that holds a command line
//! values            the values of options
//! env               variables for the command
//! builder           the Spec under construction, and the work that follows the last option
//! texts             what tini, dumb-init and catatonit print about their options
//! rows              the option tables: what a row is, what a vocabulary is
//! usage             the list of options
//! nearest           the option that the user probably meant
//! dialects          a file a vocabulary: its options, texts, wording and exit statuses
//! parse             the one parsing loop
//! cli               this file: from the name and the arguments to a draft
//! kernel_root       `root=` on the kernel's command line, as options
//! services          the options of the services of a machine
//! kernel_cmdline    the options of its first process
//! fuzz              what the targets in fuzz/ call; in no program
//! no_machine        in its place, in a build without the feature boot
//! ```
//!
//! A new vocabulary is a file in `dialects`, and a line in the list there.

#[cfg(feature = "boot")]
mod args_file;
pub mod builder;
mod complaint;
mod dialects;
#[cfg(feature = "env")]
mod env;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
#[cfg(feature = "boot")]
pub mod kernel_cmdline;
#[cfg(feature = "boot")]
mod kernel_root;
mod nearest;
#[cfg(not(feature = "boot"))]
pub mod no_machine;
mod parse;
#[cfg(feature = "boot")]
mod quoting;
pub mod rows;
#[cfg(any(feature = "bwrap", feature = "catatonit", feature = "dumb-init", feature = "tini"))]
mod texts;
#[cfg(not(any(feature = "bwrap", feature = "catatonit", feature = "dumb-init", feature = "tini")))]
mod texts {
    /// No vocabulary of this build has such texts.
    pub struct Texts;

    impl Texts {
        pub const NONE: Texts = Texts;
    }
}
#[cfg(feature = "services")]
pub mod services;
#[cfg(feature = "help")]
mod usage;
#[cfg(not(feature = "services"))]
pub mod services {
    #[cfg(feature = "boot")]
    use engine::spec::Spec;
    #[cfg(feature = "boot")]
    use engine::sys::Start;

    /// There are none in this build.
    pub fn print() -> i32 {
        0
    }

    /// None.
    #[cfg(feature = "boot")]
    pub fn all(_: &Spec<'static>, _: &'static Start) -> &'static mut [engine::supervise::services::Service] {
        &mut []
    }
}
mod values;
pub mod words;

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use engine::report::message;
use engine::run;
use engine::spec::rooms;
#[cfg(feature = "boot")]
use engine::spec::validate;
use engine::sys::{Argv, Start};
use engine::text;

use builder::{Asked, Draft};
use complaint::{Bad, Complaint, Form, Kind};
use rows::Vocabulary;
use words::List;

/// The vocabulary of the name that nsinit was started under; `None`: it is not in this build.
pub fn choose(program: &CStr) -> Option<&'static Vocabulary> {
    let base = words::base(program);
    let is_named = |names: &str| text::place(names.as_bytes(), base).is_some();
    if dialects::MISSING.iter().any(|names| is_named(names)) {
        return None;
    }
    Some(dialects::OTHERS.iter().find(|other| is_named(other.names)).map_or(dialects::NATIVE, |other| other))
}

/// A command line. Reading it has no effect on the process; [`CommandLine::carry_out`] comes after.
pub struct CommandLine {
    vocabulary: &'static Vocabulary,
    program: &'static CStr,
    pub draft: Draft,
    /// The command with its arguments, if there is one.
    command: Result<Argv<'static>, Bad>,
    /// [`leave_file`] was called.
    has_left: bool,
}

impl CommandLine {
    /// Never freed: the process ends or executes another program.
    #[inline(never)]
    pub fn new(vocabulary: &'static Vocabulary, program: &'static CStr, start: &Start) -> ManuallyDrop<CommandLine> {
        let draft = Draft::new(start.env);
        ManuallyDrop::new(CommandLine { vocabulary, program, draft, command: Ok(Argv::NONE), has_left: false })
    }

    /// Reads a list of words. Before it reads the descriptor of `--args`, nsinit leaves its own file: that may execute nsinit
    /// again, and a pipe can be read only once.
    pub fn read(&mut self, list: List, start: &Start) {
        let has_left = &mut self.has_left;
        let mut source = |draft: &mut Draft, fd| {
            if rooms::CONTAINER && !*has_left {
                // The command is not known yet. Any word below /proc may be the command, and may be nsinit itself.
                let mut words = list.iter().map(|word| word.get().text());
                let command = words.find(|word| word.to_bytes().starts_with(b"/proc/"));
                leave_file(command.unwrap_or_default(), false, start)?;
                *has_left = true;
            }
            draft.words_of(fd)
        };
        self.command = parse::arguments(self.vocabulary, list, &mut self.draft, &mut source);
    }

    /// Reads a list that has options only.
    #[cfg(feature = "boot")]
    pub fn read_options(&mut self, list: List) {
        let before = self.draft.complaint;
        match parse::options(self.vocabulary, list, &mut self.draft) {
            Ok(_) => self.draft.complaint = before,
            Err(bad) => self.command = Err(bad),
        }
    }

    /// Carries out the options that change nsinit itself, in this order, and completes the Spec.
    ///
    /// # Errors
    /// The exit status, after the message.
    pub fn carry_out(&mut self, start: &Start) -> Result<(), i32> {
        self.draft.settle_messages();
        let argv = self.command.map_err(|bad| self.complain(bad))?;
        if self.draft.asked.is_text() {
            return Ok(());
        }
        if self.draft.asked == Asked::Run && self.draft.needs_to_leave_file() && !self.has_left {
            leave_file(argv.command(), self.draft.leaves_file_inside(), start).map_err(|bad| self.complain(bad))?;
        }
        self.draft.settle_descriptors().map_err(|bad| self.complain(bad))?;
        self.draft.settle_forms().map_err(|bad| self.complain(bad))?;
        self.draft.settle_ids().map_err(|bad| self.complain(bad))?;
        self.draft.spec.exec.argv = argv;
        (self.vocabulary.end)(&mut self.draft);
        self.draft.finish().map_err(message::refuse)
    }

    /// Completes the Spec. Returns whether there is a command to run; if not, prints the reason.
    #[cfg(feature = "boot")]
    pub fn is_meant(&mut self, start: &'static Start) -> bool {
        if self.carry_out(start).is_err() {
            return false;
        }
        match self.draft.asked {
            Asked::Run | Asked::Explain => {}
            asked => {
                self.print(asked);
                return false;
            }
        }
        if let Err(fault) = validate::check(&self.draft.spec) {
            let _ = fault.report();
            return false;
        }
        if self.draft.asked == Asked::Explain {
            run::print_steps(&self.draft.spec, start);
        }
        self.draft.asked == Asked::Run
    }

    fn complain(&self, bad: Bad) -> i32 {
        match bad {
            Bad::Complaint => (self.vocabulary.complain)(&self.vocabulary.texts, &self.draft.complaint, self.program),
            Bad::Reported => message::failed(),
        }
    }

    /// Prints that no command is given. Returns the exit status.
    pub fn complain_of_no_command(&self) -> i32 {
        let complaint = Complaint::new(Kind::CommandMissing, Form(b""), c"");
        (self.vocabulary.complain)(&self.vocabulary.texts, &complaint, self.program)
    }

    /// Prints a text.
    pub fn print(&self, asked: Asked) {
        (self.vocabulary.print)(&self.vocabulary.texts, asked, self.program);
    }
}

fn leave_file(command: &CStr, inside: bool, start: &Start) -> Result<(), Bad> {
    run::leave_file(command, inside, start).map_err(|why| {
        let _ = message::give_up(why);
        Bad::Reported
    })
}
