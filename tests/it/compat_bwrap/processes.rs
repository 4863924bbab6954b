//! The process tree, its lifetime, and exit statuses.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::{SigSet, SigmaskHow, Signal, pthread_sigmask};

use super::{Bwrap, give, pipe, read_all, since, small, subjects};
use crate::compat::helper;
use crate::compat::subject::{Side, no_signals};
use crate::harness::launch::{forget, nothing_is_left, send, spawn};
use crate::harness::procs::{Pid, Stat, eventually, is_gone, sleeps_in, stat, tree};
use crate::harness::scratch::{Dir, utf8};
use crate::harness::{Out, Running, Term};

const WITHOUT_INIT: [&[&str]; 2] = [&[], &["--unshare-pid", "--as-pid-1"]];
const WITH_INIT: &[&str] = &["--unshare-pid"];

// ---- statuses

#[test]
fn exit_status_is_cmds() {
    for it in subjects() {
        for options in [&[][..], WITH_INIT, WITHOUT_INIT[1], &["--lock-file", "/bin/busybox"]] {
            for status in [0, 1, 7, 125, 126, 127, 128, 255] {
                it.sh(options, &format!("exit {status}")).is(status, "", "");
            }
        }
        for options in [&[][..], WITH_INIT] {
            for signal in [1, 9, 15, 17, 64] {
                // A signal that does not kill: status 0.
                let status = if signal == libc::SIGCHLD { 0 } else { 128 + signal };
                it.sh(options, &format!("kill -{signal} $$; exit 0")).is(status, "", "");
            }
        }
    }
}

#[test]
fn execve_errors_give_1() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        std::fs::write(dir.at("plain"), "").expect("write a file");
        dir.file("head", "#!/no/such/interpreter\n");
        for options in [&[][..], WITH_INIT, WITHOUT_INIT[1]] {
            let options = [options, &["--bind", dir.str(), "/d"]].concat();
            for (word, reason) in [
                ("/no/such", "No such file or directory"),
                ("", "No such file or directory"),
                ("/d/head", "No such file or directory"),
                ("/d/plain", "Permission denied"),
                ("/", "Permission denied"),
                ("/d/plain/x", "Not a directory"),
            ] {
                it.small(&options, &[word]).run().is(1, "", &format!("bwrap: execvp {word}: {reason}\n"));
            }
            it.small(&options, &["nosuch", "x"]).env("PATH", "/bin").run().is(
                1,
                "",
                "bwrap: execvp nosuch: No such file or directory\n",
            );
        }
    }
}

/// A sandbox in a sandbox, made by the same program, whatever its name and path are.
#[test]
fn bwrap_can_run_itself() {
    for it in subjects() {
        let host = ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"];
        let inner =
            [&["/proc/self/exe"], &host[..], &["--unshare-pid", "--", "/bin/sh", "-c", "echo $$; exit 5"]].concat();
        for outer in [&[][..], &["--unshare-pid"], &["--unshare-ipc"]] {
            it.run(&[&host[..], outer, &inner].concat()).is(5, "2\n", "");
        }
    }
}

/// The script is run by the shell.
#[test]
fn script_without_interpreter_line_is_run_by_sh() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("script", "echo \"$@\"; exit 9\n");
        it.small(&["--bind", dir.str(), "/d"], &["/d/script", "a", "b"]).run().is(9, "a b\n", "");
    }
}

/// After `--` all words are the command's; so are those after the first operand.
#[test]
fn arguments_after_the_command_are_cmds() {
    for it in subjects() {
        let cmd = ["/bin/echo", "--dev", "/dev", "--", "--nosuch"];
        it.small(&[], &cmd).run().says("--dev /dev -- --nosuch");
        let words: Vec<&str> = small(&[], &cmd).into_iter().filter(|word| *word != "--").collect();
        it.run(&words).says("--dev /dev --nosuch");
        it.small(&[], &["--version"]).env("PATH", "/bin").run().is(
            1,
            "",
            "bwrap: execvp --version: No such file or directory\n",
        );
    }
}

// ---- process ids

#[test]
fn cmd_has_the_expected_pid_and_parent() {
    for it in subjects() {
        it.sh(WITH_INIT, "echo $$ $PPID").says("2 1");
        it.sh(WITHOUT_INIT[1], "echo $$ $PPID").says("1 0");
        let mut running = it.small(&[], &["/bin/sh", "-c", "echo $PPID; read x"]).open_input().start();
        assert_eq!(running.line(), running.pid().to_string());
        running.finish().is(1, "", "");
    }
}

