//! Secrets and privileges of the caller, tried from inside as root: the command cannot get at them.

use super::harness::container::{Container, Maker, enter};
use super::harness::launch::send;
use super::harness::procs::{self, eventually, stat};
use super::harness::scratch::{helper, nsinit, utf8};
use super::harness::{Deny, Launch, Root, Who, has_options, roots, skip, who};

/// A core file of nsinit would contain the caller's arguments and environment. The command's limit is the caller's.
#[test]
fn processes_of_nsinit_leave_no_core_file() {
    let core = |text: &str| text.split_whitespace().nth(4).map(str::to_owned);
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let mut launches = vec![container.root.launch(&[], CMD)];
        if cfg!(feature = "enter") {
            launches.push(enter(who, container.inside, &[], CMD));
        }
        for launch in launches {
            let mut run = launch
                .before(|| {
                    let limit = libc::rlimit { rlim_cur: 4096, rlim_max: 8192 };
                    // SAFETY: setrlimit reads a struct.
                    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) };
                    Ok(())
                })
                .open_input()
                .start();
            let cmd = run.line();
            let launcher =
                std::fs::read_to_string(format!("/proc/{}/limits", run.pid())).expect("read the launcher's limits");
            let launcher =
                launcher.lines().find(|line| line.contains("core")).expect("the list has the limit on core files");
            let found = [launcher, &cmd, &run.line()].map(core);
            assert_eq!(found, ["0", "4096", "0"].map(|limit| Some(limit.to_owned())));
            run.finish_with_others();
        }
        container.end();
    }
    const CMD: &[&str] = &["/bin/sh", "-c", "grep core /proc/self/limits /proc/1/limits -h; read end"];
}

/// runc issue 453: the command cannot read, change or add keys of the caller's session.
#[test]
fn cmd_cannot_use_the_callers_session_keyring() {
    // The filter refuses all calls for keys; without it the keyring is empty.
    const REFUSED: &str = "inside: Function not implemented\noutside: secret\n";
    const APART: &str = "inside: Required key not available\noutside: secret\n";
    const UNFILTERED: [&str; 2] = ["--seccomp-profile", "none"];
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let nsinit = utf8(nsinit());
        let run = |words: &[&str]| {
            let words = [&["session", nsinit], words, &["--", "helper", "keys"]].concat();
            Launch::of(who, helper()).args(words).run_with_others()
        };
        let out = run(&["--root", container.root.str()]);
        if out.status == 77 {
            skip(out.stdout.trim_end());
            return;
        }
        assert_eq!((out.status, out.stdout.as_str()), (1, REFUSED), "{out}");
        run(&["--root", container.root.str(), UNFILTERED[0], UNFILTERED[1]]).is(0, APART, "");
        let id = container.inside.to_string();
        let cases =
            [&["--root", container.root.str(), "--as-pid-1"][..], &["--enter", &id], &["--enter", &id, "--pty"]];
        for words in cases.into_iter().filter(|words| has_options(words)) {
            let out = run(words);
            assert_eq!((out.status, out.stdout.replace('\r', "")), (1, REFUSED.to_owned()), "{out}");
            let out = run(&[words, &UNFILTERED].concat());
            assert_eq!((out.status, out.stdout.replace('\r', "")), (0, APART.to_owned()), "{out}");
        }
        if who.is_root() {
            let words = ["--root", container.root.str(), "--share-user", "--uid", "5", UNFILTERED[0], UNFILTERED[1]];
            run(&words).is(0, APART, "");
        }
        let cases = [&["--root", container.root.str(), "--keep-keyring"][..], &["--enter", &id, "--keep-keyring"]];
        for words in cases.into_iter().filter(|words| has_options(words)) {
            run(words).is(0, "inside: secret\noutside: changed\nplanted\n", "");
        }
        // As bubblewrap.
        if cfg!(feature = "bwrap") {
            let words = ["--bind", container.root.str(), "/", "--dev", "/dev"];
            run(&words).is(0, "inside: secret\noutside: changed\nplanted\n", "");
        }
        container.end();
    }
}

