//! INIT.md's signal table: a signal to the launcher or to process 1 reaches the command exactly once; and the command
//! starts with the caller's mask and dispositions.

use super::harness::launch::{queue, send};
use super::harness::procs::{Pid, eventually, is_gone, stat};
use super::harness::scratch::busybox;
use super::harness::{Launch, Root, Running, roots};

/// The signals that are forwarded: KILL and STOP cannot be caught, CHLD reports our own children.
fn forwarded() -> impl Iterator<Item = i32> {
    (1..=64).filter(|s| ![libc::SIGKILL, libc::SIGSTOP, libc::SIGCHLD].contains(s))
}

/// The kernel's first real-time signal, which carries a value; libc's SIGRTMIN is higher.
const FIRST_REAL_TIME: i32 = 32;

/// A command that prints the signals that it gets, and is ready for them.
fn recorder(root: Root, options: &[&str]) -> (Root, Running) {
    let root = root.with_helper();
    let mut running = root.launch(options, &["helper", "signals"]).open_input().start();
    assert_eq!(running.line(), "ready");
    (root, running)
}

/// A command without signal handlers, already executed.
fn sleeping_cmd(root: &Root) -> (Running, Pid) {
    let running = root.launch(&[], &["sleep", "1000"]).start();
    let cmd = running.cmd();
    eventually("the command is executed", || stat(cmd).filter(|s| s.name == "sleep"));
    (running, cmd)
}

fn stop(pid: Pid) {
    send(pid, libc::SIGSTOP);
    eventually("the process is stopped", || stat(pid).filter(|s| s.state == 'T'));
}

