//! What is read from files when all options are known: the variables of --env-file, and the ids of users and groups that are named.

use core::ffi::CStr;
use core::mem::take;

use engine::ns::accounts::{self, Accounts};
use engine::report::message::{self, blame, push_object, push_reason};
use engine::say;
use engine::sys::files::{self, Fd, HERE};
use engine::sys::{self, Failure};
use engine::text::{self, Say, Text};
use rustix::fs::OFlags;

use super::super::complaint::{Bad, Complaint, Wrong};
use super::super::values;
use super::super::words;
use super::{Draft, EnvOp};

/// Whether a word may be the name of a user or a group: a number is none.
fn is_name(word: &[u8]) -> bool {
    word.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') && !text::has(word, b':')
}

/// Whether a word is a list of ids and names, some of them names.
#[cfg(feature = "ids")]
fn has_names(list: &[u8]) -> bool {
    let mut words = list.split(|byte| *byte == b',');
    words.clone().any(is_name) && words.all(|word| is_name(word) || values::id_of(word).is_some())
}

impl Draft {
    /// The value of --uid.
    pub fn set_uid(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.named.uid = Some(self.complaint).filter(|_| self.takes_name(word));
        self.uid = if self.named.uid.is_some() { None } else { Some(values::id(word)?) };
        Ok(())
    }

    /// The value of --gid.
    pub fn set_gid(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.named.gid = Some(self.complaint).filter(|_| self.takes_name(word));
        self.gid = if self.named.gid.is_some() { None } else { Some(values::id(word)?) };
        Ok(())
    }

    /// bubblewrap takes no names.
    fn takes_name(&self, word: &CStr) -> bool {
        !self.is_bwrap && is_name(word.to_bytes())
    }

    /// The value of --groups.
    #[cfg(feature = "ids")]
    pub fn set_groups(&mut self, word: &CStr) -> Result<(), Wrong> {
        self.named.groups = Some(self.complaint).filter(|_| has_names(word.to_bytes()));
        self.groups = if self.named.groups.is_some() { None } else { Some(super::ids::groups(word)?) };
        Ok(())
    }

    /// Looks up the names of users and groups, and reads the files of variables.
    ///
    /// # Errors
    /// Reported, or in the draft: there is no such name; a file cannot be read, or has another form.
    pub fn settle_forms(&mut self) -> Result<(), Bad> {
        self.read_env_files()?;
        if let Some(option) = self.named.uid.take() {
            self.uid = Some(self.look_up(accounts::USERS, &option, option.word.to_bytes())?);
        }
        if let Some(option) = self.named.gid.take() {
            self.gid = Some(self.look_up(accounts::GROUPS, &option, option.word.to_bytes())?);
        }
        if let Some(option) = self.named.groups.take() {
            let mut ids = Vec::new();
            for word in option.word.to_bytes().split(|byte| *byte == b',') {
                let id = values::id_of(word);
                ids.push(id.map_or_else(|| self.look_up(accounts::GROUPS, &option, word), Ok)?);
            }
            self.groups = Some(ids);
        }
        Ok(())
    }

    /// The directory whose files have the names; or why there is none.
    fn root_of_names(&self) -> Result<&'static CStr, Say> {
        let spec = &self.spec;
        if spec.root.image || spec.target.is_some() {
            Err(say!("names are for --root DIR and --init: use a number here"))
        } else if !spec.root.directory.is_empty() {
            Ok(spec.root.directory)
        } else if self.is_contained() {
            Err(say!("names are for --root DIR and --init: use a number here"))
        } else {
            Ok(spec.machine.switch_root.unwrap_or(c"/"))
        }
    }

    fn look_up(&mut self, accounts: Accounts, option: &Complaint, name: &[u8]) -> Result<u32, Bad> {
        let root = match self.root_of_names() {
            Ok(root) => root,
            Err(why) => {
                self.complaint = Complaint { why: Wrong::value(why), ..*option };
                return Err(Bad::Complaint);
            }
        };
        let opened = files::directory(HERE, root);
        let found = opened.and_then(|directory| accounts.id_of(directory, name));
        let mut line = Text::new();
        push_object(line.push(option.form.name()), option.word);
        match found {
            Ok(Some(id)) => return Ok(id),
            Ok(None) => {
                push_path(line.say(accounts.missing).push_printable(name).say(say!(" in ")), root, accounts);
            }
            Err(why) => push_reason(push_path(line.say(say!(": cannot read ")), root, accounts).push(b": "), why),
        }
        let _ = message::fatal(&line);
        Err(Bad::Reported)
    }

    /// Puts what the files of --env-file say in their places among the other operations.
    fn read_env_files(&mut self) -> Result<(), Bad> {
        let mut ops = Vec::new();
        for op in take(&mut self.env_ops) {
            match op {
                EnvOp::File(path) => read_variables(path, &mut ops)?,
                op => ops.push(op),
            }
        }
        self.env_ops = ops;
        Ok(())
    }
}

