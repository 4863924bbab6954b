//! Hostile words and files: numbers that are none (CVE-2026-30892), and /etc/subuid of any content.

use engine::ns::subids;
use engine::spec::Range;
use engine::spec::range::RANGES;
use proptest::prelude::*;

use super::{COUNT, FIRST, Granted, name, words};
use crate::harness::{Root, roots, who};

#[test]
fn hostile_ids_are_refused() {
    const BAD: [&str; 14] = [
        "1:",
        ":1",
        " 1",
        "1 ",
        "1x",
        "-1",
        "+1",
        "",
        "0x1",
        "4294967295",
        "4294967296",
        "18446744073709551616",
        "1.0",
        "root",
    ];
    for root in roots() {
        for bad in BAD {
            for option in ["--uid", "--gid", "--groups"] {
                root.sh(&[option, bad], "echo ran").fails(option);
                root.launch(&[&format!("{option}={bad}")], &["echo", "ran"]).run().fails(option);
            }
            for word in [format!("{bad}:1:1"), format!("1:{bad}:1"), format!("1:1:{bad}")] {
                // "1:" and ":1" add a field.
                for option in ["--map-uid", "--map-gid"] {
                    root.sh(&[option, &word], "echo ran").fails(&format!("{option} {word}: not IN:OUT:COUNT"));
                }
            }
        }
        for word in
            ["0:0:0", "", "0", "0:0", "0:0:1:1", "4294967294:0:2", "0:4294967294:2", "1:1:4294967295", "0:0:1\n"]
        {
            let printed = word.replace('\n', "?");
            let line = format!("--map-uid{}{printed}: not IN:OUT:COUNT", if word.is_empty() { "" } else { " " });
            root.sh(&["--map-uid", word], "echo ran").fails(&line);
        }
        let overlap = "overlaps with another range of this option, in IN or in OUT";
        for second in ["9:5000:1", "50:1009:1", "0:1000:10"] {
            let options = ["--map-gid", "0:1000:10", "--map-gid", second];
            root.sh(&options, "echo ran").fails(&format!("--map-gid {second}: {overlap}"));
        }
        let many: Vec<String> = (0..=RANGES as u32).map(|id| format!("{id}:{id}:1")).collect();
        let many: Vec<&str> = many.iter().flat_map(|range| ["--map-uid", range]).collect();
        root.sh(&many, "echo ran").fails("--map-uid 340:340:1: one range too many");
    }
}

/// Only the lines of the user count, and no content does any harm.
#[test]
fn junk_in_the_files_of_subordinate_ids_grants_nothing() {
    for root in roots() {
        let user = name(root.who);
        let good = format!("{user}:{FIRST}:{COUNT}");
        let mut huge = vec![b'x'; 1 << 20];
        huge.extend(format!(":1:65536\n{good}\n").bytes());
        let contents: Vec<Vec<u8>> = vec![
            good.clone().into(),
            format!("\n\n:::\n#{user}:1:65536\n{user}:1\n{user}:1:65536:\n{user}:-1:65536\n{good}\n").into(),
            format!("{user}:4294967290:65536\n{user}:4294967295:65536\n{user}:99999999999:65536\n{good}\n").into(),
            format!("{user}\0:1:65536\n{user}:1:65536\0\n\0\n{good}\n\0").into(),
            format!("{good}\n{good}\n").into(),
            format!("x{user}:1:65536\n{user}x:1:65536\n {user}:1:65536\n{good}").into(),
            huge,
        ];
        for content in contents {
            let Some(granted) = Granted::with(root.who, &content, &content) else { return };
            let out = granted.sh(&root, &["--map-auto"], "cat /proc/self/uid_map");
            // newuidmap(1) reads the file in its own way, and may refuse all of it.
            if !root.who.is_root() && out.status == 125 && out.stderr.starts_with("newuidmap: ") {
                continue;
            }
            let expected = match root.who.is_root() {
                true => format!("0 {FIRST} {COUNT}"),
                false => format!("0 {} 1 1 {FIRST} {COUNT}", root.who.uid()),
            };
            assert_eq!(
                words(&out),
                expected,
                "{:?}: {out}",
                String::from_utf8_lossy(&content[content.len().saturating_sub(300)..])
            );
        }
    }
}