#[test]
fn orphans_are_reaped() {
    for it in subjects() {
        let options = [WITH_INIT, &["--ro-bind", helper(), "/helper"]].concat();
        it.small(&options, &["/helper", "orphans", "200"]).run().is(0, "", "");
        it.small(&options, &["/helper", "together", "3", "7"]).run().is(7, "", "");
    }
}

/// Pid, process group and session of the command, from the host's /proc.
const GROUPS: &str = "cut -d' ' -f1,5,6 /proc/self/stat; read x";

/// Pid, process group and session of the command, and of bwrap.
fn groups(it: &Bwrap, options: &[&str]) -> ([Pid; 3], [Pid; 3]) {
    let cmd = ["/bin/sh", "-c", &GROUPS.replace("self", "$$")];
    let mut running = it.small(options, &cmd).open_input().start();
    let line = running.line();
    let numbers: Vec<Pid> = line.split(' ').map(|word| word.parse().expect("a number")).collect();
    let own = stat(running.pid()).expect("bwrap runs");
    running.finish().is(1, "", "");
    (numbers.try_into().expect("three numbers"), [own.pid, own.group, own.session])
}

#[test]
fn cmd_is_in_the_callers_group_and_session() {
    for it in subjects() {
        let (cmd, own) = groups(&it, &[]);
        assert_eq!(cmd[1..], own[1..]);
    }
}

#[test]
fn new_session_starts_a_session() {
    for it in subjects() {
        let (cmd, _) = groups(&it, &["--new-session"]);
        assert_eq!(cmd, [cmd[0]; 3]);
        let (cmd, _) = groups(&it, &["--new-session", "--unshare-pid"]);
        assert!(cmd[2] != 0 && cmd[1] == cmd[2], "the session is led from the new pid namespace: {cmd:?}");
    }
}

/// Without a new session the command has the caller's terminal.
#[test]
fn cmd_has_the_callers_terminal_without_new_session() {
    for it in subjects() {
        for (options, seen) in [(&[][..], "has it"), (&["--new-session"], "has none")] {
            let options = [&["--dev", "/dev"], options].concat();
            let script = "if (: </dev/tty) 2>/dev/null; then echo has it; else echo has none; fi; echo end; read x";
            let program = utf8(&it.program);
            let words = small(&options, &["/bin/sh", "-c", script]);
            let root = Dir::new(it.who);
            let mut term = Term::run(it.who, root.path(), &[&[program], &words[..]].concat());
            assert_eq!(term.expect("end\r\n"), format!("{seen}\r\nend\r\n"), "{options:?}");
            term.keys("\n");
            term.hang_up();
        }
    }
}

/// The command's blocked and ignored signals are the caller's.
#[test]
fn cmd_has_the_callers_signal_mask_and_dispositions() {
    for it in subjects() {
        for options in ALL_PLACES {
            // The sets are: HUP and USR1; USR1; USR1 and TERM.
            for (ignored, blocked) in [("0", "0"), ("201", "0"), ("0", "200"), ("0", "4200")] {
                let words = small(options, &["/bin/sed", "-n", "/^Sig[BI]/p", "/proc/self/status"]);
                let out = it.launch_in(&[helper(), "state", ignored, blocked], &words).run();
                out.says(&format!("SigBlk:\t{blocked:0>16}\nSigIgn:\t{ignored:0>16}"));
            }
        }
    }
}

/// The installed original never ends.
#[test]
fn ignored_sigchld_does_not_hang_bwrap() {
    for it in since(11) {
        for options in [&[][..], WITH_INIT] {
            let words = small(options, &["/bin/sh", "-c", "exit 5"]);
            it.launch_in(&[helper(), "state", "10000", "0"], &words).run().is(5, "", "");
        }
    }
}

// ---- background processes

/// A child of the command that outlives it, until the test ends it.
struct Background {
    running: Running,
    /// The child ends when this is dropped.
    hold: OwnedFd,
    /// Open as long as the child runs.
    alive: File,
}

/// The command exits with 3 at once. The tag is for the leftover check.
fn background(it: &Bwrap, tag: &Dir, options: &[&str]) -> Background {
    let ((hold_reader, hold), (alive, alive_writer)) = (pipe(), pipe());
    let script = "(read x <&8) >&- 2>&- & exec 9>&-; exit 3";
    let options = [options, &["--dev", "/dev", "--setenv", "TAG", tag.str()]].concat();
    let launch = it.small(&options, &["/bin/sh", "-c", script, tag.str()]);
    let launch = give(give(launch, 8, hold_reader), 9, alive_writer);
    Background { running: launch.start(), hold, alive }
}

