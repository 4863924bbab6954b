//! The options of nsinit's own vocabulary that limit a new container by a cgroup.

use engine::cgroup::values::{is_count, is_list, is_size};
use engine::say;

use super::super::builder::{Context, Draft};
use super::super::complaint::Wrong;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::super::values;
#[cfg(not(any(feature = "landlock", feature = "limits")))]
use super::bwrap::OPTIONS as MORE;
#[cfg(any(feature = "landlock", feature = "limits"))]
use super::confine::CONFINE as MORE;

/// The options, for another vocabulary.
pub static CGROUP: Vocabulary =
    Vocabulary { rows: ROWS, helps: HELPS, groups: GROUPS, more: Some(&MORE), act, ..Vocabulary::WITHOUT_TEXTS };

/// The most processes that a kernel can have (PID_MAX_LIMIT).
const PROCESSES: u32 = 4_194_304;
/// The highest weight (cgroups(7)).
const WEIGHT: u32 = 10_000;

rows! { draft, values, first:
    say!("Limits of the container (cgroup v2; SIZE is in bytes, or with K, M, G or T; `max` is no limit)"), Making => {
        "--memory SIZE", say!("limit memory; above it, the kernel kills processes of the container") =>
            draft.limit_container(c"memory.max", first, is_size(first.to_bytes(), 1), SIZE)?,
        "--memory-high SIZE", say!("slow the container down when it uses more memory than that") =>
            draft.limit_container(c"memory.high", first, is_size(first.to_bytes(), 1), SIZE)?,
        "--swap SIZE", say!("limit swap, beside the memory; 0 for none") =>
            draft.limit_container(c"memory.swap.max", first, is_size(first.to_bytes(), 0), SIZE)?,
        "--pids N", say!("limit the number of processes and threads, nsinit's process 1 included") =>
            draft.limit_container(c"pids.max", first, is_count(first.to_bytes(), PROCESSES, true), COUNT)?,
        "--cpu CORES", say!("limit processor time: 0.5 is half of one processor, 2 are two") => draft.limit_processor_time(first)?,
        "--cpu-weight N", say!("set the share of processor time, from 1 to 10000 (default: 100)") =>
            draft.limit_container(c"cpu.weight", first, is_count(first.to_bytes(), WEIGHT, false), WEIGHTS)?,
        "--cpuset LIST", say!("use these processors only, for example 0-3,6; CMD cannot change it") =>
            draft.limit_container(c"cpuset.cpus", first, is_list(first.to_bytes()), Wrong::value(say!("not a list of processors such as 0-3,6")))?,
        "--io-max DEV:LIMITS", say!("limit a disk, as in /dev/sda:rbps=10M,wiops=100 (also wbps, riops)") =>
            draft.limit_device(first)?,
        "--io-weight N", say!("set the share of block devices, from 1 to 10000 (default: 100)") =>
            draft.limit_container(c"io.weight", first, is_count(first.to_bytes(), WEIGHT, false), WEIGHTS)?,
        "--cgroup PATH", say!("make the container's cgroup in PATH, and not in that of nsinit") =>
            draft.spec.cgroup.parent = Some(values::path(first)?),
        "--cgroup-delegate", say!("let the container make and limit cgroups below its own, in /sys/fs/cgroup") =>
            draft.spec.cgroup.delegated = true,
        "--cgroup-set FILE=VALUE", say!("write VALUE to a file of the container's cgroup, as in hugetlb.2MB.max=0") =>
            draft.set_in_cgroup(first)?,
        "--cgroup1 PATH", say!("join an existing cgroup of version 1, by its directory (repeatable)") =>
            draft.join_old_cgroup(first)?,
        #[cfg(feature = "stats")]
        "--stats", say!("report what the container used, at the end; with --enter now, without CMD") =>
            draft.spec.cgroup.stats = true,
    }
}

const SIZE: Wrong = Wrong::value(say!("not a size such as 65536, 64M, 2G or max"));
const COUNT: Wrong = Wrong::value(say!("not a number from 1 to 4194304, or max"));
const WEIGHTS: Wrong = Wrong::value(say!("not a number from 1 to 10000"));
