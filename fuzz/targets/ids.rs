//! Id maps, and lines of /etc/passwd, /etc/subuid and /etc/subgid. The first byte of the input chooses the parser.
#![no_main]

use engine::ns::subids;
use engine::spec::Range;
use libfuzzer_sys::fuzz_target;

/// No user has the highest number: (uid_t) -1 means "unchanged".
fn is_possible(first: u32, count: u32) -> bool {
    count > 0 && u64::from(first) + u64::from(count) <= u64::from(u32::MAX)
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, line)) = input.split_first() else { return };
    match kind % 3 {
        0 => {
            if let Some(range) = Range::parse(line) {
                assert!(is_possible(range.inside, range.count) && is_possible(range.outside, range.count));
                let text = format!("{}:{}:{}", range.inside, range.outside, range.count);
                // Another way to write the same numbers has leading zeros.
                assert_eq!(Range::parse(text.as_bytes()).map(|range| range.outside), Some(range.outside));
                assert!(range.overlaps(&range));
            }
        }
        1 => {
            let range = subids::range_in(line, b"user", 1000);
            assert!(range.is_none_or(|(first, count)| is_possible(first, count)));
            assert!(
                range.is_none() || line.starts_with(b"user:") || line.starts_with(b"0") || line.starts_with(b"1000:")
            );
        }
        _ => {
            let name = subids::name_in(line, 1000);
            assert!(name.is_none_or(|name| !name.is_empty() && line.starts_with(name) && !name.contains(&b':')));
        }
    }
});