#[track_caller]
pub fn wait_for_end(running: &Running) {
    eventually("bwrap ends", || is_gone(running.pid()).then_some(()));
}

fn is_open(alive: &File) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let mut fds = [PollFd::new(alive.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::from(20u8)).expect("poll a pipe") == 0
}

/// bwrap ends with the command, and its background processes continue.
#[test]
fn background_processes_outlive_bwrap() {
    for it in subjects() {
        for options in [&[][..], WITH_INIT, &["--lock-file", "/bin/busybox"], &["--die-with-parent"]] {
            let tag = Dir::new(it.who);
            let Background { running, hold, alive } = background(&it, &tag, options);
            wait_for_end(&running);
            assert!(is_open(&alive), "the background process has ended: {options:?}");
            drop(hold);
            assert_eq!(read_all(alive), "");
            running.finish().is(3, "", "");
        }
    }
}

/// If the command is process 1 of its namespace, its end kills the others; so it does with --die-with-parent.
#[test]
fn background_processes_end_with_process_1() {
    for it in subjects() {
        for options in [WITHOUT_INIT[1], &["--unshare-pid", "--die-with-parent"]] {
            let tag = Dir::new(it.who);
            let Background { running, hold, alive } = background(&it, &tag, options);
            wait_for_end(&running);
            assert_eq!(read_all(alive), "", "{options:?}");
            running.finish().is(3, "", "");
            drop(hold);
        }
    }
}

/// The status is written when the command ends; the namespace ends later.
#[test]
fn json_status_is_written_at_cmds_end() {
    for it in subjects() {
        let tag = Dir::new(it.who);
        let ((hold_reader, hold), (status, writer)) = (pipe(), pipe());
        let options = [WITH_INIT, &["--json-status-fd", "10", "--dev", "/dev", "--setenv", "TAG", tag.str()]].concat();
        let script = "(read x <&8) >&- 2>&- & exit 3";
        let launch = it.small(&options, &["/bin/sh", "-c", script, tag.str()]);
        let running = give(give(launch, 8, hold_reader), 10, writer).start();
        assert!(read_all(status).ends_with("{ \"exit-code\": 3 }\n"));
        wait_for_end(&running);
        drop(hold);
        running.finish().is(3, "", "");
    }
}

// ---- killed processes

/// A running command, and a pipe that is open until it ends.
struct Working {
    running: Running,
    alive: File,
}

fn working(it: &Bwrap, tag: &Dir, options: &[&str]) -> Working {
    let (alive, writer) = pipe();
    let options = [options, &["--setenv", "TAG", tag.str()]].concat();
    let options = [&options[..], &["--ro-bind", helper(), "/helper"]].concat();
    let launch = it.small(&options, &["/helper", "next", tag.str()]);
    let mut running = give(launch, 9, writer).start();
    assert!(running.line().starts_with("here "));
    Working { running, alive }
}

/// The command's pid outside.
#[track_caller]
fn helper_of(running: &Running) -> Pid {
    helper_below(running.pid()).pid
}

#[track_caller]
fn helper_below(top: Pid) -> Stat {
    let below = || tree(top).into_iter().filter_map(stat);
    eventually("the command runs", || below().find(|s| s.name == "helper"))
}

/// The original's process 1 asks to die with its parent only after it has started the command: its parent must not be killed
/// before process 1 waits.
fn original_waits(it: &Bwrap, options: &[&str], top: Pid) {
    if it.side == Side::Original && options == WITH_INIT {
        sleeps_in(helper_below(top).parent, "wait");
    }
}

const ALL_PLACES: [&[&str]; 3] = [&[], WITH_INIT, WITHOUT_INIT[1]];

/// The original forwards no signal; nsinit forwards all that can be caught.
#[test]
fn sigterm_is_forwarded_and_sigkill_spares_cmd() {
    for it in subjects() {
        for options in ALL_PLACES {
            for signal in [libc::SIGTERM, libc::SIGKILL] {
                let tag = Dir::new(it.who);
                let Working { running, alive } = working(&it, &tag, options);
                let cmd = helper_of(&running);
                running.kill(signal);
                if signal == libc::SIGTERM && it.differs("TERM, HUP, INT and similar signals to bwrap") {
                    assert_eq!(read_all(alive), "");
                    running.finish().is(0, "got 15\n", "");
                    continue;
                }
                wait_for_end(&running);
                assert!(is_open(&alive), "{options:?}");
                send(cmd, libc::SIGKILL);
                assert_eq!(read_all(alive), "");
                running.finish().is(-signal, "", "");
            }
        }
    }
}

