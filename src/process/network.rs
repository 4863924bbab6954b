//! PROCESS: the launcher's helper that makes the network, while process 1 makes the mounts. The kernel needs a third of the time
//! of a launch to make a network namespace.
//!
//! - Namespaces: the caller's; then the user namespace of process 1 and a new network namespace.
//! - Rights: all capabilities in that user namespace (or the caller's own, without one).
//! - Memory: the launcher's, which stands still meanwhile (vfork(2)).
//! - It ends with the launcher. No failure ends the launch: process 1 then makes the network itself.
//! - Next: exit(2).

use core::cell::Cell;

use linux_raw_sys::general as raw;
use rustix::fs::OFlags;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

use crate::ns::{limits, loopback};
use crate::report::hint;
use crate::report::message::{blame_hint, failed};
use crate::say;
use crate::spec::Object;
use crate::state::{Launch, Launcher, Learned, NetworkHelper, Process, write_to_anybody};
use crate::step::{self, OnError, untraceable, walk};
use crate::sys::files::{self, read};
use crate::sys::{self, Done, Failure, PR_SET_PDEATHSIG, Signal};
use crate::text::Say;

type Step = step::Step<NetworkHelper>;

static STEPS: &[Step] = &[
    // Its end shows process 1 that the launcher has ended.
    Step::new(say!("close the launcher's pipe"), |helper| {
        sys::close(helper.launch.go.get()?.write);
        Ok(())
    })
    .on_error(OnError::Leave),
    Step::new(say!("join the user namespace of process 1"), |helper| {
        sys::join(files::open(helper.container.get()?, c"ns/user", OFlags::RDONLY)?, raw::CLONE_NEWUSER)
    })
    .when(|spec| spec.unshares(raw::CLONE_NEWUSER))
    .on_error(OnError::Leave),
    // The change of credentials has reset PR_SET_DUMPABLE of the memory, which is the launcher's too, and PR_SET_PDEATHSIG of this
    // process (prctl(2)).
    untraceable().on_error(OnError::Leave),
    Step::new(say!("die with the launcher"), |helper| {
        sys::prctl(PR_SET_PDEATHSIG, Signal::KILL.number().cast_unsigned())?;
        if sys::is_child_of(Some(helper.launch.launcher))? { Ok(()) } else { Err(Failure::CHILD) }
    })
    .on_error(OnError::Leave),
    Step::new(MAKE, |_| sys::unshare(raw::CLONE_NEWNET)).on_error(OnError::Leave),
    // Process 1 makes no such namespace any more.
    Step::new(limits::FORBID, |helper| limits::forbid_nesting(&helper.launch.spec, helper.launch.proc.get()?))
        .when(|spec| spec.forbids_nesting() && !spec.makes_cgroup_namespace())
        .on_error(OnError::Leave),
    Step::new(say!("hand the network namespace to process 1"), |helper| {
        let socket = socket_with(AddressFamily::UNIX, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
        let network = sys::network_of(&socket)?;
        sys::send(helper.launch.network.get()?.write, [network; 2])
    })
    .on_error(OnError::Leave),
    bring_up(),
    Step::new(say!("report the network to process 1"), |helper| {
        write_to_anybody(helper.launch.network.get()?.write, READY)
    })
    // The launcher writes it then.
    .on_error(OnError::Leave),
];

/// The message of one byte without descriptors: the network namespace is complete, or process 1 has to make it.
const READY: &[u8] = b"!";

/// Process 1 has ended, and had not read all that the helper sent.
const RESET: Failure = Failure::new(linux_raw_sys::errno::ECONNRESET);

const MAKE: Say = say!("make a network namespace");

/// The steps of a process 1 that makes the network itself.
static ALONE: &[step::Step<Launch>] = &[
    step::Step::<Launch>::new(MAKE, |_| {
        sys::unshare(raw::CLONE_NEWNET).map_err(|why| blame_hint(MAKE, c"", why, hint::of_network(why).hint()))
    })
    .when(|spec| spec.unshares(raw::CLONE_NEWNET) && !spec.makes_network_first()),
    bring_up().when(|spec| spec.unshares(raw::CLONE_NEWNET)),
];

/// The steps of a process 1 that gets the network from the helper.
static TAKE: &[step::Step<Launch>] =
    &[step::Step::<Launch>::new(say!("join the network namespace of the helper"), take)];

/// Process 1 does other work before.
static AWAIT: &[step::Step<Launch>] =
    &[step::Step::<Launch>::new(say!("wait until the network is complete"), |launch| {
        // If process 1 had to make it itself, it is.
        if launch.beside && read(launch.network.get()?.read, &mut [0u8])? == 0 {
            sys::exit(failed());
        }
        Ok(())
    })];

/// The step that brings up the loopback interface. No security impact: warn and continue.
const fn bring_up<P: Process>() -> step::Step<P> {
    step::Step::new(say!("bring up"), |_| loopback::loopback_up())
        .on(Object::Loopback)
        .on_error(OnError::Warn(say!("the container goes on without it")))
}

/// Process 1 makes the network, before the mounts.
///
/// # Errors
/// The first step that failed, reported.
pub fn make_alone(launch: &mut Launch) -> Done {
    walk(ALONE, launch)
}

/// Process 1 joins the network that the helper has made.
///
/// # Errors
/// The first step that failed, reported.
pub fn join(launch: &mut Launch) -> Done {
    walk(TAKE, launch)
}

/// Process 1 waits until the helper has completed the network.
///
/// # Errors
/// The first step that failed, reported.
pub fn await_completion(launch: &mut Launch) -> Done {
    walk(AWAIT, launch)
}

fn take(launch: &mut Launch) -> Done {
    let socket = launch.network.get()?;
    // Close our copy of the other end, or recvmsg(2) never returns the end of the file.
    sys::close(socket.write);
    match sys::receive(socket.read) {
        Ok([network, _]) if sys::join(network, raw::CLONE_NEWNET).is_ok() => Ok(()),
        // The launcher has ended.
        Err(Failure::BADF) => sys::exit(failed()),
        // The helper could not make it, or it cannot be joined.
        _ => {
            launch.beside = false;
            make_alone(launch)
        }
    }
}

/// Starts the helper, and waits for its end. The launcher then closes the socket.
///
/// # Errors
/// [`Failure::KILLED`]: the helper was killed; others: see write(2).
pub fn start(launcher: &mut Launcher) -> Done {
    let socket = launcher.launch.network.get()?;
    // The helper stores its result in our memory: a seccomp filter may forbid wait4(2).
    let result = Cell::new(None);
    if let Ok(helper) = sys::spawn(run, &(&*launcher, &result)) {
        let ended = sys::wait_end(helper.as_raw_nonzero().get());
        if result.get().is_none() {
            return Err(ended.err().unwrap_or(Failure::KILLED));
        }
    }
    if result.get() != Some(Ok(())) {
        // Process 1 has ended: that is no failure here. It has printed the reason, or was killed; its exit status is read later.
        match write_to_anybody(socket.write, READY) {
            Ok(()) | Err(Failure::PIPE | Failure::NOTCONN | RESET) => {}
            Err(why) => return Err(why),
        }
    }
    sys::close(socket.write);
    [launcher.directory.known(), launcher.launch.proc.known()].into_iter().flatten().for_each(sys::close);
    launcher.launch.network = Learned::NOT_YET;
    Ok(())
}

/// The helper. Stores the result of its steps: `Ok` if process 1 has got the network. Returns its exit status.
fn run((launcher, result): &(&Launcher, &Cell<Option<Done>>)) -> i32 {
    result.set(Some(plan(&mut NetworkHelper { launch: launcher.launch, container: launcher.directory })));
    0
}

/// All steps of the helper, in their order.
///
/// # Errors
/// The helper cannot make the network.
pub fn plan(helper: &mut NetworkHelper) -> Done {
    walk(STEPS, helper)
}
