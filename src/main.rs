//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

mod front;

use engine::fault::{FAILED, Fault};
use engine::sys::{self, Start};
use engine::{judge, launch};

use front::draft::{Asked, Draft};
use front::{NATIVE, parse, print_help, print_usage, print_version};

#[cfg(not(test))]
#[global_allocator]
static HEAP: sys::Bump = sys::Bump::new();

#[cfg(not(test))]
engine::entry!(run);

/// Parse, judge, launch, answer.
#[cfg_attr(test, allow(dead_code, reason = "the test harness has a main of its own"))]
fn run(start: Start) -> i32 {
    // CVE-2020-5291, CVE-2026-41163: a set-id launcher gives everybody what only its owner may do.
    if sys::started_secure() {
        return Fault::new("set-id bits or file capabilities", c"", "nsinit needs none, and gives away what it has")
            .report();
    }
    if start.args.len() <= 2 {
        print_usage(&NATIVE);
        return FAILED.into();
    }
    let mut draft = Draft::new(start.env);
    match parse(&NATIVE, &start, &mut draft) {
        Ok(command) => draft.finish(command),
        Err(fault) => return fault.report(),
    }
    match draft.asked {
        Asked::Help => print_help(&NATIVE),
        Asked::Version => print_version(),
        Asked::Explain | Asked::Run => {
            if let Err(fault) = judge::judge(&draft.spec) {
                return fault.report();
            }
            if draft.asked == Asked::Run {
                return launch::run(&mut draft.spec, &start);
            }
            launch::explain(&draft.spec);
        }
    }
    0
}
