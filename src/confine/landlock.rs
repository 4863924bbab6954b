//! Landlock (landlock(7)): CMD gives up access to files and to TCP ports, with or without a container.
//!
//! The policy is the same on every kernel: the rights below, which Linux 6.7 has, and no others. Rights that came later (ioctl(2) on
//! device files, abstract Unix sockets, signals) are left out, although they would only deny more: otherwise a command would work on
//! one kernel and fail on the next.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::report::message::{blame, blame_hint, warn};
use crate::say;
use crate::spec::{Access, Landlock, Rule};
use crate::state::Process;
use crate::step::Step;
use crate::sys::files::{self, DIRECTORY};
use crate::sys::{self, Done, Failure};
use crate::text::Say;

/// Rights on files, LANDLOCK_ACCESS_FS_*.
const EXECUTE: u64 = 1;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
/// Since version 3. (Between them are those to remove, to make and to move files.)
const TRUNCATE: u64 = 1 << 14;
/// All rights on files of the policy.
const FILES: u64 = (TRUNCATE << 1) - 1;
/// Those that a file has which is no directory.
const OF_FILE: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE;

/// The version that restricts TCP ports.
pub const PORTS: u32 = 4;
/// Rights on TCP ports, LANDLOCK_ACCESS_NET_*.
const BIND: u64 = 1;
const CONNECT: u64 = 1 << 1;

/// The step of CMD. It follows the paths of the rules as CMD would.
#[must_use]
pub const fn restrict<P: Process>() -> Step<P> {
    Step::new(RESTRICT, |process: &mut P| confine(&process.launch().spec.confine.landlock))
        .when(|spec| spec.uses_landlock())
}

const RESTRICT: Say = say!("restrict CMD with Landlock");

/// The hint of an error.
pub const TRY: Say = say!("with --landlock-try, CMD runs without this restriction");
/// The hint of a warning.
pub const TRIED: Say = say!("CMD runs without this restriction");

/// A part of the policy that older kernels lack.
struct Part {
    /// The version of Landlock that has it.
    since: u32,
    /// The kinds of access that need it.
    by: u8,
    says: Say,
}

static PARTS: &[Part] = &[
    Part { since: 1, by: Access::FILES, says: say!("restrict access to files") },
    Part { since: 3, by: Access::FILES, says: say!("restrict truncation of files") },
    Part { since: PORTS, by: Access::PORTS, says: say!("restrict TCP ports") },
];

fn confine(policy: &Landlock<'_>) -> Done {
    let (version, why) = match sys::landlock_version() {
        Ok(version) => (version, Failure::OLD_LANDLOCK),
        Err(why) => (0, why),
    };
    for Part { says, .. } in PARTS.iter().filter(|part| is_missing(part, policy, version)) {
        if !policy.lenient {
            return Err(blame_hint(*says, c"", why, TRY));
        }
        warn(*says, c"", why, TRIED);
    }
    let restricted = restricted(policy, version);
    if restricted == (0, 0) {
        return Ok(());
    }
    let ruleset = sys::landlock_ruleset(restricted.0, restricted.1)?;
    for rule in policy.rules {
        let done = match rule.access as u8 & Access::FILES {
            0 => match granted(policy, rule.access) & restricted.1 {
                0 => Ok(()),
                rights => sys::landlock_allow_port(ruleset, rule.port, rights),
            },
            _ => match granted(policy, rule.access) & restricted.0 {
                0 => Ok(()),
                rights => allow_path(ruleset, rule.on, rights),
            },
        };
        done.map_err(|why| blame(says_of(rule), rule.on, why))?;
    }
    sys::landlock_restrict(ruleset)?;
    sys::close(ruleset);
    Ok(())
}

const fn says_of(rule: &Rule<'_>) -> Say {
    if rule.access as u8 & Access::FILES != 0 { say!("allow access to") } else { say!("allow TCP port") }
}

/// Whether a kernel with this version of Landlock (0: none) lacks this part of the policy. What lacks all has only the first parts
/// reported.
const fn is_missing(part: &Part, policy: &Landlock<'_>, version: u32) -> bool {
    let reported = version == 0 && part.since == 3;
    version < part.since && policy.mentions(part.by) && !reported
}