/// Sends each signal and waits for it: a second copy, or a wrong signal, would arrive in between.
#[track_caller]
fn assert_all_reach_cmd_once(mut running: Running, to: Pid, send: impl Fn(Pid, i32)) -> Vec<String> {
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
fn every_signal_to_the_launcher_reaches_cmd_once() {
    for root in roots() {
        let (_root, running) = recorder(root, &[]);
        let launcher = running.pid();
        assert_all_reach_cmd_once(running, launcher, send);
    }
}

#[test]
fn every_signal_to_process_1_reaches_cmd_once() {
    for root in roots() {
        let (_root, running) = recorder(root, &[]);
        let init = running.init();
        assert_all_reach_cmd_once(running, init, send);
    }
}

#[test]
fn forwarded_real_time_signals_keep_their_value() {
    for root in roots() {
        let (_root, running) = recorder(root, &[]);
        let launcher = running.pid();
        let lines = assert_all_reach_cmd_once(running, launcher, |pid, signal| queue(pid, signal, signal + 1000));
        for (signal, line) in forwarded().zip(lines).filter(|&(s, _)| s >= FIRST_REAL_TIME) {
            assert_eq!(line.split(' ').nth(2), Some((signal + 1000).to_string().as_str()), "{line}");
        }
    }
}

/// Real-time signals are queued: none is lost, and they keep their order.
#[test]
fn no_real_time_signal_of_a_burst_is_lost() {
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
fn signals_are_forwarded_with_share_pid() {
    for root in roots() {
        let (_root, running) = recorder(root, &["--share-pid"]);
        let launcher = running.pid();
        assert_all_reach_cmd_once(running, launcher, send);
    }
}

#[test]
fn signals_are_forwarded_to_cmd_as_pid_1() {
    for root in roots() {
        let (_root, running) = recorder(root, &["--as-pid-1"]);
        let launcher = running.pid();
        assert_all_reach_cmd_once(running, launcher, send);
    }
}

/// A build without cgroups, and so without --systemd, leaves the signals of --as-pid-1 as they are.
fn with_and_without_process_1() -> &'static [&'static [&'static str]] {
    if cfg!(feature = "whole") { &[&[], &["--share-pid"], &["--as-pid-1"]] } else { &[&[], &["--share-pid"]] }
}

/// The launcher alone does what process 1 of nsinit's does otherwise.
#[test]
fn signals_are_rewritten_with_and_without_as_pid_1() {
    for root in roots() {
        let root = root.with_helper();
        for options in with_and_without_process_1() {
            let rules = ["--rewrite", "15:37", "--rewrite", "10:0", "--rewrite", "12:1", "--rewrite", "18:2"];
            let mut running = root.launch(&[&rules[..], options].concat(), &["helper", "signals"]).open_input().start();
            assert_eq!(running.line(), "ready");
            for (sent, got) in [(15, "37 "), (10, ""), (12, "1 "), (18, "2 "), (37, "37 "), (3, "3 ")] {
                running.kill(sent);
                if !got.is_empty() {
                    let line = running.line();
                    assert!(line.starts_with(got), "{options:?} sent {sent}: {line}");
                }
            }
            running.finish().is(0, "", "");
        }
    }
}

/// What SIGTERM is forwarded as asks for the end too; what another signal is forwarded as does not.
#[test]
fn time_to_stop_counts_from_the_signal_that_asks_for_the_end() {
    for root in roots() {
        let root = root.with_helper();
        for options in with_and_without_process_1() {
            let rules = ["--rewrite", "15:37", "--rewrite", "1:10", "--stop-timeout", "2"];
            let mut running = root.launch(&[&rules[..], options].concat(), &["helper", "signals"]).open_input().start();
            assert_eq!(running.line(), "ready");
            running.kill(libc::SIGHUP);
            assert!(running.line().starts_with("10 "));
            std::thread::sleep(std::time::Duration::from_millis(2300));
            running.kill(libc::SIGTERM);
            assert!(running.line().starts_with("37 "), "{options:?}");
            assert_eq!(running.line_or_end(), None, "{options:?}");
            running.finish().is(128 + libc::SIGKILL, "", "");
        }
    }
}

#[test]
fn sigchld_is_not_forwarded() {
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

/// Code and sender of a forwarded signal are those of kill(2), as if sent directly to the command.
#[test]
fn group_option_forwards_signals_to_cmds_group() {
    for root in roots() {
        let root = root.with_helper();
        let cmd = ["sh", "-c", "trap '' USR1; /bin/helper signals; :"];
        for (options, expected) in [(&[][..], ""), (&["--group"], "10 0 0\n")] {
            let mut running = root.launch(options, &cmd).open_input().start();
            assert_eq!(running.line(), "ready");
            running.kill(libc::SIGUSR1);
            // The second signal goes to the helper only, not through nsinit: all earlier ones have then arrived.
            let helper =
                eventually("the helper runs", || super::harness::procs::children(running.cmd()).first().copied());
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
fn death_by_forwarded_signal_n_gives_128_plus_n() {
    for root in roots() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR1, libc::SIGALRM, 50] {
            let (running, _) = sleeping_cmd(&root);
            running.kill(signal);
            running.finish().is(128 + signal, "", "");
        }
    }
}

/// The signal to a stopped process stays pending: the process needs SIGCONT too.
#[test]
fn stopped_cmd_gets_sigcont_after_a_fatal_signal() {
    for root in roots() {
        for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
            let (running, cmd) = sleeping_cmd(&root);
            stop(cmd);
            send(running.init(), signal);
            eventually("the command ends", || is_gone(cmd).then_some(()));
            // The launcher may have stopped with the command.
            running.kill(libc::SIGCONT);
            running.finish().is(128 + signal, "", "");
        }
    }
}

/// A shell ends a stopped job with SIGTERM and SIGCONT, both to the launcher.
#[test]
fn sigterm_and_sigcont_end_a_stopped_job() {
    for root in roots() {
        let (running, cmd) = sleeping_cmd(&root);
        stop(cmd);
        running.kill(libc::SIGTERM);
        running.kill(libc::SIGCONT);
        running.finish().is(143, "", "");
    }
}

// ---- the state in which the command starts

fn ignore(signal: i32) {
    // SAFETY: SIG_IGN is not a function pointer.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// The raw call: libc's wrapper leaves out the signals that libc uses itself.
fn block(mask: u64) {
    // SAFETY: the kernel reads eight bytes.
    unsafe { libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const mask, 0, size_of::<u64>()) };
}

/// The command's mask and dispositions are those of a program that the caller starts directly.
#[test]
fn cmd_starts_with_the_callers_signal_mask_and_dispositions() {
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

/// tini and catatonit hang for ever if they are started with SIGCHLD ignored.
#[test]
fn ignored_sigchld_does_not_hang_the_launcher() {
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

/// A signal to the launcher that the caller blocks still reaches the command (and is pending there).
#[test]
fn signals_blocked_by_the_caller_are_forwarded() {
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
