//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

mod cli;

use core::ffi::CStr;
use core::mem::ManuallyDrop;

use engine::process::machine::is_whole_machine;
use engine::report::message::{blame, failed, give_up, refuse};
use engine::report::wording::speak_as;
use engine::run;
use engine::say;
use engine::spec::Spec;
use engine::spec::validate::{self, Fault};
use engine::sys::{Start, own_number, unwritten};

use cli::builder::{Asked, Draft};
use cli::{Bad, NATIVE, Vocabulary, base, boot, choose, complain, complain_of_no_command, parse, print, try_out};

#[cfg(not(test))]
#[global_allocator]
static HEAP: engine::sys::Bump = engine::sys::Bump::new(end_without_memory);

/// Rust's own end would be a trap.
#[cfg(not(test))]
fn end_without_memory() -> ! {
    blame(say!("allocate memory"), c"", engine::sys::Failure::NOMEM);
    engine::sys::exit(failed())
}

#[cfg(not(test))]
engine::entry!(run);

/// Parse, judge, launch, answer.
#[cfg_attr(test, allow(dead_code, reason = "the test harness has a main of its own"))]
fn run(start: Start) -> i32 {
    // It lives as long as the process.
    let start: &'static Start = Box::leak(Box::new(start));
    // CVE-2020-5291, CVE-2026-41163: a set-id launcher gives everybody what only its owner may do.
    if start.auxiliary.secure {
        return Fault::new(
            say!("set-id bits or file capabilities"),
            b"",
            c"",
            say!("nsinit needs none, and gives away what it has"),
        )
        .report();
    }
    let program = start.args.first().and_then(|word| word.get().get()).unwrap_or_default();
    let words = choose(program);
    speak_as(words.voice);
    let native = words.voice == NATIVE.voice;
    let first = match own_number() {
        Ok(number) => native && number == 1,
        Err(why) => {
            blame(say!("ask for our own number"), c"", why);
            return failed();
        }
    };
    let (whole, alone) = (first && is_whole_machine(), start.args.len() <= 2);
    let meant = try_out(words, start.args, start);
    if whole || first && (meant.boots || alone && base(program) == b"init") {
        boot(start, whole);
    }
    if alone && native {
        print(words, Asked::Usage, program);
        return failed();
    }
    if let Some(command) = meant.command.filter(|_| meant.contained)
        && let Err(why) = run::leave_file(command.command(), start)
    {
        return give_up(why);
    }
    // Nothing is given back: the process ends or becomes another.
    let mut draft = ManuallyDrop::new(Draft::new(start.env));
    if let Err(why) = (words.begin)(&mut draft) {
        return refuse(why);
    }
    draft.spec.exec.argv = match parse(words, start, &mut draft) {
        Ok(command) => command,
        Err(Bad) => return complain(words, &draft.complaint, program),
    };
    (words.end)(&mut draft);
    if let Err(why) = draft.finish() {
        return refuse(why);
    }
    answer(words, draft.asked, &draft.spec, start, program)
}

fn answer(
    words: &'static Vocabulary,
    asked: Asked,
    spec: &Spec<'static>,
    start: &'static Start,
    program: &CStr,
) -> i32 {
    match asked {
        Asked::Pause => return run::pause(start),
        Asked::Explain | Asked::Run => {
            if words.voice != NATIVE.voice && spec.exec.argv.is_none() {
                return complain_of_no_command(words, program);
            }
            if (words.voice == NATIVE.voice || spec.contained())
                && let Err(fault) = validate::check(spec)
            {
                return fault.report();
            }
            if asked == Asked::Run {
                if spec.machine.boots {
                    let why = say!("it is for process 1, of a machine or of a pid namespace");
                    return Fault::new(say!("--boot and --switch-root"), b"", c"", why).report();
                }
                return run::run(spec, start);
            }
            run::explain(spec, start);
        }
        _ => print(words, asked, program),
    }
    // A script may read it: a text that is cut off is a failure.
    match unwritten() {
        Some(why) => {
            blame(say!("write to"), c"standard output", why);
            failed()
        }
        None => 0,
    }
}
