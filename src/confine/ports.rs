//! The ways around Landlock's rules on TCP ports: a filter closes them (seccomp(2)).
//!
//! Landlock looks at connect(2) and bind(2) on sockets of the protocol TCP. A connection of MPTCP or SMC looks like TCP to the other end;
//! MSG_FASTOPEN connects without connect(2); io_uring_enter(2) sends too, and no filter sees it; and the calls of another architecture have
//! other numbers.

use linux_raw_sys::{errno, general as raw};

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

/// The offset of an argument's low half in `struct seccomp_data`.
const fn argument(index: u32) -> u32 {
    16 + 8 * index
}

/// One `struct sock_filter`.
type Instruction = [u8; 8];

const fn instruction(code: u16, yes: u8, no: u8, value: u32) -> Instruction {
    let ([a, b], [c, d, e, f]) = (code.to_ne_bytes(), value.to_ne_bytes());
    [a, b, yes, no, c, d, e, f]
}

const fn load(offset: u32) -> Instruction {
    instruction(0x20, 0, 0, offset)
}

const fn if_equal(value: u32, yes: u8, no: u8) -> Instruction {
    instruction(0x15, yes, no, value)
}

const fn if_from(value: u32, yes: u8, no: u8) -> Instruction {
    instruction(0x35, yes, no, value)
}

const fn if_any(bits: u32, yes: u8, no: u8) -> Instruction {
    instruction(0x45, yes, no, bits)
}

/// 0: the call is permitted.
const fn answer(errno: u32) -> Instruction {
    const ALLOW: u32 = 0x7fff_0000;
    const ERRNO: u32 = 0x0005_0000;
    instruction(0x06, 0, 0, if errno == 0 { ALLOW } else { ERRNO | errno })
}

/// The jumps count the instructions that are left out.
static PROGRAM: [Instruction; 23] = [
    load(4),
    if_equal(ARCHITECTURE, 0, 20),
    load(0),
    if_from(X32, 18, 0),
    if_equal(raw::__NR_io_uring_setup, 17, 0),
    if_equal(SOCKETCALL, 16, 0),
    if_equal(raw::__NR_socket, 7, 0),
    if_equal(raw::__NR_sendmsg, 4, 0),
    if_equal(raw::__NR_sendto, 1, 0),
    if_equal(raw::__NR_sendmmsg, 0, 9),
    load(argument(3)),
    if_any(MSG_FASTOPEN, 9, 7),
    load(argument(2)),
    if_any(MSG_FASTOPEN, 7, 5),
    load(argument(0)),
    if_equal(AF_SMC, 4, 0),
    load(argument(2)),
    if_equal(IPPROTO_SMC, 2, 0),
    if_equal(IPPROTO_MPTCP, 1, 0),
    answer(0),
    answer(errno::EPROTONOSUPPORT),
    answer(errno::EOPNOTSUPP),
    answer(errno::ENOSYS),
];
