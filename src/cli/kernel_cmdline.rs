//! The command line of a machine's first process: what the kernel's own says behind ` -- `, or a file.

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use engine::fs::procfs;
use engine::process::machine;
use engine::report::message::{refuse, warn};
use engine::spec::validate;
use engine::spec::{Machine, Spec};
use engine::state::{Launch, descriptors};
use engine::sys::files::{self, Fd, HERE};
use engine::sys::{Failure, Start};
use engine::text::Say;
use engine::{run, say, text};
use rustix::fs::OFlags;

use super::builder::{Asked, Draft};
use super::{Bad, List, NATIVE, base, complain, content, list_of, print, read, try_out};

/// Where the command line is that holds if the kernel's has none.
const FILE: &CStr = c"/etc/nsinit.args";

/// A word of the kernel's command line that begins so is an option, `nsinit.NAME=VALUE`: `--NAME=VALUE`.
const PREFIX: &[u8] = b"nsinit.";

/// Prepares the machine, runs what is meant, and never returns. `whole`: it is the kernel's first process, whose arguments are
/// what the kernel itself did not understand.
pub fn boot(start: &'static Start, whole: bool) -> ! {
    let program = start.args.first().and_then(|word| word.get().get()).unwrap_or_default();
    let preset = Spec { machine: Machine { boots: true, is_whole: whole, ..Spec::PRESET.machine }, ..Spec::PRESET };
    let mut launch = Launch::new(&preset, start);
    let _ = machine::prepare(&mut launch);
    let (mut line, mut more) = (Vec::new(), Vec::new());
    // Whoever can't be told what to run is not to run a shell.
    let mut runs = true;
    let list = if base(program) == b"init" && (whole || start.args.len() <= 2) {
        // In a container the kernel's is the host's.
        runs = !whole || of_kernel(&mut line, &mut more);
        if line.is_empty() {
            runs = of_file(&mut line).unwrap_or(runs);
        }
        list_of(line.leak())
    } else {
        start.args
    };
    let more = list_of(more.leak());
    let meant = try_out(&NATIVE, list, start);
    let contained = meant.contained || try_out(&NATIVE, more, start).contained;
    if let Some(command) = meant.command.filter(|_| contained) {
        runs = runs && run::leave_file(command.command(), start).is_ok();
    }
    let mut draft = ManuallyDrop::new(Draft::new(start.env));
    draft.spec.machine = preset.machine;
    runs = runs && is_meant(list, more, &mut draft, start);
    let mut shell = ManuallyDrop::new(Draft::new(start.env));
    shell.spec.machine = preset.machine;
    let _ = shell.finish();
    run::run_machine(&draft.spec, &shell.spec, runs, &launch)
}

/// Fills the draft. Returns whether there is something to run; what is wrong with it is told.
fn is_meant(list: List, more: List, draft: &mut Draft, start: &'static Start) -> bool {
    let command = read(&NATIVE, list, false, draft);
    // What is to follow is to be known, whatever becomes of that.
    let command = read(&NATIVE, more, true, draft).and(command);
    draft.spec.machine.boots = true;
    match command {
        Ok(command) => draft.spec.exec.argv = command,
        Err(Bad) => {
            complain(&NATIVE, &draft.complaint, c"");
            return false;
        }
    }
    if let Err(why) = draft.finish() {
        let _ = refuse(why);
        return false;
    }
    match draft.asked {
        Asked::Run | Asked::Explain => {}
        asked => {
            print(&NATIVE, asked, c"");
            return false;
        }
    }
    if let Err(fault) = validate::check(&draft.spec) {
        let _ = fault.report();
        return false;
    }
    if draft.asked == Asked::Explain {
        run::explain(&draft.spec, start);
    }
    draft.asked == Asked::Run
}

/// Appends the words behind ` -- ` to `line`, and the options before it to `more`, each with a NUL. Returns whether they could be
/// read.
fn of_kernel(line: &mut Vec<u8>, more: &mut Vec<u8>) -> bool {
    let text = procfs::open().and_then(|proc| files::open(proc, c"cmdline", OFlags::RDONLY)).and_then(all);
    let Ok(text) = text.map_err(|why| warn(say!("read"), c"/proc/cmdline", why, Say::NOTHING)) else { return false };
    let mut behind = false;
    words(text, &mut |word| {
        if behind {
            push(line, b"", word);
        } else if word == b"--" {
            behind = true;
        } else if let Some(option) = text::after(word, PREFIX) {
            push(more, b"--", option);
        }
    });
    true
}

/// Returns whether it could be read, if there is one.
fn of_file(line: &mut Vec<u8>) -> Option<bool> {
    match files::open(HERE, FILE, OFlags::RDONLY).and_then(all) {
        Ok(text) => words(text, &mut |word| push(line, b"", word)),
        Err(Failure::NOENT) => return None,
        Err(why) => {
            warn(say!("read"), FILE, why, Say::NOTHING);
            return Some(false);
        }
    }
    Some(true)
}

fn all(file: Fd) -> Result<&'static [u8], Failure> {
    let content = content(descriptors::number(Some(file))).ok_or(Failure::IO)?;
    // The NUL is ours.
    Ok(content.get(..content.len() - 1).unwrap_or_default())
}

fn push(to: &mut Vec<u8>, before: &[u8], word: &[u8]) {
    for part in [before, word, b"\0"] {
        to.extend_from_slice(part);
    }
}

/// Hands out the words of a text: what blanks and line ends part, but for those between quotes of either kind, which are left
/// out. A line that begins with `#` is a comment.
fn words(text: &[u8], out: &mut dyn FnMut(&[u8])) {
    let mut word = Vec::new();
    // A quote makes a word even where nothing is between it and the next.
    let (mut begun, mut quote, mut comment, mut before) = (false, 0, false, b'\n');
    for &byte in text.iter().chain(b"\n") {
        comment = if comment { byte != b'\n' } else { byte == b'#' && before == b'\n' && quote == 0 };
        before = byte;
        match byte {
            _ if comment => {}
            // No argument can have it.
            0 => {}
            b'"' | b'\'' if quote == 0 || quote == byte => {
                begun = true;
                quote ^= byte;
            }
            b' ' | b'\t' | b'\r' | b'\n' if quote == 0 => {
                if begun {
                    out(&word);
                    word.clear();
                }
                begun = false;
            }
            _ => {
                begun = true;
                word.push(byte);
            }
        }
    }
    if begun {
        out(&word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        words(text.as_bytes(), &mut |word| found.push(String::from_utf8_lossy(word).into_owned()));
        found
    }

    #[test]
    fn words_are_parted() {
        assert_eq!(of("quiet  a=b\t-- x\n"), ["quiet", "a=b", "--", "x"]);
        assert_eq!(of("sh -c \"echo a  b\" \"\" x\"y z\"w"), ["sh", "-c", "echo a  b", "", "xy zw"]);
        assert_eq!(of("'a \"b\"' \"it's\" 'it'\"'\"'s'"), ["a \"b\"", "it's", "it's"]);
        assert_eq!(of("# no\n--root /x\r\n#'no\n\n-- a # b"), ["--root", "/x", "--", "a", "#", "b"]);
        assert_eq!(of("'two\n# lines' x"), ["two\n# lines", "x"]);
        assert_eq!(of("\"open"), ["open\n"]);
        assert!(of(" \n \n").is_empty() && of("").is_empty());
    }
}
