//! The command line of a machine's first process: the words after ` -- ` on the kernel's command line, or a file.

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use engine::fs::procfs;
use engine::process::machine;
pub use engine::process::machine::is_whole_machine;
use engine::report::message::warn;
use engine::rootfs::initramfs;
use engine::run::What;
use engine::spec::rooms;
use engine::state::Launch;
use engine::sys::files;
use engine::sys::{Failure, Slot, Start};
use engine::text::Say;
use engine::{run, say, text};
use rustix::fs::OFlags;

use super::CommandLine;
use super::args_file;
use super::builder::Draft;
use super::dialects::NATIVE;
use super::env::SWITCHED;
use super::kernel_root::Root;
use super::quoting;
use super::services;
use super::words::{self, List};

/// The file with the command line. It is used if the kernel's command line has no words for nsinit.
const FILE: &CStr = c"/etc/nsinit.args";

/// A word of the kernel's command line with this prefix is an option: `nsinit.NAME=VALUE` is `--NAME=VALUE`.
const PREFIX: &[u8] = b"nsinit.";

/// Prepares the machine, runs the command, and never returns. `whole`: nsinit is the kernel's first process, and its arguments
/// are the words that the kernel did not recognize, or those of a program that has executed it. `read`: the arguments, if they
/// have been read already.
pub fn boot(start: &'static Start, whole: bool, read: Option<&mut CommandLine>) -> ! {
    let mut shell = ManuallyDrop::new(Draft::new(start.env));
    let machine = &mut shell.spec.machine;
    (machine.boots, machine.is_whole) = (true, whole);
    let mut launch = Launch::new(&shell.spec, start);
    let _ = machine::prepare(&mut launch);
    // If the command line cannot be read, not even a shell is run.
    let mut runs = true;
    let mut own = CommandLine::new(NATIVE, c"", start);
    let line = match read {
        Some(line) => line,
        None => {
            let (mut list, mut more) = (start.args, Vec::new());
            let (mut open, mut root) = (false, Root::new());
            // In a container the kernel's command line is the host's.
            if whole && !start.env.words().any(|pair| pair == SWITCHED) {
                let mut line = Vec::new();
                let found = of_kernel(&mut line, &mut more, &mut root, list);
                open = found == Some(false);
                // Otherwise another program has executed nsinit, with words of its own.
                if found.is_some() || list.len() <= 2 {
                    runs = found == Some(true);
                    list = words::of_text(line.leak());
                }
            }
            if list.len() <= 2 && !open {
                let mut line = Vec::new();
                let found = args_file::words(FILE, &mut line);
                if found.is_none() && runs && initramfs::is_kernels_root() == Ok(true) {
                    own.draft.spec.machine.root = root.words(start.args, &mut line);
                }
                runs = found.unwrap_or(runs);
                list = words::of_text(line.leak());
            }
            own.draft.spec.machine.boots = true;
            own.read(list, start);
            own.read_options(words::of_text(more.leak()));
            &mut *own
        }
    };
    let machine = &mut line.draft.spec.machine;
    (machine.boots, machine.is_whole) = (true, whole);
    let alone = line.command.is_ok_and(|command| command.is_none());
    runs = runs && line.is_meant(start);
    let _ = shell.finish();
    let spec = &line.draft.spec;
    let services = if runs { services::all(spec, start) } else { &mut [] };
    // Without a command the services are all that runs. Each terminal of --console gets a command of its own.
    let first =
        if services.is_empty() || !alone && spec.machine.consoles.is_empty() { What::Command } else { What::Services };
    run::run_machine(spec, &shell.spec, runs.then_some(first), services, &launch)
}

/// Appends the words after ` -- ` to `line`, and the options before it to `more`, a NUL after each. Returns whether they are
/// complete. `None`: the words in `args` are not those of the kernel, and `line` is empty; or, after a message, the command line
/// cannot be read.
fn of_kernel(line: &mut Vec<u8>, more: &mut Vec<u8>, root: &mut Root, args: List) -> Option<bool> {
    const PLACE: &CStr = c"/proc/cmdline";
    let text =
        procfs::open().and_then(|proc| files::open(proc, c"cmdline", OFlags::RDONLY)).and_then(args_file::content);
    let text = text.map_err(|why| warn(say!("read"), PLACE, why, Say::NOTHING)).ok()?;
    let closed = sort(text, line, more, root);
    if !is_handed(text, args) {
        line.clear();
        *root = Root::new();
        return None;
    }
    if !closed {
        warn(say!("read"), PLACE, Failure::OPEN_QUOTE, args_file::NOTHING_RUNS);
    }
    Some(closed)
}

