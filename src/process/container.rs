//! PROCESS: process 1 of the container, from its clone to its end: setup, start of the command, supervision.

use crate::sys::{PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS};

use crate::confine::caps;
use crate::process::init::Init;
use crate::process::{command, container_setup};
use crate::report::kernel_log;
use crate::report::message::give_up;
use crate::spec::Spec;
use crate::state::{Command, Launch, News, Outside, Relay, Setup, Supervision};
use crate::sys::{self, Done};

/// Process 1, from the clone to the end. Returns its exit status.
pub fn process_1(launch: &Launch) -> i32 {
    kernel_log::end();
    let mut setup = Setup::new(launch);
    let launch = &mut setup.launch;
    // Process 1 uses the terminal only if it is lent to the command.
    launch.terminal = launch.terminal.filter(|_| launch.spec.lends_terminal());
    let begun = container_setup::plan(&mut setup);
    let Setup { ref launch, tree, command, .. } = setup;
    match (begun, command) {
        (Ok(()), Some(command)) => {
            let spec = &launch.spec;
            let mut supervision = Supervision { launch: *launch, outside: Outside::NOTHING, tree };
            Init::new(spec, &mut supervision, &Relay::NONE, command, &|| weaken(spec)).forever()
        }
        (Ok(()), None) => command::become_command(&Command::new(launch)),
        (Err(why), _) => {
            launch.inform(News::Failed, 0);
            give_up(why)
        }
    }
}

/// Called when the command has been executed: process 1 gives up the rights that it needed for the start only.
fn weaken(spec: &Spec<'_>) {
    if spec.has_pty() || spec.is_awaited() {
        // Messages may go to the caller's terminal, which no process inside may have open.
        sys::end_messages();
    }
    let _ = if spec.is_sandbox() { confine(spec) } else { caps::keep_for_the_end(spec) };
}

/// Gives process 1 of a sandbox no more rights than the command has. Then it may be traceable, so that other processes can read
/// its namespaces in /proc (proc_pid_ns(5)). If a call fails, it stays untraceable.
fn confine(spec: &Spec<'_>) -> Done {
    caps::bound(spec)?;
    caps::keep_for_the_end(spec)?;
    sys::prctl(PR_SET_NO_NEW_PRIVS, 1)?;
    spec.confine.filters.iter().try_for_each(|program| sys::add_filter(program))?;
    if spec.is_told_of() { sys::prctl(PR_SET_DUMPABLE, 1) } else { Ok(()) }
}
