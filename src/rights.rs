//! From process 1's rights, or those of who enters, to CMD's.
//!
//! CMD does it itself, before it is executed; but not with `--enter`. There it would be seen inside while it has more than
//! anybody else there, and a container that has CAP_SYS_PTRACE opens whatever is in its user namespace, PR_SET_DUMPABLE or
//! not: so the helper, who is not seen inside, does it before CMD is born.

use crate::step::{Step, contained, nothing};
use crate::{caps, ids, say};

pub static STEPS: [Step; 4] = [
    Step { says: say!("reduce the bounding set"), on: nothing, when: contained, run: |spec, _| caps::bound(spec) },
    Step {
        says: say!("keep capabilities --cap-add"),
        on: nothing,
        when: |spec| spec.sets_ids() && spec.capabilities.ambient != 0,
        run: |_, _| caps::keep_over_setuid(),
    },
    Step {
        says: say!("become user and group"),
        on: nothing,
        when: |spec| spec.sets_ids(),
        run: |spec, state| ids::become_inner(spec, &state.caller),
    },
    Step { says: say!("reduce capabilities"), on: nothing, when: contained, run: |spec, _| caps::limit(spec) },
];
