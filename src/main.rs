//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

mod front;

use core::mem::ManuallyDrop;

use engine::fault::{FAILED, Fault};
use engine::sys::{Start, say};
use engine::{judge, launch};
use rustix::process::geteuid;

use front::draft::{Asked, Draft};
use front::{NATIVE, parse, print_help, print_usage, print_version};

#[cfg(not(test))]
#[global_allocator]
static HEAP: engine::sys::Bump = engine::sys::Bump::new();

#[cfg(not(test))]
engine::entry!(run);

/// Parse, judge, launch, answer.
#[cfg_attr(test, allow(dead_code, reason = "the test harness has a main of its own"))]
fn run(start: Start) -> i32 {
    // CVE-2020-5291, CVE-2026-41163: a set-id launcher gives everybody what only its owner may do.
    if start.auxiliary.secure {
        return Fault::new(
            b"set-id bits or file capabilities",
            c"",
            say(c"nsinit needs none, and gives away what it has"),
        )
        .report();
    }
    if start.args.len() <= 2 {
        print_usage(&NATIVE);
        return FAILED.into();
    }
    // Nothing is given back: the process ends or becomes another.
    let mut draft = ManuallyDrop::new(Draft::new(start.env));
    let command = match parse(&NATIVE, &start, &mut draft) {
        Ok(command) => command,
        Err(fault) => return fault.report(),
    };
    let asked = draft.asked;
    let mut spec = ManuallyDrop::into_inner(draft).finish(command, !geteuid().is_root());
    match asked {
        Asked::Help => print_help(&NATIVE),
        Asked::Version => print_version(),
        Asked::Explain | Asked::Run => {
            if let Err(fault) = judge::judge(&spec) {
                return fault.report();
            }
            if asked == Asked::Run {
                return launch::run(&mut spec, &start);
            }
            launch::explain(&spec);
        }
    }
    0
}
