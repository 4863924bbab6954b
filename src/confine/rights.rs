//! From the rights of process 1, or of the helper of `--enter`, to those of the command.
//!
//! The command gives them up itself, before it is executed; but not with `--enter`. There it would be visible inside while it has
//! more rights than the processes there, and with CAP_SYS_PTRACE these can read the memory of every process of their user
//! namespace, PR_SET_DUMPABLE or not. So the helper, which is not visible inside, does it before it clones the command.

use crate::confine::caps;
use crate::ns::credentials;
use crate::say;
use crate::state::Launch;
use crate::step::{self, contained};

type Step = step::Step<Launch>;

pub static STEPS: &[Step] = &[
    Step::new(say!("reduce the bounding set"), |launch| caps::bound(&launch.spec)).when(contained),
    Step::new(say!("keep capabilities --cap-add"), |_| caps::keep_over_setuid())
        .when(|spec| spec.sets_ids() && spec.confine.capabilities.ambient != 0),
    Step::new(say!("become user and group"), |launch| credentials::become_command(&launch.spec, &launch.caller))
        .when(|spec| spec.sets_ids()),
    Step::new(say!("reduce capabilities"), |launch| caps::limit(&launch.spec)).when(contained),
];
