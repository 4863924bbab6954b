//! The limits of CMD as a process: resources (setrlimit(2)), priority, processors, the OOM killer, memory.
//!
//! CMD sets its own limits, and nsinit has none of them. Only what an ordinary process cannot do, such as to raise a hard limit, the
//! launcher does for CMD, which inherits it: in a new user namespace no process has the right.

use rustix::fs::OFlags;
use rustix::process::{getpriority_process, setpriority_process};

use crate::fs::procfs;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::{Limit, Limited};
use crate::state::{Launch, Process};
use crate::step::Step;
use crate::sys::files::write;
use crate::sys::{self, Done, PR_MDWE_REFUSE_EXEC_GAIN, PR_SET_MDWE};
use crate::text::{self, Say, Text};

/// The step of the launcher.
#[must_use]
pub const fn raise<P: Process>() -> Step<P> {
    Step::new(say!("raise limits for CMD"), |process: &mut P| {
        let launch = process.launch();
        launch.spec.confine.limits.iter().try_for_each(|limit| blamed(limit, raised(launch, limit)))
    })
    .when(|spec| !spec.confine.limits.is_empty())
}

/// The step of CMD. A limit on open files or on memory holds for what follows.
#[must_use]
pub const fn set<P: Process>() -> Step<P> {
    Step::new(say!("set the limits of CMD"), |process: &mut P| {
        process.launch().spec.confine.limits.iter().try_for_each(|limit| blamed(limit, own(limit)))
    })
    .when(|spec| !spec.confine.limits.is_empty())
}

fn blamed(limit: &Limit<'_>, done: Done) -> Done {
    let says = match limit.what {
        Limited::Resource(..) => say!("set --rlimit"),
        Limited::Nice(_) => say!("set --nice"),
        Limited::Processors(_) => say!("set --cpus"),
        Limited::OomScore => say!("set --oom-score-adj"),
        Limited::Memory => say!("set --mdwe"),
    };
    done.map_err(|why| blame_hint(says, limit.word, why, hint::of_limit(&limit.what, why).hint()))
}

fn raised(launch: &mut Launch, limit: &Limit<'_>) -> Done {
    match limit.what {
        Limited::Resource(resource, [_, hard]) => {
            let [soft, most] = sys::limit_of(resource)?;
            if hard > most {
                sys::set_limit(resource, [soft, hard])?;
            }
        }
        // A lower nice value is a higher priority.
        Limited::Nice(nice) => {
            if nice < getpriority_process(None)? {
                setpriority_process(None, nice)?;
            }
        }
        // The kernel writes it for all processes that share a memory, and CMD shares that of its parent until it is executed. So it
        // is that of all processes of the launch.
        Limited::OomScore => {
            if launch.proc.known().is_none() {
                launch.proc.set(procfs::open()?);
            }
            let file = procfs::open_file(launch.proc.get()?, c"self/oom_score_adj", OFlags::WRONLY)?;
            write(file, limit.word.to_bytes())?;
            sys::close(file);
        }
        Limited::Processors(_) | Limited::Memory => {}
    }
    Ok(())
}

fn own(limit: &Limit<'_>) -> Done {
    match limit.what {
        Limited::Resource(resource, limits) => sys::set_limit(resource, limits),
        Limited::Nice(nice) => Ok(setpriority_process(None, nice)?),
        Limited::Processors(processors) => sys::set_affinity(processors),
        Limited::OomScore => Ok(()),
        Limited::Memory => sys::prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN),
    }
}

/// The resources in the order of their numbers (RLIMIT_*).
const RESOURCES: Say =
    say!("cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime");

/// The resources that are numbers of bytes, a bit each: fsize, data, stack, core, rss, memlock, as, msgqueue.
const BYTES: u32 = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 4 | 1 << 5 | 1 << 8 | 1 << 9 | 1 << 12;

