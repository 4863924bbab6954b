//! What the targets in fuzz/ call: a command line is read and judged as in a launch, but nothing is done. It is in no program.

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use engine::report::message::refuse;
use engine::report::wording;
use engine::spec::{Spec, validate};
use engine::sys::{Argv, Env};

use super::builder::{Asked, Draft};
#[cfg(feature = "boot")]
use super::kernel_cmdline;
#[cfg(feature = "boot")]
use super::kernel_root::Root;
use super::{CommandLine, dialects, parse, words};

/// Reads the words of a command line, a NUL after each, under the name `program`; the descriptor of `--args` holds `more`. Returns
/// the Spec; `None` after a message or a text.
#[must_use]
pub fn of_words(program: &'static CStr, text: &'static [u8], more: &'static [u8]) -> Option<Spec<'static>> {
    let mut line = new(program)?;
    let list = words::of_text(text);
    line.command = parse::arguments(line.vocabulary, list, &mut line.draft, &mut |_, _| Ok(words::of_text(more)));
    judge(&mut line)
}

/// Reads the kernel's command line, as the first process of a machine does.
#[cfg(feature = "boot")]
#[must_use]
pub fn of_kernel(text: &[u8]) -> Option<Spec<'static>> {
    let mut line = new(c"init")?;
    line.vocabulary = dialects::NATIVE;
    let (mut after, mut more, mut root) = (Vec::new(), Vec::new(), Root::new());
    kernel_cmdline::sort(text, &mut after, &mut more, &mut root);
    if after.is_empty() {
        line.draft.spec.machine.root = root.words(&[], &mut after);
    }
    line.draft.spec.machine.boots = true;
    let list = words::of_text(after.leak());
    // A descriptor has no words here.
    line.command = parse::arguments(line.vocabulary, list, &mut line.draft, &mut |_, _| Ok(words::of_text(b"")));
    line.read_options(words::of_text(more.leak()));
    judge(&mut line)
}

fn new(program: &'static CStr) -> Option<ManuallyDrop<CommandLine>> {
    let vocabulary = super::choose(program)?;
    wording::choose(vocabulary.wording);
    let draft = Draft::new(Env::NONE);
    let mut line = CommandLine { vocabulary, program, draft, command: Ok(Argv::NONE), has_left: false };
    (vocabulary.begin)(&mut line.draft).ok()?;
    Some(ManuallyDrop::new(line))
}

/// As [`CommandLine::carry_out`] and `answer` in src/main.rs, without effects.
fn judge(line: &mut CommandLine) -> Option<Spec<'static>> {
    line.draft.settle_messages();
    match line.command {
        Err(bad) => {
            let _ = line.complain(bad);
            None
        }
        Ok(_) if line.draft.asked.is_text() => {
            line.print(line.draft.asked);
            None
        }
        Ok(argv) => {
            if let Err(bad) = line.draft.settle_ids() {
                let _ = line.complain(bad);
                return None;
            }
            line.draft.spec.exec.argv = argv;
            (line.vocabulary.end)(&mut line.draft);
            if let Err(why) = line.draft.finish() {
                let _ = refuse(why);
                return None;
            }
            let runs = matches!(line.draft.asked, Asked::Run | Asked::Explain);
            if runs && line.vocabulary.needs_command && argv.is_none() {
                let _ = line.complain_of_no_command();
                return None;
            }
            let spec = &mut line.draft.spec;
            match validate::check(spec) {
                Err(fault) if line.vocabulary.makes_containers => {
                    let _ = fault.report();
                    None
                }
                _ => runs.then_some(*spec),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Once;

    use engine::sys::{self, files};
    use proptest::prelude::*;
    use rustix::fs::OFlags;

    use super::*;

    /// The options of the native vocabulary that print no text, and values for them.
    fn soup() -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        let mut vocabulary = Some(dialects::NATIVE);
        while let Some(rows) = vocabulary {
            let names = rows.lines().filter(|row| !row.is_title()).map(|row| row.form.name().to_vec());
            all.extend(names.filter(|name| !matches!(&name[..], b"--help" | b"--version")));
            vocabulary = rows.more;
        }
        let values =
            b" -- - / a 0 1:2 -1 4294967296 fd:9999 ALL nofile=1:2 host pasta:-t,80 veth:a,ip=10.0.0.1/24,gw=10.0.0.1 \
              root TERM:INT 500ms 64M 5/60 on-failure /dev/null";
        let values = values.split(|byte| *byte == b' ');
        all.extend(values.map(<[u8]>::to_vec));
        all
    }

    /// Messages are not what is tested.
    static QUIET: Once = Once::new();

    proptest! {
        /// Without fuzzing: a handful of command lines. scripts/fuzz has more time.
        #[test]
        fn every_command_line_is_a_launch_or_a_message(words in prop::collection::vec(prop::sample::select(soup()), 0..8)) {
            QUIET.call_once(|| {
                let null = files::open_path(c"/dev/null", OFlags::WRONLY);
                sys::send_messages(null.unwrap_or_else(|_| panic!("/dev/null can be opened")));
            });
            let text: Vec<u8> = words.iter().flat_map(|word| word.iter().copied().chain([0])).collect();
            let spec = of_words(c"nsinit", text.clone().leak(), b"");
            prop_assert!(spec.is_none_or(|spec| !spec.exec.argv.is_none()));
            #[cfg(feature = "boot")]
            let _ = of_kernel(&text.iter().map(|byte| if *byte == 0 { b' ' } else { *byte }).collect::<Vec<u8>>());
        }
    }
}
