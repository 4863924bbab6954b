//! The ids that the new user namespace maps: those of the options, or the caller's subordinate ids.

use core::ffi::CStr;
use core::mem::take;

use engine::ns::ranges::{self, push_remedy};
use engine::ns::subids::{self, Owner};
use engine::report::message;
use engine::say;
use engine::spec::Range;
use engine::text::{self, Say, Text};
use rustix::process::{getegid, geteuid};

use super::super::complaint::{Bad, Wrong};
use super::super::values;
use super::Draft;

/// How many ids a container of root gets at least, and how many the messages propose. Debian's users have ids up to 65,534.
const USUAL: u32 = 65_536;
/// The first id that the messages propose: useradd(8) begins there.
const FIRST: u32 = 100_000;

/// Adds the range of `--map-uid` or `--map-gid` to a map.
pub fn add(ranges: &mut Vec<Range>, word: &CStr) -> Result<(), Wrong> {
    let why = say!("not IN:OUT:COUNT, numbers of ids from 0 to 4294967294, and COUNT not 0");
    let range = Range::parse(word.to_bytes()).ok_or(Wrong::value(why))?;
    if ranges.iter().any(|other| other.overlaps(&range)) {
        return Err(Wrong::value(say!("overlaps with another range of this option, in IN or in OUT")));
    }
    if !push(ranges, range) {
        return Err(Wrong::value(say!("one range too many: the kernel takes 340 lines, and less than 4096 bytes")));
    }
    Ok(())
}

/// Adds a range, if the map has room for its line.
fn push(ranges: &mut Vec<Range>, range: Range) -> bool {
    ranges.push(range);
    let fits = ranges::fit(ranges);
    if !fits {
        ranges.pop();
    }
    fits
}

/// The ids of `--groups`.
pub fn groups(word: &CStr) -> Result<Vec<u32>, Wrong> {
    /// NGROUPS_MAX.
    const MOST: usize = 65_536;
    let (mut ids, mut rest) = (Vec::new(), word.to_bytes());
    // A comma at the end would be no word.
    let mut valid = !matches!(rest, [] | [.., b',']);
    while let Some(word) = text::word(&mut rest, b',') {
        match values::id_of(word) {
            Some(id) => ids.push(id),
            None => valid = false,
        }
    }
    let why = say!("not numbers from 0 to 4294967294 with commas between them");
    if valid && ids.len() <= MOST { Ok(ids) } else { Err(Wrong::value(why)) }
}

impl Draft {
    /// Stores the maps in the Spec. With `--map-auto` it reads them from the files of subordinate ids.
    pub fn settle_ids(&mut self) -> Result<(), Bad> {
        if self.map_auto {
            if !(self.users.is_empty() && self.members.is_empty()) {
                return Err(refuse(Text::new().say(say!("--map-auto excludes --map-uid and --map-gid"))));
            }
            let (uid, gid) = (geteuid(), getegid());
            let owners = if uid.is_root() {
                vec![named(b"root", 0), named(b"containers", subids::NOBODY)]
            } else {
                vec![Owner::of(uid.as_raw())]
            };
            let own = |id| if uid.is_root() { None } else { Range::new(0, id, 1) };
            self.users = granted(&owners, subids::USERS, own(uid.as_raw()))?;
            self.members = granted(&owners, subids::GROUPS, own(gid.as_raw()))?;
        }
        let ids = &mut self.spec.ids;
        ids.users = take(&mut self.users).leak();
        ids.members = take(&mut self.members).leak();
        ids.groups = self.groups.take().map(|groups| &*groups.leak());
        Ok(())
    }
}

fn named(name: &[u8], uid: u32) -> Owner {
    let mut owner = Owner { name: text::Short::new(), uid };
    owner.name.push(name);
    owner
}

/// The map of `--map-auto`. For an ordinary user: `own`, and behind it all ranges that the file grants to it. For root: one large range,
/// its own or, as for other container engines, that of `containers`.
fn granted(owners: &[Owner], file: &CStr, own: Option<Range>) -> Result<Vec<Range>, Bad> {
    let mut ranges: Vec<Range> = own.into_iter().collect();
    for owner in owners {
        let read = owner.each(file, &mut |first, count| {
            let inside = ranges.last().map_or(0, |last| last.inside + last.count);
            if own.is_none() && (count < USUAL || !ranges.is_empty()) {
                return;
            }
            // The kernel takes no id twice, and no more ids than there are.
            if let Some(range) = Range::new(inside, first, count)
                && !ranges.iter().any(|other| other.overlaps(&range))
            {
                push(&mut ranges, range);
            }
        });
        read.map_err(|why| {
            message::blame(say!("read"), file, why);
            Bad::Reported
        })?;
    }
    if ranges.len() > usize::from(own.is_some()) {
        return Ok(ranges);
    }
    let mut line = Text::new();
    let what: Say = if own.is_none() { say!(" grants no range of 65536 ids to ") } else { say!(" grants no ids to ") };
    line.push(b"--map-auto: ").push(file.to_bytes()).say(what);
    let name = owners.first().map_or(&b""[..], |owner| owner.name.bytes());
    line.push_printable(name);
    push_remedy(&mut line, name, subids::free(file, FIRST, USUAL), USUAL);
    Err(refuse(&line))
}

fn refuse(line: &Text) -> Bad {
    let _ = message::fatal(line);
    Bad::Reported
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn map_has_no_more_lines_than_the_kernel_takes() {
        let mut ranges = Vec::new();
        for id in 0..340u32 {
            let word = std::ffi::CString::new(format!("{id}:{id}:1")).expect("no NUL");
            assert!(add(&mut ranges, &word).is_ok(), "{id}");
        }
        assert!(add(&mut ranges, c"340:340:1").is_err());
        let mut long = Vec::new();
        let mut count = 0;
        while push(&mut long, Range { inside: 4_000_000_000 + count, outside: 4_000_000_000 + count, count: 1 }) {
            count += 1;
        }
        // 24 bytes a line, and less than 4096 in all.
        assert_eq!(count, 170);
        assert_eq!(long.len(), count as usize);
    }

    #[test]
    fn overlaps_are_refused() {
        let mut ranges = Vec::new();
        assert!(add(&mut ranges, c"0:1000:10").is_ok());
        for bad in [c"9:5000:1", c"50:1009:1", c"0:1000:10", c"0:0:4294967295", c"5:5:5"] {
            assert!(add(&mut ranges, bad).is_err(), "{bad:?}");
        }
        assert!(add(&mut ranges, c"10:1010:1").is_ok());
    }

    #[test]
    fn groups_are_whole_numbers() {
        assert_eq!(groups(c"0,5,4294967294").ok(), Some(vec![0, 5, 4_294_967_294]));
        for bad in [c"", c",", c"1,", c",1", c"1,,2", c" 1", c"1 ", c"1x", c"-1", c"4294967295", c"4294967296", c"1:2"]
        {
            assert!(groups(bad).is_err(), "{bad:?}");
        }
    }
}
