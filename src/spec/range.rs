//! A range of ids that a user namespace maps: a line of `uid_map` or `gid_map` (user_namespaces(7)).

use crate::text;

/// `count` ids from `inside` on, which are the ids from `outside` on in the parent user namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    pub inside: u32,
    pub outside: u32,
    /// At least 1. No id of the range is 4294967295, which is no user (setresuid(2)).
    pub count: u32,
}

/// The most ranges of a map: UID_GID_MAP_MAX_EXTENTS of the kernel (since Linux 4.15). All lines together must be shorter than a page.
pub const RANGES: usize = 340;

impl Range {
    /// A range; `None` if it is empty or has an id that is no user.
    #[must_use]
    pub fn new(inside: u32, outside: u32, count: u32) -> Option<Range> {
        // The id behind the last one is at most 4294967295.
        inside.checked_add(count)?;
        outside.checked_add(count)?;
        (count > 0).then_some(Range { inside, outside, count })
    }

    /// `IN:OUT:COUNT`, three decimal numbers.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Range> {
        let mut rest = text;
        let inside = text::number(text::word(&mut rest, b':')?)?;
        let outside = text::number(text::word(&mut rest, b':')?)?;
        // What is left is the last number; a fourth field makes it none.
        Range::new(inside, outside, text::number(rest)?)
    }

    /// Whether the two have an id in common, inside or outside.
    #[must_use]
    pub const fn overlaps(&self, other: &Range) -> bool {
        meets(self.inside, self.count, other.inside, other.count)
            || meets(self.outside, self.count, other.outside, other.count)
    }

    /// Whether it maps the id `inside`.
    #[must_use]
    pub const fn has(&self, inside: u32) -> bool {
        meets(self.inside, self.count, inside, 1)
    }

    /// The id outside that an id inside is; `None` if the range does not map it.
    #[must_use]
    pub const fn outside_of(&self, inside: u32) -> Option<u32> {
        match inside.checked_sub(self.inside) {
            Some(offset) if offset < self.count => Some(self.outside + offset),
            _ => None,
        }
    }

    /// The id inside that an id outside becomes; `None` if the range does not map it.
    #[must_use]
    pub const fn inside_of(&self, outside: u32) -> Option<u32> {
        match outside.checked_sub(self.outside) {
            Some(offset) if offset < self.count => Some(self.inside + offset),
            _ => None,
        }
    }
}

/// Whether two ranges have an id in common.
#[must_use]
const fn meets(one: u32, count: u32, other: u32, others: u32) -> bool {
    one < other.saturating_add(others) && other < one.saturating_add(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_three_whole_numbers() {
        assert_eq!(Range::parse(b"0:100000:65536"), Some(Range { inside: 0, outside: 100_000, count: 65_536 }));
        assert_eq!(Range::parse(b"0:0:4294967295"), Some(Range { inside: 0, outside: 0, count: u32::MAX }));
        assert_eq!(
            Range::parse(b"4294967294:4294967294:1"),
            Some(Range { inside: u32::MAX - 1, outside: u32::MAX - 1, count: 1 })
        );
        for bad in [
            "",
            ":",
            "::",
            "1",
            "1:",
            "1:2",
            "1:2:",
            ":1:2",
            "1::2",
            "1:2:3:",
            "1:2:3:4",
            " 1:2:3",
            "1:2:3 ",
            "1: 2:3",
            "1:2:3\n",
            "1x:2:3",
            "-1:2:3",
            "+1:2:3",
            "0x1:2:3",
            "1:2:0",
            "4294967295:1:1",
            "1:4294967295:1",
            "4294967296:1:1",
            "1:4294967296:1",
            "1:1:4294967296",
            "1:0:4294967295",
            "0:1:4294967295",
            "4294967294:0:2",
            "0:4294967294:2",
            "18446744073709551616:1:1",
            "1,2,3",
            "1:2:3\0",
        ] {
            assert_eq!(Range::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn ranges_that_share_an_id_overlap() {
        let range = |inside, outside, count| Range::new(inside, outside, count).unwrap();
        assert!(!range(0, 1000, 1).overlaps(&range(1, 100_000, 65_536)));
        assert!(range(0, 1000, 2).overlaps(&range(1, 100_000, 65_536)));
        assert!(range(0, 1000, 1).overlaps(&range(5, 900, 101)));
        assert!(!range(0, 1000, 1).overlaps(&range(5, 900, 100)));
        assert!(range(0, 0, u32::MAX).overlaps(&range(4_294_967_294, 4_294_967_294, 1)));
        let whole = range(1, 100_000, 65_536);
        assert!(whole.has(1) && whole.has(65_536) && !whole.has(0) && !whole.has(65_537));
        assert_eq!((whole.inside_of(100_000), whole.inside_of(165_535)), (Some(1), Some(65_536)));
        assert_eq!((whole.inside_of(99_999), whole.inside_of(165_536)), (None, None));
    }
}