#[test]
fn die_with_parent_ends_cmd_with_bwrap() {
    for it in subjects() {
        for options in ALL_PLACES {
            let tag = Dir::new(it.who);
            let Working { running, alive } = working(&it, &tag, &[options, &["--die-with-parent"]].concat());
            original_waits(&it, options, running.pid());
            running.kill(libc::SIGKILL);
            assert_eq!(read_all(alive), "");
            running.finish().is(-libc::SIGKILL, "", "");
        }
    }
}

/// The parent only waits.
#[test]
fn die_with_parent_ends_bwrap_with_its_parent() {
    for it in subjects() {
        for place in ALL_PLACES {
            let tag = Dir::new(it.who);
            let options = [place, &["--die-with-parent", "--setenv", "TAG", tag.str()]].concat();
            let options = [&options[..], &["--ro-bind", helper(), "/helper"]].concat();
            let words = small(&options, &["/helper", "next", tag.str()]);
            let mut parent = Command::new("/bin/sh");
            parent.args(["-c", "\"$@\" & wait", "sh"]).arg(&it.program).args(words);
            parent.stdin(Stdio::null()).stdout(Stdio::piped()).current_dir(Path::new("/"));
            it.who.become_in(&mut parent);
            // SAFETY: only system calls between fork and exec.
            unsafe { parent.pre_exec(no_signals) };
            let mut child = spawn(&mut parent);
            let mut out = child.stdout.take().expect("stdout is piped");
            let mut here = [0; 4];
            out.read_exact(&mut here).expect("read the command's line");
            original_waits(&it, place, child.id().cast_signed());
            child.kill().expect("kill the parent");
            // Until all processes have ended.
            assert_eq!(read_all(out).lines().count(), 1);
            child.wait().expect("wait for the parent");
            forget(child.id().cast_signed());
            nothing_is_left(tag.str());
        }
    }
}

#[test]
fn killed_cmd_gives_137_and_a_stop_is_waited_for() {
    for it in subjects() {
        for options in ALL_PLACES {
            let tag = Dir::new(it.who);
            let Working { running, alive: _alive } = working(&it, &tag, options);
            let cmd = helper_of(&running);
            send(cmd, libc::SIGSTOP);
            eventually("the command is stopped", || stat(cmd).filter(|s| s.state == 'T'));
            assert!(!is_gone(running.pid()));
            send(cmd, libc::SIGKILL);
            running.finish().is(137, "", "");
        }
    }
}

/// Process 1 cannot be killed from inside; its end kills all others. nsinit forwards the signals that it gets.
#[test]
fn killed_process_1_gives_137() {
    for it in subjects() {
        let tag = Dir::new(it.who);
        let Working { running, alive } = working(&it, &tag, WITH_INIT);
        let init = stat(helper_of(&running)).expect("the command runs").parent;
        send(init, libc::SIGKILL);
        assert_eq!(read_all(alive), "");
        running.finish().is(137, "", "");
        let out = it.sh(WITH_INIT, "kill -9 1; kill -15 1; sleep 0.01; exit 6");
        assert_eq!(out.status, if it.differs("TERM to process 1, from inside") { 143 } else { 6 }, "{out}");
    }
}

/// Signals that the test's own thread blocks do not matter.
#[test]
fn blocked_signals_do_not_hang_bwrap() {
    for it in subjects() {
        let launch = it.small(WITH_INIT, &["/bin/sh", "-c", "exit 5"]).before(|| {
            let mut set = SigSet::empty();
            set.add(Signal::SIGCHLD);
            set.add(Signal::SIGTERM);
            pthread_sigmask(SigmaskHow::SIG_BLOCK, Some(&set), None).map_err(std::io::Error::from)
        });
        launch.run().is(5, "", "");
    }
}

#[track_caller]
fn lines(out: &Out) -> usize {
    out.stderr.lines().count()
}

/// A failure is reported in one line, not in one for each process.
#[test]
fn failure_is_reported_in_one_line() {
    for it in subjects() {
        for options in ALL_PLACES {
            let out = it.sh(&[options, &["--bind", "/no/such", "/x"]].concat(), "");
            assert_eq!((out.status, lines(&out)), (1, 1), "{out}");
        }
    }
}
