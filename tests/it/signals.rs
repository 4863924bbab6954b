//! INIT.md's signal table: what is sent to OUTER or INIT reaches CMD, exactly once; and CMD starts with the
//! caller's mask and dispositions.

use super::harness::launch::send;
use super::harness::procs::{Pid, eventually, is_gone, stat};
use super::harness::scratch::busybox;
use super::harness::{Launch, Root, Running, roots};

/// All that can be forwarded: KILL and STOP are the kernel's, CHLD is about our own children.
fn forwarded() -> impl Iterator<Item = i32> {
    (1..=64).filter(|s| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(s))
}

/// The first that carries a value, for the kernel; libc's own SIGRTMIN comes later.
const FIRST_REAL_TIME: i32 = 32;

fn queue(pid: Pid, signal: i32, value: i32) {
    let value = libc::sigval { sival_ptr: std::ptr::without_provenance_mut(value.cast_unsigned() as usize) };
    // SAFETY: sigqueue takes a pid, a number and a word.
    unsafe { libc::sigqueue(pid, signal, value) };
}

/// A CMD that says which signals it gets, and is ready for them.
fn recorder(root: Root, options: &[&str]) -> (Root, Running) {
    let root = root.with_helper();
    let mut running = root.launch(options, &["helper", "signals"]).open_input().start();
    assert_eq!(running.line(), "ready");
    (root, running)
}

/// A CMD that does nothing about signals, executed already.
fn asleep(root: &Root) -> (Running, Pid) {
    let running = root.launch(&[], &["sleep", "1000"]).start();
    let cmd = running.cmd();
    eventually("CMD is executed", || stat(cmd).filter(|s| s.name == "sleep"));
    (running, cmd)
}

fn stop(pid: Pid) {
    send(pid, libc::SIGSTOP);
    eventually("it is stopped", || stat(pid).filter(|s| s.state == 'T'));
}

/// Sends every signal and waits for each: a second copy, or a wrong one, would come in between.
#[track_caller]
fn all_arrive_once(mut running: Running, to: Pid, send: impl Fn(Pid, i32)) -> Vec<String> {
    let mut lines = Vec::new();
    for signal in forwarded() {
        send(to, signal);
        let line = running.line();
        assert_eq!(line.split(' ').next(), Some(signal.to_string().as_str()), "sent {signal}");
        lines.push(line);
    }
    running.finish().is(0, "", "");
    lines
}

#[test]
fn every_signal_to_outer_arrives_once() {
    for root in roots() {
        let (_root, running) = recorder(root, &[]);
        let outer = running.pid();
        all_arrive_once(running, outer, send);
    }
}

#[test]
fn every_signal_to_init_arrives_once() {
    for root in roots() {
        let (_root, running) = recorder(root, &[]);
        let init = running.init();
        all_arrive_once(running, init, send);
    }
}

#[test]
fn queued_signals_keep_their_value() {
    for root in roots() {
        let (_root, running) = recorder(root, &[]);
        let outer = running.pid();
        let lines = all_arrive_once(running, outer, |pid, signal| queue(pid, signal, signal + 1000));
        for (signal, line) in forwarded().zip(lines).filter(|&(s, _)| s >= FIRST_REAL_TIME) {
            assert_eq!(line.split(' ').nth(2), Some((signal + 1000).to_string().as_str()), "{line}");
        }
    }
}

/// Real-time signals queue: none is lost, and they keep their order.
#[test]
fn a_burst_of_real_time_signals_arrives_whole() {
    for root in roots() {
        let (_root, mut running) = recorder(root, &[]);
        for value in 0..100 {
            queue(running.pid(), 40, value);
        }
        for value in 0..100 {
            assert_eq!(running.line(), format!("40 {} {value}", libc::SI_QUEUE));
        }
        running.finish().is(0, "", "");
    }
}

#[test]
fn shared_pids_change_nothing() {
    for root in roots() {
        let (_root, running) = recorder(root, &["--share-pid"]);
        let outer = running.pid();
        all_arrive_once(running, outer, send);
    }
}

#[test]
fn cmd_as_pid_1_gets_them_too() {
    for root in roots() {
        let (_root, running) = recorder(root, &["--as-pid-1"]);
        let outer = running.pid();
        all_arrive_once(running, outer, send);
    }
}

#[test]
fn chld_is_not_forwarded() {
    for root in roots() {
        let (_root, mut running) = recorder(root, &[]);
        for pid in [running.pid(), running.init()] {
            send(pid, libc::SIGCHLD);
            send(pid, libc::SIGUSR1);
            assert_eq!(running.line(), "10 0 0");
        }
        running.finish().is(0, "", "");
    }
}

