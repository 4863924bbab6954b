//! The command line of a machine's first process: the words after ` -- ` on the kernel's command line, or a file.

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use engine::fs::procfs;
use engine::process::machine;
use engine::report::message::warn;
use engine::spec::validate;
use engine::spec::{Machine, Spec};
use engine::state::Launch;
use engine::sys::files::{self, Fd, HERE};
use engine::sys::{Failure, Start};
use engine::text::Say;
use engine::{run, say, text};
use rustix::fs::OFlags;

use super::CommandLine;
use super::builder::{Asked, Draft};
use super::dialects::NATIVE;
use super::words;

/// The file with the command line. It is used if the kernel's command line has no words for nsinit.
const FILE: &CStr = c"/etc/nsinit.args";

/// A word of the kernel's command line with this prefix is an option: `nsinit.NAME=VALUE` is `--NAME=VALUE`.
const PREFIX: &[u8] = b"nsinit.";

/// Prepares the machine, runs the command, and never returns. `whole`: nsinit is the kernel's first process, and its arguments
/// are the words that the kernel did not recognize. `read`: the arguments, if they have been read already.
pub fn boot(start: &'static Start, whole: bool, read: Option<&mut CommandLine>) -> ! {
    let program = start.args.first().and_then(|word| word.get().get()).unwrap_or_default();
    let preset = Spec { machine: Machine { boots: true, is_whole: whole, ..Spec::PRESET.machine }, ..Spec::PRESET };
    let mut launch = Launch::new(&preset, start);
    let _ = machine::prepare(&mut launch);
    // If the command line cannot be read, not even a shell is run.
    let mut runs = true;
    let mut own = ManuallyDrop::new(CommandLine::new(NATIVE, c"", start));
    let line = match read {
        Some(line) => line,
        None => {
            let (mut line, mut more) = (Vec::new(), Vec::new());
            let list = if words::base(program) == b"init" {
                // In a container the kernel's command line is the host's.
                runs = !whole || of_kernel(&mut line, &mut more);
                if line.is_empty() {
                    runs = of_file(&mut line).unwrap_or(runs);
                }
                words::of_text(line.leak())
            } else {
                start.args
            };
            own.draft.spec.machine.boots = true;
            own.read(list, start);
            own.read_options(words::of_text(more.leak()));
            &mut *own
        }
    };
    (line.draft.spec.machine.boots, line.draft.spec.machine.is_whole) = (true, whole);
    runs = runs && is_meant(line, start);
    let mut shell = ManuallyDrop::new(Draft::new(start.env));
    shell.spec.machine = preset.machine;
    let _ = shell.finish();
    run::run_machine(&line.draft.spec, &shell.spec, runs, &launch)
}

/// Completes the Spec. Returns whether there is a command to run; if not, prints the reason.
fn is_meant(line: &mut CommandLine, start: &'static Start) -> bool {
    if line.carry_out(start).is_err() {
        return false;
    }
    match line.draft.asked {
        Asked::Run | Asked::Explain => {}
        asked => {
            line.print(asked);
            return false;
        }
    }
    if let Err(fault) = validate::check(&line.draft.spec) {
        let _ = fault.report();
        return false;
    }
    if line.draft.asked == Asked::Explain {
        run::explain(&line.draft.spec, start);
    }
    line.draft.asked == Asked::Run
}

/// Appends the words after ` -- ` to `line`, and the options before it to `more`, a NUL after each. Returns whether they could
/// be read.
fn of_kernel(line: &mut Vec<u8>, more: &mut Vec<u8>) -> bool {
    let text = procfs::open().and_then(|proc| files::open(proc, c"cmdline", OFlags::RDONLY)).and_then(all);
    let Ok(text) = text.map_err(|why| warn(say!("read"), c"/proc/cmdline", why, Say::NOTHING)) else { return false };
    let mut behind = false;
    split(text, &mut |word| {
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

/// Appends the words of the file to `line`, a NUL after each. Returns whether it could be read, if it exists.
fn of_file(line: &mut Vec<u8>) -> Option<bool> {
    match files::open(HERE, FILE, OFlags::RDONLY).and_then(all) {
        Ok(text) => split(text, &mut |word| push(line, b"", word)),
        Err(Failure::NOENT) => return None,
        Err(why) => {
            warn(say!("read"), FILE, why, Say::NOTHING);
            return Some(false);
        }
    }
    Some(true)
}

fn all(file: Fd) -> Result<&'static [u8], Failure> {
    let content = words::content(file).ok_or(Failure::IO)?;
    // `content` has added the NUL.
    Ok(content.get(..content.len() - 1).unwrap_or_default())
}

fn push(to: &mut Vec<u8>, before: &[u8], word: &[u8]) {
    for part in [before, word, b"\0"] {
        to.extend_from_slice(part);
    }
}

/// Passes the words of a text to `out`. Blanks and line ends separate words, except between single or double quotes; the quotes
/// are removed. A line that begins with `#` is a comment.
fn split(text: &[u8], out: &mut dyn FnMut(&[u8])) {
    let mut word = Vec::new();
    // Two quotes with nothing between them are a word.
    let (mut begun, mut quote, mut comment, mut before) = (false, 0, false, b'\n');
    for &byte in text.iter().chain(b"\n") {
        comment = if comment { byte != b'\n' } else { byte == b'#' && before == b'\n' && quote == 0 };
        before = byte;
        match byte {
            _ if comment => {}
            // No argument can contain NUL.
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
        split(text.as_bytes(), &mut |word| found.push(String::from_utf8_lossy(word).into_owned()));
        found
    }

    #[test]
    fn blanks_and_quotes_separate_words() {
        assert_eq!(of("quiet  a=b\t-- x\n"), ["quiet", "a=b", "--", "x"]);
        assert_eq!(of("sh -c \"echo a  b\" \"\" x\"y z\"w"), ["sh", "-c", "echo a  b", "", "xy zw"]);
        assert_eq!(of("'a \"b\"' \"it's\" 'it'\"'\"'s'"), ["a \"b\"", "it's", "it's"]);
        assert_eq!(of("# no\n--root /x\r\n#'no\n\n-- a # b"), ["--root", "/x", "--", "a", "#", "b"]);
        assert_eq!(of("'two\n# lines' x"), ["two\n# lines", "x"]);
        assert_eq!(of("\"open"), ["open\n"]);
        assert!(of(" \n \n").is_empty() && of("").is_empty());
    }
}