/// The value of `--rlimit`: `NAME=SOFT:HARD`, or `NAME=N` for both.
///
/// # Errors
/// What is wrong with it.
pub fn resource(word: &[u8]) -> Result<Limited<'static>, Say> {
    let mut rest = word;
    let name = text::word(&mut rest, b'=').unwrap_or_default();
    let mut names = Text::new();
    let number = text::place_in_any_case(names.say(RESOURCES).bytes(), name);
    let resource = number.ok_or(say!("no such resource (see prlimit(1))"))? as u32;
    let soft = text::first(rest, b':');
    let hard = rest.get(soft.len() + 1..).unwrap_or(soft);
    let of_bytes = BYTES >> resource & 1 != 0;
    match (amount(soft, of_bytes), amount(hard, of_bytes)) {
        (Some(soft), Some(hard)) if soft > hard => Err(say!("the soft limit is above the hard limit")),
        (Some(soft), Some(hard)) => Ok(Limited::Resource(resource, [soft, hard])),
        _ => Err(say!("not NAME=SOFT:HARD, with numbers or `unlimited`")),
    }
}

fn amount(word: &[u8], of_bytes: bool) -> Option<u64> {
    if text::same_word(word, b"unlimited") || text::same_word(word, b"infinity") {
        return Some(u64::MAX);
    }
    let (digits, shift) = unit(word, of_bytes);
    text::long_number(digits)?.checked_mul(1 << shift)
}

#[cfg(feature = "forms")]
const fn unit(word: &[u8], of_bytes: bool) -> (&[u8], u32) {
    if of_bytes { text::without_unit(word) } else { (word, 0) }
}

/// No number has a unit.
#[cfg(not(feature = "forms"))]
const fn unit(word: &[u8], _: bool) -> (&[u8], u32) {
    (word, 0)
}

/// A whole number from `-most` to `most`.
#[must_use]
pub fn signed(word: &[u8], most: u32) -> Option<i32> {
    let digits = text::after(word, b"-");
    let number = text::number(digits.unwrap_or(word)).filter(|number| *number <= most)?.cast_signed();
    Some(if digits.is_some() { -number } else { number })
}

/// How many processors a list can name: the most that a kernel can be built for (CONFIG_NR_CPUS).
pub const PROCESSORS: u32 = 8192;

/// Sets the bit of each processor of the list `0-3,6`. Returns whether the word is such a list.
#[must_use]
pub fn processors(word: &[u8], set: &mut [usize]) -> bool {
    let mut rest = word;
    while let Some(range) = text::word(&mut rest, b',') {
        let mut last = range;
        let first = text::word(&mut last, b'-').and_then(text::number);
        let last = if text::has(range, b'-') { text::number(last) } else { first };
        let (Some(first), Some(last)) = (first, last) else { return false };
        if first > last || last >= PROCESSORS {
            return false;
        }
        for processor in first..=last {
            if let Some(word) = set.get_mut((processor / usize::BITS) as usize) {
                *word |= 1 << (processor % usize::BITS);
            }
        }
    }
    !matches!(word, [] | [.., b','])
}

/// The flags in the order of their bits (capabilities(7), "The securebits flags"). Each has a second bit, that locks it.
const SECURE: Say =
    say!("noroot no-setuid-fixup keep-caps no-cap-ambient-raise exec-restrict-file exec-deny-interactive");