/// The code and sender of a forwarded signal are kill's, as if the sender had aimed at CMD.
#[test]
fn the_group_gets_them_only_on_request() {
    for root in roots() {
        let root = root.with_helper();
        let cmd = ["sh", "-c", "trap '' USR1; /bin/helper signals; :"];
        for (options, expected) in [(&[][..], ""), (&["--group"], "10 0 0\n")] {
            let mut running = root.launch(options, &cmd).open_input().start();
            assert_eq!(running.line(), "ready");
            running.kill(libc::SIGUSR1);
            // The second signal is the helper's only, sent past nsinit: what went before it has arrived.
            let helper =
                eventually("the helper is there", || super::harness::procs::children(running.cmd()).first().copied());
            if !expected.is_empty() {
                assert_eq!(running.line() + "\n", expected);
            }
            send(helper, libc::SIGUSR2);
            assert_eq!(running.line(), "12 0 0");
            running.finish().is(0, "", "");
        }
    }
}

#[test]
fn cmd_can_be_ended_by_signals() {
    for root in roots() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGALRM, 50] {
            let (running, _) = asleep(&root);
            running.kill(signal);
            running.finish().is(128 + signal, "", "");
        }
    }
}

/// The signal of a stopped process stays pending: it needs the CONT too.
#[test]
fn a_stopped_cmd_can_end() {
    for root in roots() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
            let (running, cmd) = asleep(&root);
            stop(cmd);
            send(running.init(), signal);
            eventually("CMD ends", || is_gone(cmd).then_some(()));
            // OUTER may have stopped with CMD.
            running.kill(libc::SIGCONT);
            running.finish().is(128 + signal, "", "");
        }
    }
}

/// A shell ends a stopped job with TERM and CONT, both to OUTER.
#[test]
fn a_stopped_job_ends_as_shells_do_it() {
    for root in roots() {
        let (running, cmd) = asleep(&root);
        stop(cmd);
        running.kill(libc::SIGTERM);
        running.kill(libc::SIGCONT);
        running.finish().is(143, "", "");
    }
}

// ---- what CMD starts with

fn ignore(signal: i32) {
    // SAFETY: SIG_IGN is no function.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// The raw call: libc's leaves out the signals that it keeps for itself.
fn block(mask: u64) {
    // SAFETY: the kernel reads eight bytes.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, 0, size_of::<u64>()) };
}

/// CMD's mask and dispositions are those of a program that the caller starts directly.
#[test]
fn cmd_starts_with_the_callers_signals() {
    let rows: [fn(); 6] = [
        || (),
        || ignore(libc::SIGPIPE),
        || ignore(libc::SIGCHLD),
        || [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, 40, 64].into_iter().for_each(ignore),
        || block(1 << (libc::SIGUSR1 - 1) | 1 << (libc::SIGTERM - 1) | 1 << 39 | 1 << 31),
        || block(u64::MAX),
    ];
    let cmd = ["grep", "-E", "^Sig(Blk|Ign|Cgt|Pnd)", "/proc/self/status"];
    for root in roots() {
        for (number, row) in rows.into_iter().enumerate() {
            let set_up = move || {
                row();
                Ok(())
            };
            let direct = Launch::of(root.who, busybox().unwrap()).args(cmd).before(set_up).run();
            for options in [&[][..], &["--as-pid-1"], &["--new-session"]] {
                let inside = root.launch(options, &cmd).before(set_up).run();
                assert_eq!(inside.text(), direct.text(), "row {number} with {options:?} as {:?}", root.who);
            }
        }
    }
}

/// tini and catatonit hang for ever when they are started with SIGCHLD ignored.
#[test]
fn an_ignored_chld_does_not_hang_us() {
    for root in roots() {
        let launch = |cmd: &[&str]| {
            root.launch(&[], cmd).before(|| {
                ignore(libc::SIGCHLD);
                Ok(())
            })
        };
        launch(&["sh", "-c", "exit 7"]).run().is(7, "", "");
        launch(&["sh", "-c", "sleep 1000 & exit 8"]).run().is(8, "", "");
    }
}

/// Blocked by the caller, a signal to OUTER reaches CMD all the same (and is pending there).
#[test]
fn a_mask_does_not_stop_forwarding() {
    for root in roots() {
        let cmd = [
            "sh",
            "-c",
            "echo up; while ! grep -q '^ShdPnd:.*0000004000$' /proc/self/status; do :; done; echo pending",
        ];
        let launch = root.launch(&[], &["sh", "-c", cmd[2].replace("self", "$$").as_str()]).before(|| {
            block(1 << (libc::SIGTERM - 1));
            Ok(())
        });
        let mut running = launch.start();
        assert_eq!(running.line(), "up");
        running.kill(libc::SIGTERM);
        running.finish().says("pending");
    }
}
