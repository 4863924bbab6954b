//! `--explain`: the steps of a whole launch, process by process, in their order.

#[cfg(feature = "enter")]
use crate::process::enter;
#[cfg(feature = "keeper")]
use crate::process::keeper_setup;
#[cfg(feature = "boot")]
use crate::process::machine;
use crate::process::{command, launcher};
#[cfg(feature = "container")]
use crate::process::{container_setup, network};
use crate::say;
use crate::spec::Spec;
use crate::state::{Command, Launcher, Outcome, Outside};
#[cfg(feature = "enter")]
use crate::state::{Helper, Target};
#[cfg(feature = "container")]
use crate::state::{Launch, NetworkHelper, Setup};
use crate::step::explain_title;
use crate::supervise::teardown::{self, Ended};
use crate::sys::{Done, Start};
use crate::text::Say;

/// One process of a launch.
struct Part {
    /// Its title; [`Say::NOTHING`]: it has no step.
    title: fn(&Spec<'_>) -> Say,
    /// Walks its steps.
    plan: fn(&mut Launcher) -> Done,
    /// It is above the launcher.
    keeps: bool,
}

/// In the order of the launch.
static PARTS: &[Part] = &[
    #[cfg(feature = "boot")]
    Part {
        title: |spec| if spec.boots() { say!("process 1:") } else { Say::NOTHING },
        plan: |launcher| {
            let mut own = launcher.launch;
            machine::prepare(&mut own)?;
            machine::plan(&mut own)
        },
        keeps: false,
    },
    #[cfg(feature = "keeper")]
    Part {
        title: |spec| if spec.has_keeper() { say!("keeper:") } else { Say::NOTHING },
        plan: keeper_setup::plan,
        keeps: true,
    },
    Part {
        title: |spec| match () {
            () if replaces(spec) => Say::NOTHING,
            () if spec.makes_container() => say!("launcher:"),
            () => say!("nsinit:"),
        },
        plan: launcher::plan,
        keeps: false,
    },
    #[cfg(feature = "container")]
    Part {
        title: |spec| if Launch::has_network_helper(spec) { say!("helper of the launcher:") } else { Say::NOTHING },
        plan: |launcher| network::plan(&mut NetworkHelper { launch: launcher.launch, container: launcher.directory }),
        keeps: false,
    },
    #[cfg(feature = "container")]
    Part {
        title: |spec| if spec.makes_container() { say!("process 1:") } else { Say::NOTHING },
        plan: |launcher| container_setup::plan(&mut Setup::new(&launcher.launch)),
        keeps: false,
    },
    #[cfg(feature = "enter")]
    Part {
        title: |spec| if spec.enters() { say!("helper of nsinit:") } else { Say::NOTHING },
        plan: |launcher| enter::plan(&mut Helper { launch: launcher.launch, target: Target::NONE }),
        keeps: false,
    },
    Part {
        title: |spec| match (spec.makes_container(), spec.supervises()) {
            _ if replaces(spec) => Say::NOTHING,
            (true, true) => say!("CMD, a child of process 1:"),
            (true, false) => say!("process 1, as CMD:"),
            (false, _) => say!("CMD, a child of nsinit:"),
        },
        plan: |launcher| command::plan(&mut Command::new(&launcher.launch)),
        keeps: false,
    },
    Part {
        title: |spec| match spec.makes_container() {
            _ if replaces(spec) || !teardown::is_needed(spec) => Say::NOTHING,
            true => say!("launcher, at the end:"),
            false => say!("nsinit, at the end:"),
        },
        plan: |launcher| teardown::plan(&mut Ended::new(&launcher.launch, &Outside::NOTHING, None, Outcome::NONE)),
        keeps: false,
    },
];

/// Whether the command takes the place of nsinit: no process follows.
fn replaces(spec: &Spec<'_>) -> bool {
    spec.boots() && spec.machine.switch_root.is_some()
}

/// Prints the steps by process, in order, and runs nothing.
pub fn print_steps(spec: &Spec<'static>, start: &'static Start) {
    for part in PARTS {
        let spec = if part.keeps { *spec } else { spec.of_launcher() };
        let title = (part.title)(&spec);
        if !title.is_empty() {
            explain_title(title);
            let mut launcher = Launcher::new(&spec, start);
            launcher.launch.explains = true;
            // A walk that only prints does not fail.
            let _ = (part.plan)(&mut launcher);
        }
    }
}
