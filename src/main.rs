//! nsinit: the container launcher outside and PID 1 inside.
#![cfg_attr(not(test), no_main)]
#![forbid(unsafe_code)]

use engine::sys::Start;

#[cfg(not(test))]
#[global_allocator]
static HEAP: engine::sys::Bump = engine::sys::Bump::new();

#[cfg(not(test))]
engine::entry!(run);

fn run(start: Start) -> i32 {
    let words: Vec<_> = start.args.iter().skip(1).map_while(|w| w.get().get()).map(|w| w.to_owned()).collect();
    let mut parser = lexopt::Parser::from_args(words.into_iter().map(|w| w.into_string().unwrap_or_default()));
    match parser.next() { Ok(Some(_)) => 7, _ => 125 }
}
