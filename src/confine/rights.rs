//! From the rights of process 1, or of the helper of `--enter`, to CMD's.
//!
//! CMD does it itself, before it is executed; but not with `--enter`. There CMD would be visible inside while it has more rights
//! than the processes there, and with CAP_SYS_PTRACE these can look into every process of their user namespace, PR_SET_DUMPABLE
//! or not. So the helper, which is not visible inside, does it before it clones CMD.

use crate::confine::caps;
use crate::ns::credentials;
use crate::say;
use crate::step::{Step, contained, nothing};

pub static STEPS: [Step; 4] = [
    Step { says: say!("reduce the bounding set"), on: nothing, when: contained, run: |spec, _| caps::bound(spec) },
    Step {
        says: say!("keep capabilities --cap-add"),
        on: nothing,
        when: |spec| spec.sets_ids() && spec.confine.capabilities.ambient != 0,
        run: |_, _| caps::keep_over_setuid(),
    },
    Step {
        says: say!("become user and group"),
        on: nothing,
        when: |spec| spec.sets_ids(),
        run: |spec, state| credentials::become_command(spec, &state.caller),
    },
    Step { says: say!("reduce capabilities"), on: nothing, when: contained, run: |spec, _| caps::limit(spec) },
];