/// If all calls for keys fail, there is nothing to protect; if only some fail, there is.
#[test]
#[cfg(feature = "whole")]
fn keyring_is_optional_only_if_no_key_call_works() {
    for root in roots() {
        for errno in [libc::ENOSYS, libc::EPERM] {
            let refused = |calls: &[i64]| {
                let launch = root.launch(&[], &["echo", "ran"]);
                calls.iter().fold(launch, |launch, call| launch.deny(Deny::all(*call, errno))).run()
            };
            refused(&[libc::SYS_keyctl, libc::SYS_add_key, libc::SYS_request_key]).says("ran");
            // ENOSYS: a kernel without the call has no keys.
            if errno == libc::ENOSYS {
                refused(&[libc::SYS_keyctl]).says("ran");
                continue;
            }
            refused(&[libc::SYS_keyctl]).fails("join a new session keyring: ");
            refused(&[libc::SYS_keyctl, libc::SYS_request_key]).fails("(use --keep-keyring to share the caller's)");
        }
    }
}

/// An ordinary user may have 200 keys; those of an ended container are released shortly after.
#[test]
#[cfg(feature = "whole")]
fn key_quota_is_explained_and_not_used_up() {
    if who::root().is_none() {
        return;
    }
    // A uid of its own, so that the users of other tests keep their keys.
    let Some(root) = Root::new(Who::User { uid: 54_321, gid: 54_321 }) else { return };
    let full = |options: &[&str]| {
        root.launch(options, &["echo", "ran"])
            .before(|| {
                for number in 0..1000u32 {
                    let name = [
                        b'a' + (number / 676 % 26) as u8,
                        b'a' + (number / 26 % 26) as u8,
                        b'a' + (number % 26) as u8,
                        0,
                    ];
                    // SAFETY: the kernel reads two C strings and a byte. The process keyring ends with the process.
                    let added = unsafe {
                        let (kind, name) = (c"user".as_ptr(), name.as_ptr());
                        libc::syscall(libc::SYS_add_key, kind, name, name, 1usize, -3i64)
                    };
                    if added < 0 {
                        break;
                    }
                }
                Ok(())
            })
            .run()
    };
    full(&[]).fails("join a new session keyring: Disk quota exceeded (the user's limit on keys is reached");
    full(&["--keep-keyring"]).says("ran");
    for _ in 0..250 {
        root.run(&[], &["true"]).is(0, "", "");
    }
}

/// Secrets: a value in the caller's arguments, and one in its environment.
const SECRETS: [&str; 2] = ["s3cret-word", "s3cret-variable"];

/// /proc/1 shows neither nsinit's arguments, such as the values of `--setenv`, nor the caller's variables, with and
/// without CONFIG_CHECKPOINT_RESTORE.
#[test]
fn process_1_hides_its_arguments_and_environment() {
    const SCRIPT: &str = "tr '\\0' , </proc/1/cmdline; echo; cat /proc/1/environ 2>/dev/null; :";
    let without = Deny::when(libc::SYS_prctl, 0, u64::MAX, libc::PR_SET_MM as u64, libc::EINVAL);
    for root in roots() {
        let run = |options: &[&str], deny: Option<Deny>| {
            let options = [options, &["--setenv", "PASSWORD", SECRETS[0]]].concat();
            let launch = root.launch(&options, &["/bin/sh", "-c", SCRIPT]).env("SECRET", SECRETS[1]);
            deny.into_iter().fold(launch, Launch::deny).run()
        };
        run(&[], None).says("init,");
        run(&["--name", "box"], None).says("init: box,");
        let out = run(&[], Some(without));
        assert_eq!((out.status, out.stdout.replace([',', '\0'], "").as_str()), (0, "init\n"), "{out}");
        if root.who.is_root() {
            // The same with every right to read /proc/1.
            for deny in [None, Some(without)] {
                let out = run(&["--share-user", "--cap-add", "SYS_PTRACE"], deny);
                assert_eq!((out.status, out.stdout.replace([',', '\0'], "").as_str()), (0, "init\n"), "{out}");
            }
        }
        if cfg!(feature = "bwrap") {
            let bind = ["--bind", root.str(), "/", "--proc", "/proc", "--unshare-pid"];
            let launch = Launch::new(root.who).args(bind).args(["--setenv", "PASSWORD", SECRETS[0]]);
            launch.args(["/bin/sh", "-c", SCRIPT]).run().says("init,");
        }
        // The launcher is outside; its arguments stay visible.
        let mut run = root
            .launch(&["--setenv", "PASSWORD", SECRETS[0]], &["/bin/sh", "-c", "echo up; read end"])
            .open_input()
            .start();
        run.line();
        let words =
            std::fs::read_to_string(format!("/proc/{}/cmdline", run.pid())).expect("read the launcher's arguments");
        assert!(words.contains(SECRETS[0]) && words.contains(root.str()), "{words:?}");
        run.finish();
    }
}