/// A user may have several ranges. The kernel takes 340 lines: the others are left out.
#[test]
fn every_range_of_the_user_is_mapped() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let user = name(root.who);
    let three =
        format!("{user}:{FIRST}:10\nother:5:5\n{}:{}:20\n{user}:{}:1\n", root.who.uid(), FIRST + 100, FIRST + 50);
    let Some(granted) = Granted::with(root.who, three.as_bytes(), three.as_bytes()) else { return };
    let out = granted.sh(&root, &["--map-auto"], "cat /proc/self/uid_map");
    let expected = format!("0 {} 1 1 {FIRST} 10 11 {} 20 31 {} 1", root.who.uid(), FIRST + 100, FIRST + 50);
    assert_eq!(words(&out), expected);
    let many: String = (0..1000).map(|at| format!("{user}:{}:1\n", FIRST + 2 * at)).collect();
    let Some(granted) = Granted::with(root.who, many.as_bytes(), many.as_bytes()) else { return };
    let out = granted.sh(&root, &["--map-auto"], "wc -l </proc/self/uid_map");
    let lines: usize = out.text().trim().parse().expect("a number");
    assert!((200..=RANGES).contains(&lines), "{out}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A range that is accepted has no id that is no user, and is written as it was read.
    #[test]
    fn accepted_ranges_are_in_bounds(text in prop_oneof!["[0-9]{0,11}:[0-9]{0,11}:[0-9]{0,11}", "[0-9:x\\-+ \\n]{0,40}", ".{0,40}"]) {
        if let Some(Range { inside, outside, count }) = Range::parse(text.as_bytes()) {
            prop_assert!(count > 0);
            for first in [inside, outside] {
                prop_assert!(u64::from(first) + u64::from(count) <= u64::from(u32::MAX));
            }
            let numbers: Vec<u64> = text.split(':').map(|word| word.parse().expect("a number")).collect();
            prop_assert_eq!(numbers, [inside, outside, count].map(u64::from).to_vec());
        }
    }

    #[test]
    fn overlap_is_a_common_id(a in 0u32..40, b in 0u32..40, c in 0u32..40, d in 0u32..40, n in 1u32..20, m in 1u32..20) {
        let (one, other) = (Range::new(a, b, n).expect("small"), Range::new(c, d, m).expect("small"));
        let common = |x: u32, y: u32| (x..x + n).any(|id| (y..y + m).contains(&id));
        prop_assert_eq!(one.overlaps(&other), common(a, c) || common(b, d));
        prop_assert_eq!(other.overlaps(&one), one.overlaps(&other));
        for id in 0..80 {
            prop_assert_eq!(one.has(id), (a..a + n).contains(&id));
            prop_assert_eq!(one.inside_of(id), (b..b + n).contains(&id).then(|| a + (id.wrapping_sub(b))));
        }
    }

    /// Any bytes: no panic, and what is granted is in bounds and in the line.
    #[test]
    fn lines_of_any_bytes_are_read(line in prop::collection::vec(any::<u8>(), 0..5000), uid in any::<u32>()) {
        let _ = subids::name_in(&line, uid);
        if let Some((first, count)) = subids::range_in(&line, b"alice", uid) {
            prop_assert!(count > 0 && u64::from(first) + u64::from(count) <= u64::from(u32::MAX));
        }
    }

    #[test]
    fn granted_ranges_are_those_of_the_line(owner in "[a-z0-9]{0,6}", first in any::<u32>(), count in any::<u32>(), uid in 0u32..50) {
        let line = format!("{owner}:{first}:{count}");
        let is_it = owner == "alice" || owner.parse() == Ok(uid);
        let fits = count > 0 && u64::from(first) + u64::from(count) <= u64::from(u32::MAX);
        prop_assert_eq!(subids::range_in(line.as_bytes(), b"alice", uid), (is_it && fits).then_some((first, count)));
    }
}
