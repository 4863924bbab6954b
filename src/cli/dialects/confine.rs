//! The options of nsinit's own vocabulary that confine CMD beyond a container, and those of them that need none.

#[cfg(feature = "limits")]
use engine::confine::limits;
#[cfg(any(feature = "help", feature = "limits"))]
use engine::say;
#[cfg(feature = "landlock")]
use engine::spec::Access;
#[cfg(feature = "limits")]
use engine::spec::Limited;

use super::super::builder::{Context, Draft};
use super::super::complaint::Wrong;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::bwrap::OPTIONS;

/// The options, for another vocabulary.
pub static CONFINE: Vocabulary =
    Vocabulary { rows: ROWS, helps: HELPS, groups: GROUPS, more: Some(&OPTIONS), act, ..Vocabulary::WITHOUT_TEXTS };

rows! { draft, values, first:
    #[cfg(feature = "landlock")]
    say!("Landlock, with or without a container (sets no_new_privs; `none` as the value allows nothing)"), Anywhere => {
        "--landlock-ro PATH", say!("let CMD read and execute below PATH, and use no other files") =>
            draft.allow(Access::Read, first)?,
        "--landlock-rw PATH", say!("let CMD read, execute, write, create and remove below PATH") => draft.allow(Access::Write, first)?,
        "--landlock-exec PATH", say!("let CMD read and execute below PATH, and execute nowhere else") =>
            draft.allow(Access::Execute, first)?,
        "--landlock-connect PORT", say!("let CMD connect to TCP port PORT, and to no other") =>
            draft.allow(Access::Connect, first)?,
        "--landlock-bind PORT", say!("let CMD bind to TCP port PORT, and to no other") =>
            draft.allow(Access::Bind, first)?,
        "--landlock-try", say!("if the kernel lacks a part of Landlock, warn and run CMD without it") =>
            draft.spec.confine.landlock.lenient = true,
    }
    #[cfg(feature = "limits")]
    say!("Limits of CMD, with or without a container"), Anywhere => {
        "--rlimit NAME=SOFT:HARD", say!("set a resource limit (see prlimit(1)); NAME=N sets both, as in core=0") =>
            draft.limit(limits::resource(first.to_bytes()).map_err(Wrong::value)?, first),
        "--nice N", say!("set the nice value, from -20 to 19") => {
            let nice = limits::signed(first.to_bytes(), 20).filter(|nice| *nice < 20);
            draft.limit(Limited::Nice(nice.ok_or(Wrong::value(say!("not a number from -20 to 19")))?), first);
        },
        "--cpus LIST", say!("run on these processors only, for example 0-3,6 (a share of all: --cpu)") => draft.limit_processors(first)?,
        "--oom-score-adj N", say!("set the OOM score adjustment, from -1000 to 1000, of nsinit too") => {
            let score = limits::signed(first.to_bytes(), 1000);
            score.ok_or(Wrong::value(say!("not a number from -1000 to 1000")))?;
            draft.limit(Limited::OomScore, first);
        },
        "--mdwe", say!("forbid memory that is or was writable to become executable (Linux 6.3)") =>
            draft.limit(Limited::Memory, first),
        "--securebits LIST", say!("set flags of capabilities(7): noroot,noroot-locked,...; or a number") => {
            let bits = limits::securebits(first.to_bytes());
            draft.spec.confine.securebits = Some(bits.ok_or(Wrong::value(say!("no such flag (see capabilities(7))")))?);
        },
    }
    #[cfg(all(feature = "limits", feature = "container"))]
    say!("Kernel settings of a new container"), Making => {
        "--sysctl NAME=VALUE", say!("set a kernel parameter of a new network, IPC or UTS namespace") =>
            draft.set(first)?,
        "--proc-subset", say!("mount /proc with its processes only (subset=pid, Linux 5.8)") =>
            draft.spec.root.processes_only = true,
    }
}
