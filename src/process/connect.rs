//! The launcher starts the other processes, except process 1 ([`crate::process::clone`]), and makes the pipes to them.

use rustix::pipe::PipeFlags;
use rustix::process::{getpid, setsid};

#[cfg(feature = "status")]
use crate::cgroup;
#[cfg(feature = "status")]
use crate::channels::json;
#[cfg(feature = "enter")]
use crate::process::enter;
#[cfg(feature = "pty")]
use crate::process::relay;
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
#[cfg(feature = "container")]
use crate::spec::Spec;
use crate::spec::{End, Object, rooms};
use crate::state::{Launch, Launcher, Pipe, descriptors, roles};
use crate::step::{OnError, Step};
#[cfg(feature = "enter")]
use crate::supervise::wait::{self, Before};
#[cfg(feature = "enter")]
use crate::sys::Apart;
use crate::sys::files::{read, write};
use crate::sys::{self, Done, Failure, Fork, Kept, Signal};
use crate::text::Say;

/// The name of the step [`detach`].
pub const BACKGROUND: Say = say!("go on in the background");

/// `ps` shows the name of `--name`. A kernel without CONFIG_CHECKPOINT_RESTORE does not change the name.
pub const SHOW_NAME: Step<Launcher> = Step::new(say!("set the process name to"), |launcher: &mut Launcher| {
    launcher
        .launch
        .spec
        .life
        .title
        .filter(|_| rooms::CONTAINER)
        .map_or(Ok(()), |title| sys::set_title(launcher.launch.start, title))
})
.on(Object::Title)
.when(|spec| spec.life.title.is_some())
.on_error(OnError::Ignore);

/// Goes on in a child, in a session of its own without the caller's terminal. The original process waits until the child
/// sends an exit status, and exits with it.
pub fn detach(launcher: &mut Launcher) -> Done {
    let pipe = Pipe::new(PipeFlags::empty())?;
    launcher.launch.above = [Some(getpid()), None, None];
    match sys::clone_old(0).map_err(|why| blame_hint(BACKGROUND, c"", why, hint::of_fork(why).hint()))? {
        Fork::Parent(_) => {
            sys::close(pipe.write);
            let mut status = [0u8];
            match read(pipe.read, &mut status)? {
                1 => sys::exit(status[0].into()),
                // The end of the file without a status: the child was killed.
                _ => Err(Failure::KILLED),
            }
        }
        Fork::Child => {
            sys::close(pipe.read);
            launcher.launch.launcher = getpid();
            launcher.outside.waiting = Some(pipe.write);
            setsid()?;
            descriptors::leave_terminals().map_err(|why| blame(BACKGROUND, c"/dev/null", why))
        }
    }
}

/// Waits for the inode numbers of the namespaces of process 1.
///
/// # Errors
/// As [`json::receive_namespaces`]. Reported: process 1 was killed because of the container's limit on memory.
#[cfg(feature = "status")]
pub fn receive_namespaces(launcher: &mut Launcher) -> Done {
    let received = json::receive_namespaces(&launcher.launch, &mut launcher.outside);
    received.map_err(|why| cgroup::blame_memory(&launcher.launch).unwrap_or(why))
}

/// The pipes between the launcher, process 1 and the command.
///
/// # Errors
/// EMFILE, ENFILE: there are no more descriptors; others: see pipe(2).
pub fn make_pipes(launcher: &mut Launcher) -> Done {
    let launch = &mut launcher.launch;
    let spec = &launch.spec;
    let container = spec.makes_container();
    if spec.contained() || spec.awaits_start() {
        launch.go.set(Pipe::new(PipeFlags::empty())?);
    }
    let leaves = spec.life.end == End::Leave && spec.supervises();
    if spec.is_told_of() && container {
        launch.told.set(Pipe::new(PipeFlags::empty())?);
    }
    // Where the command is the launcher's child it keeps the write end until it is executed.
    if !container
        || launch.terminal.is_some() && spec.life.own_group
        || spec.life.propagate
        || spec.machine.is_whole
        || leaves
        || spec.channels.status.is_some()
        || spec.cgroup.stats
        || spec.awaits_start()
    {
        // The parent of the command reads the news at each SIGCHLD. Any other signal could be meant for the command.
        let signal = if container { Signal::IO } else { Signal::CHLD };
        launch.news = Some(Pipe::announced(signal)?);
    }
    if !container {
        launch.executed = launch.news;
    }
    Ok(())
}

