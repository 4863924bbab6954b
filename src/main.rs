//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

mod front;

use core::ffi::CStr;

use engine::fault::{Fault, failed};
use engine::sys::{self, Start};
use engine::voice::speak_as;
use engine::{judge, launch};

use front::draft::{Asked, Draft};
use front::{Complaint, NATIVE, Vocabulary, choose, complain, parse, print};

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
    let program = start.args.first().and_then(|word| word.get().get()).unwrap_or_default();
    let words = choose(program);
    speak_as(words.voice);
    let native = words.voice == NATIVE.voice;
    if start.args.len() <= 2 && native {
        print(words, Asked::Usage, program);
        return failed();
    }
    let mut draft = Draft::new(start.env);
    (words.begin)(&mut draft);
    let command = match parse(words, &start, &mut draft) {
        Ok(command) => command,
        Err(complaint) => return complain(words, &complaint, program),
    };
    draft.spec.argv = command;
    (words.end)(&mut draft);
    draft.finish();
    answer(words, &mut draft, &start, program)
}

fn answer(words: &Vocabulary, draft: &mut Draft, start: &Start, program: &CStr) -> i32 {
    match draft.asked {
        Asked::Pause => launch::pause(),
        Asked::Explain | Asked::Run => {
            if words.voice != NATIVE.voice && draft.spec.argv.is_none() {
                return complain(words, &Complaint::COMMAND_MISSING, program);
            }
            if let Err(fault) = judge::judge(&draft.spec) {
                return fault.report();
            }
            if draft.asked == Asked::Run {
                return launch::run(&mut draft.spec, start);
            }
            launch::explain(&draft.spec);
            0
        }
        asked => {
            print(words, asked, program);
            0
        }
    }
}