fn push_path<'t>(line: &'t mut Text, root: &CStr, accounts: Accounts) -> &'t mut Text {
    let root = root.to_bytes();
    line.push_printable(text::before(root, b"/").unwrap_or(root)).byte(b'/').push(accounts.file)
}

fn reported(says: Say, on: &CStr, why: Failure) -> Bad {
    blame(says, on, why);
    Bad::Reported
}

/// Reads a file in the form that docker and podman have: a line `NAME=VALUE` sets a variable, and a line `NAME` passes on the caller's.
/// Lines that begin with `#` and empty lines are left out; so are blanks before a name.
fn read_variables(path: &'static CStr, ops: &mut Vec<EnvOp>) -> Result<(), Bad> {
    let content = content(path).map_err(|why| reported(say!("read"), path, why))?;
    // A byte order mark.
    let content = text::after(content, b"\xef\xbb\xbf").unwrap_or(content);
    for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
        match variable_of(line) {
            Ok(op) => ops.extend(op),
            Err(why) => {
                let mut text = Text::new();
                push_object(text.push(b"--env-file"), path);
                text.say(say!(", line ")).push_number(number as u32 + 1).push(b": ").say(why);
                let _ = message::fatal(&text);
                return Err(Bad::Reported);
            }
        }
    }
    Ok(())
}

fn content(path: &CStr) -> Result<&'static [u8], Failure> {
    let file: Fd = files::open_path(path, OFlags::RDONLY)?;
    let content = words::content(file);
    sys::close(file);
    // `content` has added the NUL.
    content.map(|content| content.get(..content.len() - 1).unwrap_or_default())
}

/// What one line asks for.
fn variable_of(line: &[u8]) -> Result<Option<EnvOp>, Say> {
    let line = text::before(line, b"\r").unwrap_or(line);
    let blanks = line.iter().take_while(|byte| is_blank(byte)).count();
    let line = line.get(blanks..).unwrap_or_default();
    let name = text::first(line, b'=');
    match line {
        [] | [b'#', ..] => return Ok(None),
        [b'=', ..] => return Err(say!("no name before the =")),
        _ if text::has(line, 0) => return Err(say!("a NUL byte")),
        _ if name.iter().any(is_blank) => return Err(say!("a blank in the name of a variable")),
        _ => {}
    }
    let mut copy = Vec::from(line);
    copy.push(0);
    let copy = sys::c_str(copy.leak());
    Ok(Some(if text::has(line, b'=') { EnvOp::Set(copy) } else { EnvOp::Pass(Some(copy)) }))
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_docker_reads_them() {
        for (line, expected) in [
            ("A=1", Ok(Some("A=1"))),
            ("A=", Ok(Some("A="))),
            ("A==", Ok(Some("A=="))),
            ("A=\"quoted\" # no comment ", Ok(Some("A=\"quoted\" # no comment "))),
            ("  \tA=b c", Ok(Some("A=b c"))),
            ("A=1\r", Ok(Some("A=1"))),
            ("# A=1", Ok(None)),
            ("  # A=1", Ok(None)),
            ("", Ok(None)),
            ("   ", Ok(None)),
            ("\r", Ok(None)),
            ("A", Ok(Some("A"))),
            ("=1", Err(())),
            ("A B=1", Err(())),
            ("A =1", Err(())),
            ("A ", Err(())),
            ("export A=1", Err(())),
            ("A=1\0", Err(())),
        ] {
            let op = variable_of(line.as_bytes()).map_err(|_| ());
            let word = op.map(|op| {
                op.map(|op| match op {
                    EnvOp::Set(pair) => pair.to_str().unwrap(),
                    EnvOp::Pass(Some(name)) => name.to_str().unwrap(),
                    _ => unreachable!(),
                })
            });
            assert_eq!(word, expected, "{line:?}");
        }
    }

    #[test]
    fn names_are_no_numbers() {
        for name in ["a", "_apt", "www-data", "A.b"] {
            assert!(is_name(name.as_bytes()) && has_names(name.as_bytes()), "{name}");
        }
        for number in ["", "1", "1a", "-1", "+1", ".a", "a:b"] {
            assert!(!is_name(number.as_bytes()), "{number}");
        }
        for list in ["audio,27", "27,audio", "a,b"] {
            assert!(has_names(list.as_bytes()), "{list}");
        }
        for list in ["27,44", "27", "a,", ",a", "a,,b", "a,-1", "a,4294967295", "a b,-"] {
            assert!(!has_names(list.as_bytes()), "{list}");
        }
    }
}