/// The socket by which process 1 gets the network. Where there can be none, process 1 makes the network itself.
pub fn make_socket(launcher: &mut Launcher) -> Done {
    let launch = &mut launcher.launch;
    match Pipe::of_sockets() {
        Ok(pair) => launch.network.set(pair),
        Err(_) => launch.beside = false,
    }
    Ok(())
}

/// Starts the relay, which copies between the caller's terminal and the command's.
#[cfg(feature = "pty")]
pub fn start_relay(launcher: &mut Launcher) -> Done {
    match plain_fork()? {
        Fork::Child => {
            if let Some(title) = launcher.launch.spec.life.title {
                let _ = sys::set_title(launcher.launch.start, title);
            }
            sys::exit(relay::run(&launcher.launch, launcher.relay.word))
        }
        Fork::Parent(relay) => launcher.relay.process = Some(relay),
    }
    Ok(())
}

/// Lets process 1 go on. EPIPE is no failure: process 1 has ended, has printed the reason, and its exit status is read later.
pub fn let_go(launch: &Launch) -> Done {
    match write(launch.go.get()?.write, b"!") {
        Ok(_) | Err(Failure::PIPE) => Ok(()),
        Err(why) => Err(why),
    }
}

#[cfg(feature = "container")]
/// A signal from the kernel when the launcher ends, for whatever reason. With process 1 the pid namespace ends; without one
/// the signal is SIGTERM, which leaves time to end the others.
///
/// # Errors
/// The errno of a seccomp filter of the caller's.
pub fn die_with_launcher(spec: &Spec<'_>) -> Done {
    let signal = if spec.life.process_1 { Signal::KILL } else { Signal::TERM };
    sys::prctl(sys::PR_SET_PDEATHSIG, signal.number().cast_unsigned())
}

/// fork(2).
///
/// # Errors
/// EAGAIN: a limit on processes is reached; ENOMEM. Reported.
#[inline(never)]
pub fn plain_fork() -> Result<Fork, Failure> {
    sys::clone_old(0).map_err(|why| blame_hint(say!("fork"), c"", why, hint::of_fork(why).hint()))
}

/// Starts the helper of `--enter`, and gets from it the number of the command, which is a child of the launcher.
#[cfg(feature = "enter")]
pub fn start_helper(launcher: &mut Launcher) -> Done {
    let helper = match plain_fork()? {
        Fork::Child => sys::exit(enter::enter(launcher)),
        Fork::Parent(helper) => helper,
    };
    let launch = &launcher.launch;
    let (go, spec) = (launch.go.get()?, &launch.spec);
    let enter = |why| blame(say!("enter"), spec.target.unwrap_or_default(), why);
    if let Some(news) = launch.news {
        // Close our copy of the write end, or read(2) never returns the end of the file.
        sys::close(news.write);
    }
    // With --pty the helper leads the session, and stays when the command is started.
    let begun = || sys::owner(go.read).is_ok();
    let done = || spec.has_pty() && begun();
    let input = launch.news.filter(|_| spec.has_pty()).map(|pipe| pipe.read);
    match wait::for_child(helper, Before { done: &done, begun: &begun, input, until: None }) {
        Ok(0) => {}
        Ok(_) => return Err(Failure::REPORTED),
        Err(Signal::KILL) => return Err(enter(Failure::KILLED)),
        // A signal asked the launcher to end, and the helper was killed.
        Err(signal) => {
            launcher.ended_by = Some(signal);
            return Err(Failure::REPORTED);
        }
    }
    let command = sys::owner(go.read).map_err(enter)?;
    launcher.relay.leader = Some(helper);
    launcher.outside.container.set(command);
    launcher.command = Some((command, Apart::NOBODY));
    Ok(())
}

/// What the launcher keeps open while the command runs: `by` is its role.
#[must_use]
pub fn kept(launcher: &Launcher, by: u8) -> [Kept; roles::MOST] {
    let Launcher { launch, outside, relay, .. } = launcher;
    let (directory, file) = outside.pid_file.unzip();
    let process = launcher.directory.known().filter(|_| launch.network.known().is_some());
    let own = [relay.word.map(|pipe| pipe.write), outside.waiting, directory, file, process];
    roles::kept(by, launch, own.map(Kept::ours))
}
