//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

mod front;

use engine::fault::FAILED;
use engine::sys::{self, Start};
use engine::{judge, launch};

use front::draft::Asked;
use front::{NATIVE, parse, print_help, print_usage, print_version};

#[cfg(not(test))]
#[global_allocator]
static HEAP: sys::Bump = sys::Bump::new();

#[cfg(not(test))]
engine::entry!(run);

/// Parse, judge, launch, answer.
#[cfg_attr(test, allow(dead_code, reason = "the test harness has a main of its own"))]
fn run(start: Start) -> i32 {
    if sys::started_secure() {
        return refuse_privileges().report();
    }
    if start.args.len() <= 2 {
        print_usage(&NATIVE);
        return i32::from(FAILED);
    }
    let (draft, command) = match parse(&NATIVE, &start) {
        Ok(parsed) => parsed,
        Err(fault) => return fault.report(),
    };
    let asked = draft.asked;
    match asked {
        Asked::Help => print_help(&NATIVE),
        Asked::Version => print_version(),
        Asked::Run | Asked::Explain => {
            let rootless = !rustix::process::geteuid().is_root();
            let spec = match draft.finish(command, rootless).and_then(|spec| judge::judge(&spec).map(|()| spec)) {
                Ok(spec) => spec,
                Err(fault) => return fault.report(),
            };
            if asked == Asked::Run {
                return launch::run(&spec, &start);
            }
            launch::explain(&spec);
        }
    }
    0
}

/// CVE-2020-5291, CVE-2026-41163: a set-id launcher gives everybody what only its owner may do.
fn refuse_privileges() -> engine::fault::Fault<'static> {
    engine::fault::Fault::sentence("start", c"", "set-id bits or file capabilities on nsinit are not supported")
        .hint("remove them: it needs none")
}
