//! The ranges of ids that the user gave, as the maps of a new user namespace (user_namespaces(7)).
//!
//! The kernel lets root write any map, and another user only one that has that user's own id alone. For the others newuidmap(1) and
//! newgidmap(1) write the maps: set-id programs, which permit what /etc/subuid and /etc/subgid grant to the caller.

use core::cell::Cell;
use core::ffi::CStr;

use rustix::process::Pid;

use crate::ns::program;
use crate::ns::subids::{self, Owner};
use crate::ns::usermap;
use crate::report::hint;
use crate::report::message::{blame_hint, fatal};
use crate::say;
use crate::spec::{Range, Spec, range};
use crate::state::Launch;
use crate::step::{explain_line, mortal};
use crate::sys::files::Fd;
use crate::sys::{self, Done, Failure, Word, c_str};
use crate::text::{Say, Short, Text};

/// One of the two maps.
pub struct Map {
    /// Its file in /proc/PID.
    file: &'static CStr,
    /// The program that writes it for an ordinary user,
    helper: &'static CStr,
    /// as far as this file permits.
    grants: &'static CStr,
    option: &'static CStr,
}

pub static USERS: Map = Map { file: c"uid_map", helper: c"newuidmap", grants: subids::USERS, option: c"--map-uid" };
pub static GROUPS: Map = Map { file: c"gid_map", helper: c"newgidmap", grants: subids::GROUPS, option: c"--map-gid" };

impl Map {
    fn ranges<'a>(&self, spec: &Spec<'a>) -> &'a [Range] {
        if core::ptr::eq(self, &raw const USERS) { spec.ids.users } else { spec.ids.members }
    }

    /// Writes the map of the process `pid`, whose directory in /proc is `process`.
    ///
    /// # Errors
    /// EPERM: the kernel or a security module refuses it. Reported: the helper is missing, or has refused it.
    pub fn write(&self, launch: &Launch, process: Fd, pid: Pid) -> Done {
        let spec = &launch.spec;
        let mut content = Text::new();
        push(&mut content, self.ranges(spec), b' ', b'\n');
        match usermap::write_file(process, self.file, content.bytes()) {
            Err(Failure::PERM) if spec.ids.rootless => self.write_by_helper(launch, pid),
            done => done,
        }
    }

    /// This is a function of its own, because its buffers take four pages of stack.
    #[inline(never)]
    fn write_by_helper(&self, launch: &Launch, pid: Pid) -> Done {
        /// The helper, the process, the numbers, and the end.
        const WORDS: usize = 2 + 3 * range::RANGES + 1;
        let (mut numbers, mut process) = (Text::new(), Short::new());
        push(&mut numbers, self.ranges(&launch.spec), 0, 0);
        process.push_number(pid.as_raw_nonzero().get().unsigned_abs());
        let mut words = [Word::END; WORDS];
        let [first, second, list @ .., _end] = &mut words;
        (*first, *second) = (Word::new(self.helper), Word::new(process.c_str()));
        let mut rest = numbers.bytes();
        for place in list {
            if rest.is_empty() {
                break;
            }
            let word = c_str(rest);
            rest = rest.get(word.count_bytes() + 1..).unwrap_or_default();
            *place = Word::new(word);
        }
        let failure = Cell::new(Failure::CHILD);
        let child = sys::spawn(execute, &(self.helper, launch, words.as_slice(), &failure))
            .map_err(|why| blame_hint(say!("fork"), self.helper, why, hint::of_fork(why).hint()))?;
        // It may ask a server for the name of the caller.
        match mortal(|| sys::wait_end(child.as_raw_nonzero().get())) {
            Ok(0) => Ok(()),
            Ok(_) if failure.get() == Failure::CHILD => Err(self.refused(launch)),
            Ok(_) => {
                let why = failure.get();
                Err(blame_hint(say!("execute"), self.helper, why, hint::of_map_helper(why).hint()))
            }
            Err(why) => Err(why),
        }
    }

    /// Reports why the helper has not written the map.
    #[inline(never)]
    fn refused(&self, launch: &Launch) -> Failure {
        let owner = Owner::of(launch.caller.uid);
        let own = if core::ptr::eq(self, &raw const USERS) { launch.caller.uid } else { launch.caller.gid };
        let is_granted = |range: &Range| {
            let mut granted = range.count == 1 && range.outside == own;
            let read = owner.each(self.grants, &mut |first, count| {
                granted |= first <= range.outside
                    && range.count <= count.saturating_sub(range.outside - first.min(range.outside));
            });
            granted || read.is_err()
        };
        let Some(range) = self.ranges(&launch.spec).iter().find(|range| !is_granted(range)) else {
            let why = Failure::HELPER;
            return blame_hint(say!("map ids with"), self.helper, why, hint::of_map_helper(why).hint());
        };
        let mut line = Text::new();
        line.push(self.option.to_bytes()).byte(b' ');
        push_range(&mut line, range, b':');
        line.push(b": ")
            .push(self.grants.to_bytes())
            .say(say!(" does not grant these ids to "))
            .push_printable(owner.name.bytes());
        push_remedy(&mut line, owner.name.bytes(), range.outside, range.count);
        let _ = fatal(&line);
        Failure::REPORTED
    }
}

/// Ends a message with the line to add to /etc/subuid or /etc/subgid.
pub fn push_remedy(line: &mut Text, owner: &[u8], first: u32, count: u32) {
    line.say(say!(" (add the line ")).push_printable(owner).byte(b':').push_number(first).byte(b':').push_number(count);
    line.say(say!(", or use --map-uid and --map-gid)"));
}

/// Whether the kernel takes as many ranges, and lines of that length.
#[must_use]
pub fn fit(ranges: &[Range]) -> bool {
    let mut content = Text::new();
    push(&mut content, ranges, b' ', b'\n');
    ranges.len() <= range::RANGES && !content.is_full()
}

/// The lines of a map: three numbers with `between` between them, and `end`.
fn push(text: &mut Text, ranges: &[Range], between: u8, end: u8) {
    for range in ranges {
        push_range(text, range, between);
        text.byte(end);
    }
}

fn push_range(text: &mut Text, range: &Range, between: u8) {
    text.push_number(range.inside).byte(between).push_number(range.outside).byte(between).push_number(range.count);
}

/// Prints the ranges, for `--explain`.
pub fn explain_ranges(spec: &Spec<'_>) {
    const BOTH: [(&Map, Say); 2] = [(&USERS, say!("map uid")), (&GROUPS, say!("map gid"))];
    for (map, says) in BOTH {
        for range in map.ranges(spec) {
            let mut line = Short::new();
            line.push_number(range.inside).byte(b':').push_number(range.outside).byte(b':').push_number(range.count);
            explain_line(says, line.c_str());
        }
    }
}

/// Becomes the helper. Returns only if that failed, with the reason in the last value.
fn execute((helper, launch, words, failure): &(&CStr, &Launch, &[Word<'_>], &Cell<Failure>)) -> i32 {
    failure.set(program::execute(helper, words, launch));
    1
}
