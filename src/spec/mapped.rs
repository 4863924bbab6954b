//! The ids of the command, and the map that the user gave.

use super::{Range, Spec};
use crate::say;
use crate::text::Say;

impl Spec<'_> {
    /// Whether a map was given, if only one of the two.
    #[must_use]
    pub fn has_map(&self) -> bool {
        !(self.ids.users.is_empty() && self.ids.members.is_empty())
    }

    /// The first id of the command that is not in the map that the user gave, and its option.
    #[must_use]
    #[inline(never)]
    pub fn first_unmapped(&self) -> Option<(Say, u32)> {
        let ids = &self.ids;
        let lists: [(Say, &[Range], &[u32]); 3] = [
            (say!("--uid"), ids.users, &[ids.uid]),
            (say!("--gid"), ids.members, &[ids.gid]),
            (say!("--groups"), ids.members, ids.groups.unwrap_or_default()),
        ];
        let unmapped = |(on, ranges, list): (Say, &[Range], &[u32])| {
            let found = list.iter().find(|id| !ranges.iter().any(|range| range.has(**id)));
            found.map(|id| (on, *id))
        };
        lists.into_iter().filter(|_| self.maps_ranges()).find_map(unmapped)
    }
}
