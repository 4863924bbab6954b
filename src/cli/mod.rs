//! From the arguments to a Spec.
//!
//! Each line uses only lines above it. A test reads the sources and checks.
//!
//! ```text
//! complaint         what is wrong with an argument
//! words             lists of words: from the kernel, from a text, from a descriptor
//! values            the values of options
//! env               variables for the command
//! builder           the Spec under construction, and the work that follows the last option
//! texts             what tini, dumb-init and catatonit print about their options
//! rows              the option tables: what a row is, what a vocabulary is
//! usage             the list of options
//! dialects          a file a vocabulary: its options, texts, wording and exit statuses
//! parse             the one parsing loop
//! cli               this file: from the name and the arguments to a draft
//! kernel_cmdline    the options of the first process of a machine
//! ```
//!
//! A new vocabulary is a file in `dialects`, and a line in the list there.

pub mod builder;
mod complaint;
mod dialects;
mod env;
pub mod kernel_cmdline;
mod parse;
pub mod rows;
mod texts;
mod usage;
mod values;
pub mod words;

use core::ffi::CStr;

use engine::report::message;
use engine::run;
use engine::sys::{Argv, Start};
use engine::text;

use builder::{Asked, Draft};
use complaint::{Bad, Complaint, Form, Kind};
use rows::Vocabulary;
use words::List;

/// The vocabulary of the name that nsinit was started under.
pub fn choose(program: &CStr) -> &'static Vocabulary {
    let base = words::base(program);
    for vocabulary in dialects::OTHERS {
        let mut names = vocabulary.names.as_bytes();
        while let Some(name) = text::word(&mut names, b' ') {
            if name == base {
                return vocabulary;
            }
        }
    }
    dialects::NATIVE
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
    #[inline(never)]
    pub fn new(vocabulary: &'static Vocabulary, program: &'static CStr, start: &Start) -> CommandLine {
        let draft = Draft::new(start.env);
        CommandLine { vocabulary, program, draft, command: Ok(Argv::NONE), has_left: false }
    }

    /// Reads a list of words. Before it reads the descriptor of `--args`, nsinit leaves its own file: that may execute nsinit
    /// again, and a pipe can be read only once.
    pub fn read(&mut self, list: List, start: &Start) {
        let has_left = &mut self.has_left;
        let mut source = |draft: &mut Draft, fd| {
            if !*has_left {
                // The command is not known yet. Any word below /proc may be the command, and may be nsinit itself.
                let mut words = list.iter().map(|word| word.get().text());
                let command = words.find(|word| word.to_bytes().starts_with(b"/proc/"));
                leave_file(command.unwrap_or_default(), start)?;
                *has_left = true;
            }
            draft.words_of(fd)
        };
        self.command = parse::arguments(self.vocabulary, list, &mut self.draft, &mut source);
    }

    /// Reads a list that has options only.
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
            leave_file(argv.command(), start).map_err(|bad| self.complain(bad))?;
        }
        self.draft.settle_descriptors().map_err(|bad| self.complain(bad))?;
        self.draft.spec.exec.argv = argv;
        (self.vocabulary.end)(&mut self.draft);
        self.draft.finish().map_err(message::refuse)
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

fn leave_file(command: &CStr, start: &Start) -> Result<(), Bad> {
    run::leave_file(command, start).map_err(|why| {
        let _ = message::give_up(why);
        Bad::Reported
    })
}
