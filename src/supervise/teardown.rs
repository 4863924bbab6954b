//! The one teardown, whatever ended the launch: it removes or restores the launcher's traces outside of the container.
//!
//! Processes and mounts need no teardown: they end with the namespaces. Without a pid namespace, `init` has ended the processes.

#[cfg(feature = "cgroup")]
use crate::cgroup;
#[cfg(feature = "status")]
use crate::cgroup::has_killed_for_memory;
#[cfg(feature = "status")]
use crate::channels::json;
#[cfg(feature = "detach")]
use crate::channels::{pid_file, start};
#[cfg(feature = "net")]
use crate::net::{links, pasta};
use crate::report::exit;
use crate::report::message::{blame, give_up, tell};
use crate::report::wording::Event;
use crate::say;
#[cfg(any(feature = "detach", feature = "status"))]
use crate::spec::Object;
use crate::spec::Spec;
use crate::state::{Launch, Outcome, Outside, Process};
#[cfg(any(feature = "cgroup", feature = "detach", feature = "status"))]
use crate::step::OnError;
use crate::step::{self, walk};
use crate::supervise::job_control::Job;
use crate::sys::{self, Done, Failure, Signal};

type Step = step::Step<Ended>;

/// A launch that has ended.
#[repr(C)]
pub struct Ended {
    pub launch: Launch,
    pub outside: Outside,
    /// The job of the command, if there was one.
    pub job: Option<Job>,
    pub outcome: Outcome,
}

impl Ended {
    #[must_use]
    #[inline(never)]
    pub fn new(launch: &Launch, outside: &Outside, job: Option<Job>, outcome: Outcome) -> Ended {
        Ended { launch: *launch, outside: *outside, job, outcome }
    }
}

impl Process for Ended {
    fn launch(&mut self) -> &mut Launch {
        &mut self.launch
    }
}

/// After the command. No failure keeps the rest from being done.
static END: &[Step] = &[
    Step::new(say!("take the terminal back"), |ended| {
        if let Some(job) = &mut ended.job {
            job.take_back(ended.outcome.killer);
        }
        Ok(())
    })
    .when(|spec| spec.lends_terminal() || spec.hides_group()),
    #[cfg(feature = "pty")]
    Step::new(say!("end the relay"), |ended| {
        if let Some(job) = &mut ended.job {
            job.end_relay();
        }
        Ok(())
    })
    .when(|spec| spec.has_pty()),
    #[cfg(feature = "stats")]
    Step::new(say!("report what the container used"), |ended| {
        if ended.outcome.ran {
            cgroup::report_stats(&ended.launch);
        }
        Ok(())
    })
    .when(|spec| spec.cgroup.stats),
    // A reader that has closed its end needs no report.
    #[cfg(feature = "status")]
    Step::new(say!("write the exit of CMD to"), |ended| {
        let Outcome { status, ran, killer } = ended.outcome;
        let used_up = has_killed_for_memory(&ended.launch);
        if ran { json::write_end(&ended.launch.spec, status, killer, used_up) } else { Ok(()) }
    })
    .on(Object::StatusFd)
    .when(|spec| spec.channels.status.is_some())
    .on_error(OnError::Ignore),
    #[cfg(feature = "cgroup")]
    REMOVE_CGROUP,
    #[cfg(feature = "net")]
    DISCONNECT,
    #[cfg(feature = "detach")]
    REMOVE,
    #[cfg(feature = "detach")]
    TELL,
];

/// Nothing was started, or it has ended.
static ABANDON: &[Step] = &[
    #[cfg(feature = "cgroup")]
    REMOVE_CGROUP,
    #[cfg(feature = "net")]
    DISCONNECT,
    #[cfg(feature = "detach")]
    REMOVE,
    #[cfg(feature = "detach")]
    TELL,
];

#[cfg(feature = "cgroup")]
const REMOVE_CGROUP: Step =
    Step::new(say!("remove the container's cgroup"), |ended| cgroup::remove_with_processes(&ended.launch))
        .when(|spec| spec.has_cgroup())
        .on_error(OnError::Warn(say!("the next launch in that cgroup removes it")));

#[cfg(feature = "net")]
const DISCONNECT: Step = Step::new(say!("disconnect the network of the container"), |ended| {
    pasta::end(&mut ended.outside);
    links::remove_all(&ended.launch);
    Ok(())
})
.when(|spec| spec.is_connected());

#[cfg(feature = "detach")]
const REMOVE: Step = Step::new(say!("remove"), |ended| {
    pid_file::remove(&ended.launch.spec, &ended.outside);
    Ok(())
})
.on(Object::PidFile)
.when(|spec| spec.channels.pid_file.is_some());

/// The caller's process, or the keeper, waits for the exit status as long as the command has not been executed.
#[cfg(feature = "detach")]
const TELL: Step = Step::new(say!("report a failure to the process that waits, if CMD never ran"), |ended| {
    start::report_failure(&mut ended.outside, ended.outcome.status);
    Ok(())
})
.when(|spec| spec.is_awaited())
.on_error(OnError::Ignore);

/// Whether the teardown has a step.
#[must_use]
pub fn is_needed(spec: &Spec<'_>) -> bool {
    END.iter().any(|step| step.is_asked(spec))
}

/// All steps of the teardown, in their order.
///
/// # Errors
/// None: a failed step of the teardown is no failure of the launch.
pub fn plan(ended: &mut Ended) -> Done {
    walk(END, ended)
}

/// Dies of the signal that killed the command, if the user asked for that. Otherwise returns the exit status.
#[must_use]
pub fn exit(ended: &Ended) -> i32 {
    let Outcome { status, killer, ran } = ended.outcome;
    let spec = &ended.launch.spec;
    // Without a container, --verbose has printed it already.
    let verbose = spec.life.verbose >= 1;
    if spec.machine.is_whole && ran && (spec.makes_container() || !verbose) {
        match killer {
            Some(killer) => tell(Event::Died, [killer.number(), 0], c""),
            None if status != 0 || verbose => tell(Event::Ended, [status, 0], c""),
            None => {}
        }
    }
    if let Some(killer) = killer.filter(|_| spec.life.propagate) {
        sys::die_of(killer);
    }
    status
}

/// The launch has failed before there was a command: why, or the signal that asked the launcher to end. Returns the exit
/// status.
pub fn abandon(mut ended: Ended, done: Done, asked: Option<Signal>) -> i32 {
    ended.outcome.status = match (asked, done) {
        (Some(signal), _) => exit::of_signal(signal).into(),
        (None, Err(why)) => give_up(why),
        // Not reached: a plan that succeeds has a child.
        (None, Ok(())) => give_up(blame(say!("start"), c"CMD", Failure::CHILD)),
    };
    let _ = walk(ABANDON, &mut ended);
    ended.outcome.status
}
