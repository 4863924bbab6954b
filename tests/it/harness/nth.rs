//! A system call that fails once: the N-th time that a process of nsinit makes it. A seccomp filter hands each such
//! call to a thread of this process (seccomp_unotify(2)), which counts, and lets the command's own calls pass.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::thread::{JoinHandle, spawn};

use super::Launch;

/// The call `call` fails the N-th time, counted from 1.
#[derive(Clone, Copy, Debug)]
pub struct Nth {
    pub call: i64,
    pub nth: u32,
    pub errno: i32,
}

/// The number of times that nsinit made each call.
pub type Census = BTreeMap<i64, u32>;

/// A launch in which no call fails and every call except [`PASSED`] is counted.
#[must_use]
pub fn census(launch: Launch, cmd: &'static str) -> (Launch, Counter) {
    Nth { call: EVERY, nth: 0, errno: 0 }.refuse(launch, cmd)
}

const EVERY: i64 = -1;
/// The calls that the child makes before the counter listens.
const PASSED: [i64; 2] = [libc::SYS_write, libc::SYS_execve];

/// The thread that counts. It ends when all processes under the filter have ended.
pub struct Counter(JoinHandle<io::Result<Census>>);

impl Counter {
    /// The number of times that nsinit made each counted call.
    pub fn count(self) -> Census {
        self.0.join().expect("the counter does not panic").expect("the counter can count")
    }
}

impl Nth {
    /// The launch, under the filter. `cmd`: the command's name as in /proc/PID/comm.
    pub fn refuse(self, launch: Launch, cmd: &'static str) -> (Launch, Counter) {
        let ((from_child, to_us), (from_us, to_child)) = (pipe(), pipe());
        let call = self.call;
        // The child's ends are closed when the launch is dropped.
        let launch = launch.before(move || install(call, to_us.as_raw_fd(), from_us.as_raw_fd()));
        let counter = spawn(move || serve(self, cmd, &from_child, &to_child));
        (launch, Counter(counter))
    }
}

fn pipe() -> (OwnedFd, OwnedFd) {
    nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).expect("make a pipe")
}

fn answer(result: libc::c_long) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

/// In the child, before nsinit is executed: only system calls. The counter takes the listener by its number.
fn install(call: i64, to_us: i32, from_us: i32) -> io::Result<()> {
    const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;
    let row = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let (allow, tell) = (libc::SECCOMP_RET_ALLOW, libc::SECCOMP_RET_USER_NOTIF);
    let (first, second) = if call == EVERY { (allow, tell) } else { (tell, allow) };
    let [one, other] = if call == EVERY { PASSED } else { [call; 2] };
    // The call's number is the first member of struct seccomp_data.
    let mut rows = [
        row(LOAD, 0, 0, 0),
        row(EQUAL, 1, 0, one as u32),
        row(EQUAL, 0, 1, other as u32),
        row(RETURN, 0, 0, first),
        row(RETURN, 0, 0, second),
    ];
    let program = libc::sock_fprog { len: rows.len() as u16, filter: rows.as_mut_ptr() };
    // SAFETY: the program and the buffers live until the calls return; the other arguments are numbers.
    unsafe {
        let me = libc::getpid();
        answer(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into())?;
        let (mode, flags) = (libc::SECCOMP_SET_MODE_FILTER, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
        let listener = answer(libc::syscall(libc::SYS_seccomp, mode, flags, &raw const program))?;
        let word = [me, listener];
        answer(libc::write(to_us, word.as_ptr().cast(), size_of_val(&word)) as _)?;
        // This read may be one of the calls that are listened to; `spare` keeps it from being counted.
        answer(libc::read(from_us, [0u8; 1].as_mut_ptr().cast(), 1) as _)?;
    }
    Ok(())
}

fn serve(refused: Nth, cmd: &str, from_child: &OwnedFd, to_child: &OwnedFd) -> io::Result<Census> {
    let mut word = [0i32; 2];
    // SAFETY: read fills the array.
    let length = unsafe { libc::read(from_child.as_raw_fd(), word.as_mut_ptr().cast(), size_of_val(&word)) };
    if length as usize != size_of_val(&word) {
        return Err(io::Error::other("the child has not installed its filter"));
    }
    let [pid, number] = word;
    // SAFETY: the calls take numbers; no other value owns the descriptors that they return.
    let listener = unsafe {
        let process = OwnedFd::from_raw_fd(answer(libc::syscall(libc::SYS_pidfd_open, pid, 0))?);
        OwnedFd::from_raw_fd(answer(libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), number, 0))?)
    };
    nix::unistd::write(to_child, b"!")?;
    let mut spare = matches!(refused.call, EVERY | libc::SYS_read);
    let mut census = Census::new();
    loop {
        let mut polled = libc::pollfd { fd: listener.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: poll fills the one entry.
        answer(unsafe { libc::poll(&raw mut polled, 1, -1) }.into())?;
        if polled.revents & libc::POLLIN == 0 {
            return Ok(census);
        }
        // SAFETY: a struct of integers. The kernel requires it to be zero, and fills it.
        let mut told: libc::seccomp_notif = unsafe { zeroed() };
        // SAFETY: the kernel fills the struct.
        if unsafe { libc::ioctl(listener.as_raw_fd(), RECEIVE, &raw mut told) } < 0 {
            // The caller was killed in the meantime.
            continue;
        }
        let name = fs::read_to_string(format!("/proc/{}/comm", told.pid)).unwrap_or_default();
        let counts = !spare && name.trim_end() != cmd;
        spare = false;
        let count = census.entry(told.data.nr.into()).or_default();
        *count += u32::from(counts);
        let refuse = counts && *count == refused.nth;
        let reply = libc::seccomp_notif_resp {
            id: told.id,
            val: 0,
            error: if refuse { -refused.errno } else { 0 },
            flags: if refuse { 0 } else { libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32 },
        };
        // SAFETY: the kernel reads the struct. ENOENT: the caller was killed in the meantime.
        unsafe { libc::ioctl(listener.as_raw_fd(), SEND, &raw const reply) };
    }
}

/// `SECCOMP_IOCTL_NOTIF_RECV` and `SECCOMP_IOCTL_NOTIF_SEND`, encoded as in asm-generic/ioctl.h.
const RECEIVE: libc::c_ulong = 0xc000_2100 | (size_of::<libc::seccomp_notif>() as libc::c_ulong) << 16;
const SEND: libc::c_ulong = 0xc000_2101 | (size_of::<libc::seccomp_notif_resp>() as libc::c_ulong) << 16;
