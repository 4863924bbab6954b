//! `--notify-ready`: the socket /dev/notify, to which CMD writes, and from which the keeper reads.

use crate::fs::resolve;
use crate::say;
use crate::state::Setup;
use crate::step::Step;
use crate::sys;
use crate::sys::files::fchdir;

/// Binds the keeper's socket in the new /dev, which has no link that could lead elsewhere.
pub const fn make() -> Step<Setup> {
    Step::new(say!("make the socket /dev/notify"), |setup: &mut Setup| {
        resolve::directory(setup.root.get()?, b"dev").and_then(fchdir)?;
        setup.launch.listener.map_or(Ok(()), |listener| sys::bind_unix(listener, b"notify"))
    })
    .when(|spec| spec.gives_socket())
}