/// The rights that are denied where no rule grants them, on files and on ports, as far as this version of Landlock has them.
const fn restricted(policy: &Landlock<'_>, version: u32) -> (u64, u64) {
    let known = match version {
        0 => 0,
        1 | 2 => FILES >> (3 - version),
        _ => FILES,
    };
    let connect = if policy.mentions(Access::Connect as u8) { CONNECT } else { 0 };
    let bind = if policy.mentions(Access::Bind as u8) { BIND } else { 0 };
    (if policy.mentions(Access::FILES) { known } else { 0 }, if version < PORTS { 0 } else { connect | bind })
}

/// The rights that a rule grants. Files can be executed wherever they can be read, unless --landlock-exec says where.
const fn granted(policy: &Landlock<'_>, access: Access) -> u64 {
    let execute = if policy.mentions(Access::Execute as u8) { 0 } else { EXECUTE };
    match access {
        Access::Read => READ_FILE | READ_DIR | execute,
        Access::Write => FILES & !EXECUTE | execute,
        Access::Execute => READ_FILE | READ_DIR | EXECUTE,
        Access::Connect => CONNECT,
        Access::Bind => BIND,
    }
}

fn allow_path(ruleset: files::Fd, path: &CStr, rights: u64) -> Done {
    let file = files::open_path(path, OFlags::PATH)?;
    let rights = if files::kind(file)? == DIRECTORY { rights } else { rights & OF_FILE };
    let done = sys::landlock_allow_path(ruleset, file, rights);
    sys::close(file);
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn policy(mentioned: u8) -> Landlock<'static> {
        Landlock { rules: &[], mentioned, lenient: false }
    }

    #[test]
    fn each_version_restricts_what_it_has() {
        const FILES_1: u64 = (1 << 13) - 1;
        let (files, ports) = (policy(Access::FILES), policy(Access::PORTS));
        for (version, expected) in
            [(0, 0), (1, FILES_1), (2, (1 << 14) - 1), (3, (1 << 15) - 1), (4, FILES), (7, FILES), (99, FILES)]
        {
            assert_eq!(restricted(&files, version), (expected, 0), "{version}");
        }
        for (version, expected) in [(0, 0), (3, 0), (4, 3), (7, 3)] {
            assert_eq!(restricted(&ports, version), (0, expected), "{version}");
        }
        assert_eq!(restricted(&policy(Access::Bind as u8), 4), (0, 1));
        assert_eq!(restricted(&policy(Access::Connect as u8), 4), (0, 2));
        assert_eq!(restricted(&policy(Access::Write as u8 | Access::Bind as u8), 4), (FILES, 1));
    }

    #[test]
    fn missing_parts_are_those_that_the_policy_needs() {
        let missing = |mentioned, version| {
            PARTS.iter().filter(move |part| is_missing(part, &policy(mentioned), version)).map(|part| part.since)
        };
        let (files, all) = (Access::Execute as u8, Access::FILES | Access::PORTS);
        assert!(missing(files, 0).eq([1]));
        assert!(missing(files, 1).eq([3]));
        assert!(missing(files, 2).eq([3]));
        assert!(missing(files, 3).eq([]));
        assert!(missing(all, 0).eq([1, 4]));
        assert!(missing(all, 2).eq([3, 4]));
        assert!(missing(all, 3).eq([4]));
        assert!(missing(all, 4).eq([]));
        assert!(missing(Access::Bind as u8, 2).eq([4]));
    }

    #[test]
    fn execution_is_where_it_is_said_or_where_files_can_be_read() {
        let (unsaid, said) = (policy(Access::FILES & !(Access::Execute as u8)), policy(Access::FILES));
        for access in [Access::Read, Access::Write] {
            assert_eq!(granted(&unsaid, access) & EXECUTE, EXECUTE);
            assert_eq!(granted(&said, access) & EXECUTE, 0);
        }
        assert_eq!(granted(&said, Access::Execute), EXECUTE | READ_FILE | READ_DIR);
        assert_eq!(granted(&unsaid, Access::Write), FILES);
        assert_eq!(granted(&unsaid, Access::Read) & (WRITE_FILE | TRUNCATE), 0);
    }
}