/// The same without CONFIG_CHECKPOINT_RESTORE: arguments, environment, and options that borrow from them.
#[test]
fn moved_arguments_keep_their_values() {
    let without = Deny::when(libc::SYS_prctl, 0, u64::MAX, libc::PR_SET_MM as u64, libc::EINVAL);
    for root in roots() {
        let options =
            ["--hostname", "cage", "--pass-env", "KEPT", "--tmpfs", "/tmp", "--chdir", "/tmp", "--argv0", "ash"];
        let script = "hostname; echo $KEPT $0 $1; pwd; hostname";
        let launch = root.launch(&options, &["/bin/sh", "-c", script, "zero", "one"]).env("KEPT", "yes").deny(without);
        launch.run().is(0, "cage\nyes zero one\n/tmp\ncage\n", "");
        root.launch(&[], &["/none"]).deny(without).run().is(
            127,
            "",
            "nsinit: cannot execute /none: No such file or directory\n",
        );
    }
}

/// A container with CAP_SYS_PTRACE, in a user namespace that others use too: a process that enters it, or only joins
/// its pid namespace, never has more rights than the command will have, and does not show its arguments. (Once 145 of
/// 414 did.)
#[test]
#[cfg(feature = "whole")]
fn enter_drops_rights_before_it_clones_cmd() {
    const ROUNDS: usize = 80;
    const HELD: &str = "800405fb";
    for who in who::both() {
        let script = format!("helper watch {HELD} s3cret >/seen & echo up; exec sleep 1000");
        let options: &[&str] =
            if who.is_root() { &["--share-user", "--cap-add", "SYS_PTRACE"] } else { &["--cap-add", "SYS_PTRACE"] };
        let cmd = ["/bin/sh", "-c", &script];
        let Some(container) = Container::with(who, Maker::Nsinit, options, &cmd) else { continue };
        let of = container.inside.to_string();
        let secret = ["--setenv", "PASSWORD", SECRETS[0]];
        for round in 0..ROUNDS {
            let options: &[&str] = match round % 4 {
                0 => &["--pty"],
                1 if who.is_root() => &["--uid", "5", "--cap-drop", "ALL"],
                _ => &[],
            };
            let options = [options, &secret].concat();
            enter(who, container.init, &options, &["true"]).env("SECRET", SECRETS[1]).run().is(0, "", "");
        }
        let watcher =
            procs::tree(container.init).into_iter().find(|pid| stat(*pid).is_some_and(|stat| stat.name == "helper"));
        send(watcher.expect("the watcher runs"), libc::SIGTERM);
        let seen = eventually("the watcher has printed its result", || {
            Some(std::fs::read_to_string(container.root.at("seen")).ok()?).filter(|text| text.ends_with('\n'))
        });
        let (count, rest) = seen.trim_end().split_once(" strong ").expect("seen N strong M telling L");
        assert_eq!(rest, "0 telling 0", "{who:?}: {seen}");
        let count: u32 = count.rsplit(' ').next().and_then(|count| count.parse().ok()).expect("a number");
        assert!(count > 10, "the watcher saw only {count} processes in {ROUNDS} rounds");
        // The command's own capabilities.
        let caps = |options: &[&str]| {
            let out = enter(who, &of, options, &["grep", "-E", "^(Cap(Eff|Bnd|Amb)|Uid)", "/proc/self/status"]).run();
            out.text().lines().filter_map(|line| line.split_whitespace().nth(1)).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(caps(&["--cap-drop", "ALL"]), "0 0000000000000000 0000000000000000 0000000000000000");
        if who.is_root() {
            assert_eq!(
                caps(&["--uid", "5", "--cap-add", "CHOWN"]),
                "5 0000000000000001 00000000800405fb 0000000000000001"
            );
        }
        container.end();
    }
}
