//! A machine's first process, after the machine is prepared.

use core::ffi::CStr;

use rustix::process::{Pid, setsid};

use super::services;
use crate::process::connect;
use crate::process::machine;
use crate::report::kernel_log;
use crate::report::message::failed;
use crate::spec::{End, Spec};
use crate::state::Launch;
use crate::supervise::hardware::{self, argument, buttons, status, watchdog};
use crate::supervise::machine::Machine;
pub use crate::supervise::machine::What;
use crate::supervise::power::{self, Power};
use crate::supervise::services::{Service, Services};
use crate::supervise::storage;
use crate::supervise::wait::{self, ANY_CHILD};
use crate::sys::{self, Failure, Fork, Set, Siginfo, Time};
use crate::tty::job;

/// Runs the command, until the machine is to end, and ends the machine. `shell` is what `--on-exit shell` runs; `first` is what is
/// run first, `None` if the command line is wrong. `launch` is that of [`machine::prepare`].
pub fn run(
    spec: &Spec<'static>,
    shell: &Spec<'static>,
    mut first: Option<What>,
    services: &mut [Service],
    launch: &Launch,
) -> ! {
    if first.is_some() {
        let mut own = *launch;
        own.spec = *spec;
        // With --switch-root, this returns only if a step failed.
        if machine::plan(&mut own).is_err() {
            first = None;
        }
    }
    // An open descriptor would keep a mount busy.
    sys::close_ours(&buttons::kept(), &[watchdog::kept()]);
    let serve = |service: &Service| services::start(service, launch);
    let begin = |what| start_session(if what == What::Command { spec } else { shell }, launch);
    // Signals that are not blocked are lost as long as nothing waits for them.
    if sys::set_mask(Set::ALL).is_err() {
        wait::stop_hearing();
    }
    let services = Services::new(services, &serve);
    let mut machine = Machine { spec, begin: &begin, child: None, status: failed() as u8, services };
    let power = machine.supervise(first);
    let services = &mut machine.services;
    let ended = power::end_all(
        machine.child,
        &mut || services.take_last(),
        match spec.life.end {
            End::Grace(span) => Some(span),
            End::Wait => None,
            _ => Some(0),
        },
    );
    if let Some(change) = ended {
        machine.has_ended(change);
    }
    hardware::leave_behind(&spec.hardware);
    let argument = argument::read();
    if spec.machine.is_whole {
        storage::end(launch.start);
    }
    status::send(&spec.hardware, machine.status);
    watchdog::end(power == Power::Restart);
    if power != Power::Restart {
        status::end_by_port(&spec.hardware, machine.status);
    }
    end_kernel(power, argument.c_str(), spec.machine.is_whole, machine.status)
}

/// Has the kernel end the machine, or the pid namespace. The process of a namespace ends with the status if the kernel does not do that.
fn end_kernel(power: Power, argument: &CStr, is_whole: bool, status: u8) -> ! {
    let mut info = Siginfo::empty();
    // A child calls reboot(2): to halt the machine, the kernel ends the calling process too.
    loop {
        match connect::plain_fork() {
            Ok(Fork::Child) => sys::exit(power::switch(power, argument, is_whole).number() as i32),
            Ok(Fork::Parent(child)) => {
                let _ = sys::wait_end(child.as_raw_nonzero().get());
                break;
            }
            Err(_) => {}
        }
        if !is_whole {
            break;
        }
        // Every other process has ended: memory and process numbers will become free.
        let _ = wait::signal(Some(A_SECOND), ANY_CHILD, &mut info);
    }
    if !is_whole {
        sys::exit(status.into());
    }
    // If this process ended, the kernel would panic.
    loop {
        let _ = wait::signal(None, ANY_CHILD, &mut info);
        power::reap();
    }
}

const A_SECOND: Time = Time { seconds: 1, nanos: 0 };

/// Starts a child, in a session of its own on the console, that runs a launch as any other nsinit does.
fn start_session(spec: &Spec<'static>, launch: &Launch) -> Result<Pid, Failure> {
    match sys::clone_old(0)? {
        Fork::Parent(child) => Ok(child),
        Fork::Child => {
            sys::close_ours(&[], &[]);
            let _ = setsid();
            // Standard input may be no terminal.
            let _ = job::control();
            let _ = sys::set_mask(launch.caller.mask);
            if spec.enters() {
                kernel_log::end();
            }
            let status = super::run(spec, launch.start);
            kernel_log::flush(kernel_log::AT_END);
            sys::exit(status)
        }
    }
}