/// The value of `--securebits`: names of flags with commas between, or a number.
#[must_use]
pub fn securebits(word: &[u8]) -> Option<u32> {
    if let Some(number) = text::number(word) {
        return Some(number);
    }
    let mut names = Text::new();
    let names = names.say(SECURE).bytes();
    let (mut rest, mut bits) = (word, 0);
    while let Some(name) = text::word(&mut rest, b',') {
        let open = text::before(name, b"-locked");
        let bit = text::place(names, open.unwrap_or(name))? * 2 + usize::from(open.is_some());
        bits |= 1 << bit;
    }
    Some(bits).filter(|_| !matches!(word, [] | [.., b',']))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    const WORDS: usize = (PROCESSORS / usize::BITS) as usize;

    fn limits(word: &str) -> Option<(u32, [u64; 2])> {
        match resource(word.as_bytes()) {
            Ok(Limited::Resource(resource, limits)) => Some((resource, limits)),
            _ => None,
        }
    }

    fn list(word: &str) -> Option<Vec<u32>> {
        let mut set = [0; WORDS];
        let good = processors(word.as_bytes(), &mut set);
        let has = |n: &u32| set[(n / usize::BITS) as usize] >> (n % usize::BITS) & 1 == 1;
        good.then(|| (0..PROCESSORS).filter(has).collect())
    }

    #[test]
    fn resources_have_the_numbers_of_the_kernel() {
        for (word, number) in [
            ("cpu=1", libc::RLIMIT_CPU),
            ("core=1", libc::RLIMIT_CORE),
            ("NOFILE=1", libc::RLIMIT_NOFILE),
            ("Nproc=1", libc::RLIMIT_NPROC),
            ("as=1", libc::RLIMIT_AS),
            ("memlock=1", libc::RLIMIT_MEMLOCK),
            ("rttime=1", libc::RLIMIT_RTTIME),
        ] {
            assert_eq!(limits(word), Some((number, [1, 1])), "{word}");
        }
    }

    #[test]
    fn soft_limit_alone_is_the_hard_one_too() {
        assert_eq!(limits("nofile=8:9"), Some((7, [8, 9])));
        assert_eq!(limits("nofile=8:unlimited"), Some((7, [8, u64::MAX])));
        assert_eq!(limits("core=UNLIMITED"), Some((4, [u64::MAX; 2])));
        assert_eq!(limits("as=18446744073709551615"), Some((9, [u64::MAX; 2])));
        assert_eq!(limits("memlock=64K:1g"), Some((8, [65536, 1 << 30])));
        for bad in [
            "",
            "as=16777216T",
            "fsize=1KB",
            "fsize=k",
            "nofile",
            "nofile=",
            "nofile=:",
            "nofile=1:",
            "nofile=:1",
            "nofile=2:1",
            "nofile=unlimited:1",
            "=1",
            "files=1",
            "nofile=1:2:3",
            "nofile=-1",
            "nofile= 1",
            "nofile=1k",
            "nofile=18446744073709551616",
            "cpu fsize=1",
        ] {
            assert_eq!(limits(bad), None, "{bad}");
        }
    }

    #[test]
    fn signed_numbers_are_whole_words_within_their_range() {
        for (word, value) in [("0", 0), ("-0", 0), ("19", 19), ("-20", -20), ("20", 20)] {
            assert_eq!(signed(word.as_bytes(), 20), Some(value));
        }
        for bad in ["", "-", "--1", "+1", "21", "-21", "1 ", "4294967295", "-4294967295"] {
            assert_eq!(signed(bad.as_bytes(), 20), None, "{bad}");
        }
    }

    #[test]
    fn lists_of_processors_are_ranges() {
        assert_eq!(list("0-3,6"), Some([0, 1, 2, 3, 6].into()));
        assert_eq!(list("8191"), Some([8191].into()));
        assert_eq!(list("5,5-5,4"), Some([4, 5].into()));
        assert_eq!(list("0-8191").map(|all| all.len()), Some(8192));
        for bad in
            ["", ",", "1,", ",1", "1,,2", "-", "1-", "-1", "3-1", "1-2-3", "x", "1 ", "8192", "0-8192", "0-4294967295"]
        {
            assert_eq!(list(bad), None, "{bad}");
        }
    }

    #[test]
    fn flags_are_pairs_of_bits() {
        for (word, bits) in [
            ("noroot", 1),
            ("noroot-locked", 2),
            ("noroot,noroot-locked", 3),
            ("no-setuid-fixup-locked,no-setuid-fixup", 12),
            ("keep-caps", 16),
            ("no-cap-ambient-raise-locked", 128),
            ("exec-deny-interactive-locked", 2048),
            ("47", 47),
            ("0", 0),
        ] {
            assert_eq!(securebits(word.as_bytes()), Some(bits), "{word}");
        }
        for bad in ["", ",", "noroot,", ",noroot", "root", "-locked", "noroot-locked-locked", "1,2", "-1", "4294967296"]
        {
            assert_eq!(securebits(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_word_is_too_strange(word in "[-0-9a-z=:,]{0,20}") {
            let _ = limits(&word);
            let _ = securebits(word.as_bytes());
            let _ = list(&word);
            let _ = signed(word.as_bytes(), 1000);
        }

        #[test]
        fn list_of_each_number_is_the_set(numbers in proptest::collection::btree_set(0..PROCESSORS, 1..40)) {
            let words: Vec<String> = numbers.iter().map(|number| format!("{number}")).collect();
            prop_assert_eq!(list(&words.join(",")), Some(numbers.into_iter().collect()));
        }

        #[test]
        fn limits_are_read_as_they_are_written(soft: u64, more: u64) {
            let hard = soft.saturating_add(more);
            prop_assert_eq!(limits(&format!("nofile={soft}:{hard}")), Some((7, [soft, hard])));
        }
    }
}
