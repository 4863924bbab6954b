//! The kernel's command line, or /etc/nsinit.args, of a machine whose first process is nsinit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nsinit_fuzz::cli::fuzz;
use nsinit_fuzz::in_arena;

fuzz_target!(|input: &[u8]| {
    in_arena(input, |input| {
        let _ = fuzz::of_kernel(input);
    });
});
