//! The options of nsinit's own vocabulary that ask for a keeper.

use core::ffi::CStr;

use engine::say;
use engine::spec::Restart;
use engine::sys;
use engine::text;

use super::super::builder::{Context, Draft};
use super::super::complaint::Wrong;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::super::values;
#[cfg(not(any(feature = "cgroup", feature = "landlock", feature = "limits")))]
use super::bwrap::OPTIONS as MORE;
#[cfg(feature = "cgroup")]
use super::cgroup::CGROUP as MORE;
#[cfg(all(any(feature = "landlock", feature = "limits"), not(feature = "cgroup")))]
use super::confine::CONFINE as MORE;

/// The options, for another vocabulary.
pub static KEEPER: Vocabulary =
    Vocabulary { rows: ROWS, helps: HELPS, groups: GROUPS, more: Some(&MORE), act, ..Vocabulary::WITHOUT_TEXTS };

rows! { draft, values, first:
    say!("Containers as services (docs/services.md)"), Making => {
        "--restart WHEN", say!("run CMD again when it ends, in a new container: no, on-failure, always") =>
            draft.spec.keeper.restart = restart(first)?,
        "--log FILE", say!("append CMD's output to FILE; open FILE again on SIGHUP") =>
            draft.spec.keeper.log = Some(values::path(first)?),
        "--notify", say!("tell the service manager (systemd) when CMD runs and how it ends") =>
            draft.spec.keeper.notify = manager(draft),
        "--notify-ready", say!("as --notify, but CMD says when it is ready (sd_notify(3))") => {
            draft.spec.keeper.notify = manager(draft);
            draft.spec.keeper.listens = true;
        },
        "--keeper-pid-file PATH", say!("create PATH with the id of the process that restarts CMD") =>
            draft.spec.keeper.pid_file = Some(values::path(first)?),
    }
}

fn restart(when: &CStr) -> Result<Restart, Wrong> {
    match text::place(b"no on-failure always", when.to_bytes()) {
        Some(0) => Ok(Restart::No),
        Some(1) => Ok(Restart::OnFailure),
        Some(2) => Ok(Restart::Always),
        _ => Err(Wrong::value(say!("not one of no, on-failure and always (see --max-restarts)"))),
    }
}

/// The socket of the service manager. Without one, nothing is reported, as with sd_notify(3).
fn manager(draft: &Draft) -> Option<&'static CStr> {
    const NAME: &[u8] = b"NOTIFY_SOCKET=";
    let pair = draft.caller_words().find(|pair| pair.to_bytes().starts_with(NAME))?;
    Some(sys::tail(pair, NAME.len())).filter(|socket| !socket.is_empty())
}
