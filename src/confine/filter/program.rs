//! The filter as a program for the kernel's BPF machine (seccomp(2)): a search tree over the numbers of the calls, because the kernel
//! runs the program for every number when it is installed; a list would take four times as long.

use linux_raw_sys::errno;
use linux_raw_sys::general as raw;
use linux_raw_sys::ioctl::{TIOCLINUX, TIOCSTI};

use super::super::bpf::{self, ANY_BIT, ARCH, AT_LEAST, EQUAL, Instruction, NUMBER};
use super::class::*;
use super::tables::{ALL_RUNS, MOST_RUNS, TABLES, Table};
use crate::spec::Spec;

/// A comparison at the place `at`, which leads to one of two other places.
const fn check(code: u32, at: Class, then: Class, otherwise: Class, operand: u32) -> Instruction {
    bpf::instruction(code, then - at - 1, otherwise - at - 1, operand)
}

/// Every kind of namespace. CLONE_NEWTIME is for unshare(2) only: the low bits of clone(2) are a signal, which is never that one.
const NAMESPACE_FLAGS: u32 = raw::CLONE_NEWNS
    | raw::CLONE_NEWCGROUP
    | raw::CLONE_NEWUTS
    | raw::CLONE_NEWIPC
    | raw::CLONE_NEWUSER
    | raw::CLONE_NEWPID
    | raw::CLONE_NEWNET
    | raw::CLONE_NEWTIME;
/// PER_LINUX32 and UNAME26: what a 32-bit program, or an old one, wants to see.
const HARMLESS: u32 = 0x0002_0008;
/// personality(2) with this changes nothing.
const ASK: u32 = !0;
/// The calls of arm alone: __ARM_NR_breakpoint to __ARM_NR_get_tls. They act on the calling thread.
const ARM_FIRST: u32 = 0x000f_0001;
const ARM_LAST: u32 = 0x000f_0006;

/// Address families and protocols of sockets.
const AF_NETLINK: u32 = 16;
const AF_PACKET: u32 = 17;
const AF_ALG: u32 = 38;
const AF_VSOCK: u32 = 40;
const AF_XDP: u32 = 44;
const NETLINK_AUDIT: u32 = 9;

/// The end of the program: the answer to the calls of other machines, the checks of arguments, and the other answers.
static END: [Instruction; ENOSYS as usize + 1] = [
    // None of them can reach the kernel; if one did, its numbers would mean something else.
    bpf::answer(errno::ENOSYS),
    // ARM_PRIVATE, where the number is still loaded.
    check(AT_LEAST, 1, 2, ENOSYS, ARM_FIRST),
    check(AT_LEAST, 2, ENOSYS, ALLOW, ARM_LAST + 1),
    // IOCTL
    bpf::argument(1),
    check(EQUAL, 4, EPERM, 5, TIOCSTI),
    check(EQUAL, 5, EPERM, ALLOW, TIOCLINUX),
    // PERSONALITY
    bpf::argument(0),
    check(ANY_BIT, 7, 8, ALLOW, !HARMLESS),
    check(EQUAL, 8, ALLOW, EPERM, ASK),
    // NAMESPACES
    bpf::argument(0),
    check(ANY_BIT, 10, EPERM, ALLOW, NAMESPACE_FLAGS),
    // SOCKET
    bpf::argument(0),
    check(EQUAL, 12, EPERM, 13, AF_VSOCK),
    check(EQUAL, 13, EPERM, 14, AF_ALG),
    check(EQUAL, 14, RAW, 15, AF_PACKET),
    check(EQUAL, 15, RAW, 16, AF_XDP),
    check(EQUAL, 16, 17, ALLOW, AF_NETLINK),
    bpf::argument(2),
    check(EQUAL, 18, AUDIT, ALLOW, NETLINK_AUDIT),
    // RAW
    bpf::answer(errno::EPERM),
    // AUDIT: with any other errno PAM takes the audit of the kernel for broken, and lets no user in.
    bpf::answer(errno::EINVAL),
    bpf::answer(0),
    bpf::answer(errno::EPERM),
    bpf::answer(errno::ENOSYS),
];

/// The bits of [`granted`] that are no capabilities, and some that are.
const fn bit(class: Class) -> u64 {
    1 << class
}

