//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

extern crate nsinit as engine;

mod cli;

use engine::report::message::{blame, failed, refuse};
use engine::report::wording;
use engine::run;
use engine::say;
use engine::spec::rooms;
use engine::spec::validate::{self, Fault};
use engine::sys::{self, Start};

use cli::builder::Asked;
#[cfg(feature = "boot")]
use cli::kernel_cmdline;
#[cfg(not(feature = "boot"))]
use cli::no_machine as kernel_cmdline;
use cli::rows::Vocabulary;
use cli::{CommandLine, services, words};

#[cfg(not(test))]
#[global_allocator]
static HEAP: engine::sys::Bump = engine::sys::Bump::new(end_without_memory);

/// Reports that memory is short. Rust's own handler would end the process with a trap.
#[cfg(not(test))]
fn end_without_memory() -> ! {
    blame(say!("allocate memory"), c"", engine::sys::Failure::NOMEM);
    engine::sys::exit(failed())
}

#[cfg(not(test))]
engine::entry!(run);

/// Read, validate, launch, answer.
#[cfg_attr(test, allow(dead_code, reason = "the test harness has a main of its own"))]
fn run(start: Start) -> i32 {
    // Never freed: the Spec and the words point into it.
    let start: &'static Start = Box::leak(Box::new(start));
    let program = || start.args.first().and_then(|word| word.get().get()).unwrap_or_default();
    let Some(vocabulary) = cli::choose(program()) else {
        return refuse(say!("this name of nsinit is not in this build (see nsinit --version)"));
    };
    wording::choose(vocabulary.wording);
    // CVE-2020-5291, CVE-2026-41163: a set-id launcher gives every caller the rights of its owner.
    if start.auxiliary.secure {
        return refuse(say!(
            "set-id bits and file capabilities are not supported: every caller would get their rights"
        ));
    }
    // The options keep pointers to the words, so the words are moved before one is read.
    if rooms::CONTAINER
        && vocabulary.makes_containers
        && let Err(why) = sys::prepare_to_hide(start)
    {
        blame(say!("hide the arguments of"), c"nsinit", why);
        return failed();
    }
    let program = program();
    let native = !vocabulary.needs_command;
    let first = match sys::own_number() {
        Ok(number) => native && number == 1,
        Err(why) => {
            blame(say!("read nsinit's process id"), c"", why);
            return failed();
        }
    };
    let mut line = CommandLine::new(vocabulary, program, start);
    let (whole, alone) = (first && kernel_cmdline::is_whole_machine(), start.args.len() <= 2);
    if whole || first && alone && words::base(program) == b"init" {
        kernel_cmdline::boot(start, whole, None);
    }
    if alone && native {
        line.print(Asked::Usage);
        return failed();
    }
    if let Err(why) = (vocabulary.begin)(&mut line.draft) {
        return refuse(why);
    }
    line.draft.is_first = first;
    line.read(start.args, start);
    if first && line.draft.spec.boots() {
        kernel_cmdline::boot(start, false, Some(&mut line));
    }
    match line.carry_out(start) {
        Ok(()) => answer(vocabulary, &mut line, start),
        Err(status) => status,
    }
}

fn answer(vocabulary: &'static Vocabulary, line: &mut CommandLine, start: &'static Start) -> i32 {
    let asked = line.draft.asked;
    let mut status = 0;
    match asked {
        _ if rooms::CATATONIT && asked == Asked::Pause => return run::pause(start),
        _ if rooms::PROBE && asked == Asked::Probe => {
            return run::print_answers(line.draft.json, &mut line.draft.spec, start);
        }
        _ if rooms::STATS && (asked == Asked::Freeze || asked == Asked::Thaw) => {
            status = run::freeze_or_thaw(&line.draft.spec, asked == Asked::Freeze);
        }
        _ if rooms::STATS && asked == Asked::Stats => status = run::print_stats(&line.draft.spec, line.draft.json),
        _ if rooms::ENTER && asked == Asked::Stop => status = run::stop_container(&line.draft.spec),
        _ if rooms::ENTER && asked == Asked::List => status = run::print_containers(),
        _ if rooms::SERVICES && asked == Asked::Services => status = services::print(),
        _ if asked == Asked::Run || asked == Asked::Explain => {
            if vocabulary.needs_command && line.draft.spec.exec.argv.is_none() {
                return line.complain_of_no_command();
            }
            let spec = &mut line.draft.spec;
            if vocabulary.makes_containers
                && let Err(fault) = validate::check(spec)
            {
                return fault.report();
            }
            if asked == Asked::Run {
                if spec.boots() {
                    let why = say!("need process 1, of a machine or of a pid namespace");
                    return Fault::new(say!("--boot and --switch-root"), b"", None, why).report();
                }
                return run::run(spec, start);
            }
            run::print_steps(spec, start);
        }
        _ => line.print(asked),
    }
    // A script may read the output: if not all of it was written, that is a failure.
    match sys::unwritten() {
        Some(why) if status == 0 => {
            blame(say!("write to"), c"standard output", why);
            failed()
        }
        _ => status,
    }
}
