//! PROCESS: `--probe`. In the caller's namespaces, with the caller's rights.
//!
//! - What the kernel and the caller's rights permit is found by trying, and never by a version: as a container is made, with the same
//!   functions.
//! - Each feature is tried by a child, and most of them by a grandchild in new namespaces. One that is killed does not hide the others.
//! - Nothing is left behind: what a child makes ends with it.

mod attempts;
mod rows;
mod trial;

use linux_raw_sys::general as raw;

use crate::process::clone;
use crate::report::message::{blame, failed, write_line};
use crate::say;
use crate::spec::{Mode, Spec};
use crate::state::descriptors;
use crate::sys::{self, Signal, Standard, Start};
use crate::text::Text;

use rows::ROWS;
use trial::{NO, Trial, YES};

/// Prints what works, a line each. `spec` becomes that of a container. Returns the exit status: 0 if `--root` works, 1 if it does not.
#[must_use]
pub fn print_answers(json: bool, spec: &mut Spec<'static>, start: &'static Start) -> i32 {
    // wait4(2) needs children that leave a status; and no core file is to be left.
    let prepared = sys::set_ignored(Signal::CHLD, false).and_then(|_| sys::limit_core([0; 2]));
    if let Err(why) = prepared {
        blame(say!("prepare the probe"), c"", why);
        return failed();
    }
    if descriptors::occupy_standard().is_err() {
        return failed();
    }
    spec.mode = Mode::Root;
    spec.ids.own_only = spec.ids.rootless;
    // Root then makes containers without a user namespace.
    let none = !spec.ids.rootless && clone::no_user_namespaces();
    let mut status = NO;
    for (index, row) in ROWS.iter().enumerate() {
        let separator: &[u8] = match (json, index) {
            (false, _) => b"",
            (true, 0) => b"{\"",
            (true, _) => b",\"",
        };
        let left_out = if none && row.inside != raw::CLONE_NEWUSER { raw::CLONE_NEWUSER } else { 0 };
        spec.namespaces.new = row.inside & !left_out;
        status = Trial { row, spec, start, detail: Text::new(), json: separator }.run();
        if status > NO {
            return failed();
        }
    }
    if json {
        write_line(Standard::Output, Text::new().byte(b'}'));
    }
    match sys::unwritten() {
        Some(why) => {
            blame(say!("write to"), c"standard output", why);
            failed()
        }
        None if status == YES => YES,
        None => NO,
    }
}
