//! The ways around Landlock's rules on TCP ports: a filter closes them (seccomp(2)).
//!
//! Landlock looks at connect(2) and bind(2) on sockets of the protocol TCP. A connection of MPTCP or SMC looks like TCP to the other end;
//! MSG_FASTOPEN connects without connect(2); io_uring_enter(2) sends too, and no filter sees it; and the calls of another architecture have
//! other numbers.

use linux_raw_sys::{errno, general as raw};

use super::bpf::{self, ANY_BIT, ARCH, AT_LEAST, EQUAL, Instruction, NUMBER};
use crate::report::message::{blame_hint, warn};
use crate::say;
use crate::spec::Access;
use crate::state::Process;
use crate::step::Step;
use crate::sys::{self, MACHINE};
use crate::text::Say;

/// The step of CMD, when no step is left that asks whether nsinit is under a filter.
#[must_use]
pub const fn close_ways<P: Process>() -> Step<P> {
    Step::new(CLOSE, |process: &mut P| {
        // Where Landlock does not restrict ports, nothing goes around it. The version has been read before.
        if sys::landlock_version().is_ok_and(|version| version < super::landlock::PORTS) {
            return Ok(());
        }
        match sys::add_filter(PROGRAM.as_flattened()) {
            Err(why) if process.launch().spec.confine.landlock.lenient => {
                warn(CLOSE, c"", why, super::landlock::TRIED);
                Ok(())
            }
            done => done.map_err(|why| blame_hint(CLOSE, c"", why, super::landlock::TRY)),
        }
    })
    .when(|spec| spec.uses_landlock() && spec.confine.landlock.mentions(Access::PORTS))
}

const CLOSE: Say = say!("restrict ports of MPTCP and SMC, and TCP Fast Open");

/// AUDIT_ARCH_* of this machine: its number in ELF files, and flags for 64 bits and for the byte order.
const ARCHITECTURE: u32 = MACHINE as u32 | if usize::BITS == 64 { 0x8000_0000 } else { 0 } | 0x4000_0000;
/// The numbers from here on are those of x32 on an x86_64 kernel.
const X32: u32 = 0x4000_0000;
/// One call for all calls on sockets, whose arguments a filter cannot see. The C libraries use it where the others are missing.
#[cfg(target_arch = "x86")]
const SOCKETCALL: u32 = raw::__NR_socketcall;
#[cfg(not(target_arch = "x86"))]
const SOCKETCALL: u32 = raw::__NR_io_uring_setup;

const IPPROTO_SMC: u32 = 256;
const IPPROTO_MPTCP: u32 = 262;
const AF_SMC: u32 = 43;
const MSG_FASTOPEN: u32 = 0x2000_0000;

/// The jumps count the instructions that are left out.
static PROGRAM: [Instruction; 23] = [
    ARCH,
    bpf::instruction(EQUAL, 0, 20, ARCHITECTURE),
    NUMBER,
    bpf::instruction(AT_LEAST, 18, 0, X32),
    bpf::instruction(EQUAL, 17, 0, raw::__NR_io_uring_setup),
    bpf::instruction(EQUAL, 16, 0, SOCKETCALL),
    bpf::instruction(EQUAL, 7, 0, raw::__NR_socket),
    bpf::instruction(EQUAL, 4, 0, raw::__NR_sendmsg),
    bpf::instruction(EQUAL, 1, 0, raw::__NR_sendto),
    bpf::instruction(EQUAL, 0, 9, raw::__NR_sendmmsg),
    bpf::argument(3),
    bpf::instruction(ANY_BIT, 9, 7, MSG_FASTOPEN),
    bpf::argument(2),
    bpf::instruction(ANY_BIT, 7, 5, MSG_FASTOPEN),
    bpf::argument(0),
    bpf::instruction(EQUAL, 4, 0, AF_SMC),
    bpf::argument(2),
    bpf::instruction(EQUAL, 2, 0, IPPROTO_SMC),
    bpf::instruction(EQUAL, 1, 0, IPPROTO_MPTCP),
    bpf::answer(0),
    bpf::answer(errno::EPROTONOSUPPORT),
    bpf::answer(errno::EOPNOTSUPP),
    bpf::answer(errno::ENOSYS),
];
