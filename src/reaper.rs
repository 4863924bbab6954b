//! Who reaps orphans where there is no process 1 of our own.

use linux_raw_sys::prctl::PR_SET_CHILD_SUBREAPER;
use rustix::fs::OFlags;
use rustix::process::getpid;

use crate::procfs;
use crate::state::State;
use crate::sys::{self, Done};
use crate::text::Text;

/// Orphans among CMD's descendants become our children.
///
/// # Errors
/// EINVAL before Linux 3.4.
pub fn become_subreaper(state: &mut State) -> Done {
    sys::prctl(PR_SET_CHILD_SUBREAPER, 1)?;
    let me = getpid();
    let mut list = Text::new();
    list.push(b"task/").push_number(me.as_raw_nonzero().get().cast_unsigned()).push(b"/children");
    // Without /proc or CONFIG_PROC_CHILDREN only CMD's own group is ended.
    let process = procfs::open().and_then(|proc| procfs::process(proc, me));
    state.children = process.and_then(|process| procfs::open_file(process, list.c_str(), OFlags::RDONLY)).ok();
    Ok(())
}