/// Appends the words after ` -- ` to `line`, and the options before it to `more`, a NUL after each; `root` notes those before it too.
/// Before it, the kernel's quotes count. Returns whether all quotes are closed, as far as words for nsinit depend on that.
pub fn sort(text: &[u8], line: &mut Vec<u8>, more: &mut Vec<u8>, root: &mut Root) -> bool {
    let (mut rest, mut word) = (text, Vec::new());
    while let Some(closed) = quoting::of_kernel(&mut rest, &mut word) {
        if word == b"--" {
            return quoting::of_text(rest, false, &mut |word| args_file::push(line, b"", word));
        }
        if let Some(option) = text::after(&word, PREFIX) {
            args_file::push(more, b"--", option);
        } else if rooms::ROOT_DEVICE {
            root.note(&word);
        }
        // The quote has swallowed the words for nsinit.
        if !closed && word.windows(4).any(|four| four == b" -- ") {
            return false;
        }
        word.clear();
    }
    true
}

/// Whether the arguments are those that the kernel passes to its first process: the words before ` -- ` that it does not
/// recognize, and the words behind, up to another `--`. A program that passes on its own arguments is like the kernel, and so is
/// one that passes none.
fn is_handed(text: &[u8], args: List) -> bool {
    let (mut rest, mut dashes) = (text, 0);
    let mut lists = [const { Vec::new() }; 2];
    loop {
        let mut word = Vec::new();
        if quoting::of_kernel(&mut rest, &mut word).is_none() {
            break;
        }
        if word == b"--" {
            dashes += 1;
        } else if let Some(list) = lists.get_mut(dashes) {
            list.push(word);
        }
    }
    let [before, behind] = lists;
    let args = args.get(1..args.len() - 1).unwrap_or_default();
    let same = |arg: &Slot, word: &Vec<u8>| arg.get().text().to_bytes() == word;
    let Some((some, rest)) = args.len().checked_sub(behind.len()).and_then(|count| args.split_at_checked(count)) else {
        return args.is_empty();
    };
    let mut before = before.iter();
    args.is_empty()
        || rest.iter().zip(&behind).all(|(arg, word)| same(arg, word))
            && some.iter().all(|arg| before.any(|word| same(arg, word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed(text: &str, args: &'static [u8]) -> bool {
        is_handed(text.as_bytes(), words::of_text(args))
    }

    #[test]
    fn words_that_the_kernel_hands_over_are_recognized() {
        let line = "root=/dev/vda splash x=\"a b\" init=/sbin/nsinit \"two words\" -- --root=\"/a\" cmd -- more";
        assert!(handed(line, b"") && handed(line, b"--root=/a\0cmd\0") && handed(line, b"splash\0--root=/a\0cmd\0"));
        assert!(handed(line, b"splash\0two words\0--root=/a\0cmd\0"));
        for other in [
            &b"cmd\0"[..],
            b"more\0",
            b"--root=/a\0",
            b"--root=/a\0cmd\0more\0",
            b"two words\0splash\0--root=/a\0cmd\0",
            b"single\0--root=/a\0cmd\0",
        ] {
            assert!(!handed(line, other), "{}", String::from_utf8_lossy(other));
        }
        assert!(handed("a b", b"a\0") && handed("a b", b"") && !handed("a b", b"c\0") && !handed("", b"c\0"));
    }

    /// The words of a command line, and whether its quotes are closed.
    fn sorted(text: &str) -> (String, String, bool) {
        let (mut line, mut more) = (Vec::new(), Vec::new());
        let closed = sort(text.as_bytes(), &mut line, &mut more, &mut Root::new());
        let [line, more] = [line, more].map(|list| String::from_utf8_lossy(&list).replace('\0', ";"));
        (line, more, closed)
    }

    #[test]
    fn kernels_quotes_count_before_the_dashes() {
        for (text, line, more, closed) in [
            ("a=bob's-box nsinit.name=\"b c\" -- echo 'a b'\n", "echo;a b;", "--name=b c;", true),
            ("#old nsinit.respawn -- echo # x", "echo;#;x;", "--respawn;", true),
            ("\"--\" a -- b", "a;--;b;", "", true),
            ("-- echo 'it", "echo;it\n;", "", false),
            ("a=\"b -- echo hi", "", "", false),
            // What the kernel accepts, and nsinit does not need.
            ("a=\"b", "", "", true),
        ] {
            assert_eq!(sorted(text), (line.to_owned(), more.to_owned(), closed), "{text}");
        }
    }
}