/// What the command may do: its capabilities, and the permissions of the options.
fn granted(spec: &Spec<'_>) -> u64 {
    let mut granted = spec.reachable_capabilities() & (bit(CAPABILITIES) - 1);
    if granted & bit(SYS_ADMIN) != 0 {
        // The kernel takes it in the place of the three that were split off.
        granted |= bit(SYSLOG) | bit(PERFMON) | bit(BPF) | bit(NESTING);
    }
    if spec.namespaces.allow_nesting {
        // Inside a user namespace of its own a process has every capability.
        granted |= bit(NESTING) | bit(SYS_CHROOT);
    }
    if spec.confine.keep_keyring {
        granted |= bit(KEYS);
    }
    granted
}

/// The place of the answer for a class.
fn place(class: Class, granted: u64) -> Class {
    let value = class % KIND;
    let refused = match class - value {
        UNLESS => EPERM,
        MISSING_UNLESS => ENOSYS,
        CHECKED_UNLESS => NAMESPACES,
        _ => return value,
    };
    if granted >> value & 1 == 1 { ALLOW } else { refused }
}

/// Numbers from `first` up have the answer at `place`, until the next range.
#[derive(Clone, Copy)]
struct Range {
    first: u16,
    place: Class,
}

/// The most instructions: for each machine a comparison and a load, and the tree; then the end.
const MOST: usize = 1 + TABLES.len() + ALL_RUNS + END.len();
// A comparison leads 255 instructions ahead at most: here from the first one to the last instruction.
const _: () = assert!(cfg!(test) || MOST <= 256);

/// A program for the kernel, written from its end to its beginning: a comparison can only lead ahead.
pub struct Program {
    code: [Instruction; MOST],
    /// Where the last instruction was written.
    begin: usize,
}

impl Program {
    /// The filter for the command of `spec`, which may be a program of each machine of `tables`.
    #[must_use]
    #[inline(never)]
    pub fn new(spec: &Spec<'_>, tables: &[Table]) -> Program {
        let granted = granted(spec);
        let mut program = Program { code: [[0; 8]; MOST], begin: MOST };
        for (place, instruction) in END.iter().enumerate().rev() {
            let permission = match place as Class {
                RAW => NET_RAW,
                AUDIT => AUDIT_WRITE,
                _ => NEVER,
            };
            program.push(if granted >> permission & 1 == 1 { bpf::answer(0) } else { *instruction });
        }
        for table in tables.iter().rev() {
            let other = program.begin;
            program.search(table, granted);
            program.push(NUMBER);
            program.compare(EQUAL, program.begin, other, table.arch);
        }
        program.push(ARCH);
        program
    }

    /// The instructions, as seccomp(2) takes them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.code.get(self.begin..).unwrap_or_default().as_flattened()
    }

    #[inline(never)]
    fn push(&mut self, instruction: Instruction) {
        self.begin -= 1;
        if let Some(slot) = self.code.get_mut(self.begin) {
            *slot = instruction;
        }
    }

    /// A comparison that leads to one of two places that are written already.
    #[inline(never)]
    fn compare(&mut self, code: u32, then: usize, otherwise: usize, operand: u32) {
        let here = self.begin;
        self.push(bpf::instruction(code, (then - here) as u8, (otherwise - here) as u8, operand));
    }

    /// The search for a number of `table`.
    fn search(&mut self, table: &Table, granted: u64) {
        let mut ranges = [Range { first: 0, place: ALLOW }; MOST_RUNS];
        let (mut count, mut first) = (0, 0);
        for [length, class] in table.runs {
            let place = place(*class, granted);
            let same = count > 0 && ranges.get(count - 1).is_some_and(|last| last.place == place);
            if !same && let Some(range) = ranges.get_mut(count) {
                *range = Range { first, place };
                count += 1;
            }
            first += u16::from(*length);
        }
        self.tree(ranges.get(..count).unwrap_or_default(), first);
    }

    /// The comparisons that lead from a number of `ranges` to its place, and where they begin. `next` is the number after the last
    /// range. The numbers are divided in halves, not the ranges: the kernel asks for each number once.
    fn tree(&mut self, ranges: &[Range], next: u16) -> usize {
        let [first, .., _] = ranges else {
            return MOST - END.len() + usize::from(ranges.first().map_or(EPERM, |only| only.place));
        };
        let half = first.first.midpoint(next);
        let mut split = 1;
        while split < ranges.len() - 1 && ranges.get(split).is_some_and(|range| range.first < half) {
            split += 1;
        }
        let (below, above) = ranges.split_at_checked(split).unwrap_or_default();
        let middle = above.first().map_or(0, |range| range.first);
        let then = self.tree(above, next);
        let otherwise = self.tree(below, middle);
        self.compare(AT_LEAST, then, otherwise, middle.into());
        self.begin
    }
}
