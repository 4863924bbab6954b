//! The launcher starts the other processes, except process 1 ([`crate::process::clone`]), and makes the pipes to them.

use rustix::pipe::PipeFlags;
use rustix::process::{getpid, setsid};

use crate::process::{enter, relay};
use crate::report::hint;
use crate::report::message::{blame, blame_hint};
use crate::say;
use crate::spec::End;
use crate::state::{Launch, Launcher, Pipe, descriptors, roles};
use crate::supervise::wait::{self, Before};
use crate::sys::files::{read, write};
use crate::sys::{self, Apart, Done, Failure, Fork, Kept, Signal};
use crate::text::Say;

/// The name of the step [`detach`].
pub const BACKGROUND: Say = say!("go on in the background");

/// Goes on in a child, in a session of its own without the caller's terminal. The original process waits until the child
/// sends an exit status, and exits with it.
pub fn detach(launcher: &mut Launcher) -> Done {
    let pipe = Pipe::new(PipeFlags::empty())?;
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
        || leaves
        || spec.channels.status.is_some()
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

/// Starts the relay, which copies between the caller's terminal and the command's.
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

/// fork(2).
///
/// # Errors
/// EAGAIN: a limit on processes is reached; ENOMEM. Reported.
#[inline(never)]
pub fn plain_fork() -> Result<Fork, Failure> {
    sys::clone_old(0).map_err(|why| blame_hint(say!("fork"), c"", why, hint::of_fork(why).hint()))
}

/// Starts the helper of `--enter`, and gets from it the number of the command, which is a child of the launcher.
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
    let done = || spec.terminal.pty && sys::owner(go.read).is_ok();
    let input = launch.news.filter(|_| spec.terminal.pty).map(|pipe| pipe.read);
    match wait::for_child(helper, Before { done: &done, input, until: None }) {
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
    let own = [relay.word.map(|pipe| pipe.write), outside.waiting, directory, file];
    roles::kept(by, launch, own.map(Kept::ours))
}
