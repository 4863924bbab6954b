//! Descriptors: those that the command gets, and what is read and written through others.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::thread::sleep;
use std::time::Duration;

use nix::libc;

use super::{Bwrap, bin, data, give, ours, pipe, read_all, small, subjects};
use crate::compat::pattern::matches;
use crate::harness::launch::exists;
use crate::harness::procs::{Pid, eventually, is_gone, link, our_namespace};
use crate::harness::scratch::{Dir, utf8};
use crate::harness::{Launch, Out, Running, Who};

/// A filter that allows all calls.
const ALLOW: [u8; 8] = [6, 0, 0, 0, 0, 0, 0xff, 0x7f];

// ---- the command's descriptors

#[track_caller]
fn numbers(out: &Out) -> BTreeSet<i32> {
    out.text().lines().map(|line| line.parse().unwrap_or_else(|_| panic!("not a number: {line:?}"))).collect()
}

/// The descriptors of a shell that is started without bwrap.
fn without(it: &Bwrap) -> BTreeSet<i32> {
    let shell = format!("{}/sh", bin());
    numbers(&Launch::of(it.who, shell.as_ref()).args(["-c", "cd /proc/self/fd; echo *"]).run().words())
}

trait Words {
    /// One word a line.
    fn words(self) -> Self;
}

impl Words for Out {
    fn words(mut self) -> Self {
        self.stdout = self.stdout.replace(' ', "\n");
        self
    }
}

/// A launch with one descriptor for each option that takes one, from 10 on; no option uses 30.
fn with_all_descriptors(it: &Bwrap, options: &[&str], script: &str) -> Out {
    let dir = Dir::new(it.who);
    let lock = dir.file("lock", "");
    let lock = utf8(&lock);
    let fds = [
        &["--args", "10", "--seccomp", "11", "--sync-fd", "12", "--block-fd", "13", "--info-fd", "14"][..],
        &["--json-status-fd", "15", "--file", "16", "/f", "--bind-data", "17", "/b", "--ro-bind-data", "18", "/r"],
        &["--bind-fd", "19", "/bd", "--ro-bind-fd", "20", "/rd"],
    ];
    let locks =
        if options.contains(&"--as-pid-1") { [].as_slice() } else { &["--bind", lock, "/l", "--lock-file", "/l"] };
    let launch = it.small(&[&fds.concat(), locks, options].concat(), &["/bin/sh", "-c", script]);
    let directory = || File::open(dir.path()).expect("open a directory").into();
    let row: [OwnedFd; 11] = [
        data(""),
        data(ALLOW),
        data(""),
        data("x"),
        data(""),
        data(""),
        data("f"),
        data("b"),
        data("r"),
        directory(),
        directory(),
    ];
    let launch = (10..).zip(row).fold(launch, |launch, (number, fd)| give(launch, number, fd));
    give(launch, 30, data("mine\n")).run()
}

#[test]
fn cmd_inherits_descriptors_that_no_option_uses() {
    for it in subjects() {
        let given = 10..=20;
        let mut expected: BTreeSet<i32> = without(&it).into_iter().filter(|number| !given.contains(number)).collect();
        expected.insert(30);
        for options in [&[][..], &["--unshare-pid"], &["--unshare-all"]] {
            let out = with_all_descriptors(&it, options, "cd /proc/self/fd; echo *").words();
            assert_eq!(numbers(&out), expected, "{out}");
        }
        with_all_descriptors(&it, &[], "cat <&30; cat /f /b /r; echo").says("mine\nfbr");
        // Without process 1 of bwrap, the command itself keeps the sync descriptor open.
        expected.insert(12);
        let out = with_all_descriptors(&it, &["--unshare-pid", "--as-pid-1"], "cd /proc/self/fd; echo *").words();
        assert_eq!(numbers(&out), expected, "{out}");
    }
}

/// Process 1 keeps only the descriptors that it needs.
#[test]
fn process_1_keeps_only_the_sync_descriptor() {
    for it in subjects() {
        // Process 1 closes them while the command starts, and can be inspected once it has dropped its rights. Its
        // lock may have any number.
        let script = "i=0; wait() { i=$((i+1)); usleep 1000; [ $i -lt 1000 ]; }
                      until [ -e /proc/1/fd/0 ] || ! wait; do :; done; cd /proc/1/fd; while [ -e 30 ] && wait; do :; done
                      for n in 10 11 12 13 14 15 16 17 18 19 20 30; do [ -e $n ] && [ \"$(readlink $n)\" != /l ] && echo $n; done; echo";
        let out = with_all_descriptors(&it, &["--unshare-pid"], script);
        assert_eq!(out.text().trim(), "12", "{out}");
    }
}

/// From the start of the command on, whatever rights it has. (With a closed standard input, the original has a
/// directory of the host there.)
#[test]
fn no_descriptor_of_process_1_leads_outside() {
    for it in ours() {
        let closed = ["/bin/sh", "-c", "exec \"$@\" <&-", "sh"];
        let script = "i=0; while [ $i -lt 50 ]; do i=$((i+1)); for f in /proc/1/fd/*; do [ -d $f/ ] && echo $f; done; done; echo end";
        for more in [&[][..], &["--info-fd", "2"], &["--info-fd", "2", "--cap-add", "ALL"]] {
            let options = [more, &["--unshare-pid", "--dir", "/d"]].concat();
            let out = it.launch_in(&closed, &small(&options, &["/bin/sh", "-c", script])).run();
            assert_eq!((out.status, out.stdout.as_str()), (0, "end\n"), "{out}");
        }
    }
}

#[test]
fn standard_descriptors_may_be_closed() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        let closed = ["/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"];
        let options = ["--bind", dir.str(), "/d"];
        let cmd = ["/bin/sh", "-c", "exec 9>/d/f; cd /proc/self/fd; echo * >&9"];
        let out = it.launch_in(&closed, &small(&options, &cmd)).run();
        out.is(0, "", "");
        let found: BTreeSet<i32> = dir.read("f").split_whitespace().flat_map(str::parse).collect();
        // The shell reads the directory through the lowest free descriptor: 3, and here 0.
        let mut expected: BTreeSet<i32> = without(&it).into_iter().filter(|number| *number > 3).collect();
        expected.extend([0, 9]);
        assert_eq!(found, expected);
    }
}

// ---- arguments from a descriptor

#[test]
fn args_reads_options_from_a_descriptor() {
    for it in subjects() {
        let run = |words: &[&str], first: &str, second: &str| {
            let launch = it.small(words, &["/bin/sh", "-c", "echo $A $B"]);
            give(give(launch, 10, data(first)), 11, data(second)).run()
        };
        run(&["--args", "10"], "--setenv\0A\0x y\0", "").says("x y");
        // The last word needs no NUL.
        run(&["--args", "10"], "--setenv\0A\0a\0--setenv\0B\0b", "").says("a b");
        run(&["--args", "10", "--args", "11"], "--setenv\0A\0a\0", "--setenv\0B\0b\0").says("a b");
        // The options apply at the place of `--args`.
        run(&["--args", "10", "--setenv", "A", "later"], "--setenv\0A\0a\0", "").says("later");
        run(&["--setenv", "A", "earlier", "--args", "10"], "--setenv\0A\0a\0", "").says("a");
        run(&["--args", "10", "--setenv", "A", "b"], "", "").says("b");
        run(&["--setenv", "A", "a", "--args", "10"], "--setenv\0A\0\0", "").says("");
        // A final `--`.
        run(&["--args", "10"], "--setenv\0A\0a\0--\0", "").says("a");
    }
}

/// In the original, the first operand or `--` ends the data; the command must be on the command line. nsinit does not
/// ignore the rest silently.
#[test]
fn args_data_cannot_contain_cmd() {
    for it in subjects() {
        for words in ["--setenv\0A\0a\0/bin/false\0x\0--setenv\0A\0b\0", "--setenv\0A\0a\0--\0/bin/false\0"] {
            let launch = it.small(&["--args", "10"], &["/bin/sh", "-c", "echo $A"]);
            let out = give(launch, 10, data(words)).run();
            if it.differs("an operand or `--` in `--args` data") {
                let word = if words.contains("--\0") { "--" } else { "/bin/false" };
                out.is(1, "", &format!("bwrap: Unknown option {word}\n"));
                continue;
            }
            out.says("a");
            let out = give(it.launch(&["--args", "10"]), 10, data(words)).run();
            assert!(out.status == 1 && out.stderr.starts_with("usage: "), "{out}");
        }
    }
}

#[test]
fn invalid_args_data_is_refused() {
    for it in subjects() {
        let too_many = "--unshare-ipc\0".repeat(9001);
        for (words, text) in [
            ("--nosuch\0", "Unknown option --nosuch"),
            ("--setenv\0A\0", "--setenv takes two arguments"),
            ("--args\x002\0", "--args not supported in arguments file"),
            (&too_many, "Exceeded maximum number of arguments 9000"),
        ] {
            // nsinit has no limit.
            if words.len() == too_many.len() && it.differs("more than 9000 words in `--args` data") {
                continue;
            }
            let launch = it.small(&["--args", "10"], &["/bin/true"]);
            give(launch, 10, data(words)).run().is(1, "", &format!("bwrap: {text}\n"));
        }
        let launch = it.small(&["--args", "10"], &["/bin/true"]);
        give(launch, 10, data("--unshare-ipc\0".repeat(8000))).run().is(0, "", "");
    }
}

// ---- JSON output

/// A run of the command, and the data written to descriptors 10 and 11.
#[track_caller]
fn run_with_outputs(it: &Bwrap, options: &[&str], cmd: &[&str]) -> (Out, String, String) {
    let ([(first, a), (second, b)], launch) = ([pipe(), pipe()], it.small(options, cmd));
    let out = give(give(launch, 10, a), 11, b).run();
    (out, read_all(first), read_all(second))
}

/// The namespaces, in the order in which they are printed.
const NAMESPACES: [(&str, &[&str]); 5] = [
    ("mnt", &[]),
    ("mnt", &["--unshare-user"]),
    ("mnt pid", &["--unshare-pid"]),
    ("ipc mnt net", &["--unshare-net", "--unshare-ipc"]),
    ("cgroup ipc mnt net pid uts", &["--unshare-all"]),
];

#[test]
fn info_fd_and_json_status_fd_get_json() {
    for it in subjects() {
        for (kinds, options) in NAMESPACES {
            let both = [options, &["--info-fd", "10", "--json-status-fd", "11"]].concat();
            let (out, info, status) = run_with_outputs(&it, &both, &["/bin/sh", "-c", "exit 3"]);
            out.is(3, "", "");
            let members = |between: &str| {
                let row = |kind: &str| format!(",{between}\"{kind}-namespace\": #");
                kinds.split(' ').map(row).collect::<String>()
            };
            let expected = format!("{{\n    \"child-pid\": #{}\n}}\n", members("\n    "));
            assert!(matches(&expected, &info), "{options:?}: {info:?}");
            let expected = format!("{{ \"child-pid\": #{} }}\n{{ \"exit-code\": 3 }}\n", members(" "));
            assert!(matches(&expected, &status), "{options:?}: {status:?}");
        }
    }
}

#[track_caller]
pub fn member(json: &str, name: &str) -> u64 {
    let rest = json.split_once(&format!("\"{name}\": ")).unwrap_or_else(|| panic!("no {name} in {json:?}")).1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().expect("a number")
}

/// The numbers are those that the command and the caller see.
#[test]
fn json_names_cmds_pid_and_namespaces() {
    for it in subjects() {
        let cmd = ["/bin/sh", "-c", "echo $$; cd /proc/self/ns; readlink mnt; readlink net; readlink uts"];
        let options = ["--unshare-net", "--unshare-uts", "--info-fd", "10", "--json-status-fd", "11"];
        let (out, info, status) = run_with_outputs(&it, &options, &cmd);
        let text = out.text().to_owned();
        for json in [&info, &status] {
            let link = |kind: &str| format!("{kind}:[{}]", member(json, &format!("{kind}-namespace")));
            let expected = [member(json, "child-pid").to_string(), link("mnt"), link("net"), link("uts")];
            assert_eq!(text, expected.join("\n"), "{json}");
        }
    }
}

#[test]
fn json_status_fd_gets_the_exit_status() {
    for it in subjects() {
        for pid in [&[][..], &["--unshare-pid"], &["--unshare-pid", "--as-pid-1"]] {
            for (script, status) in [("exit 0", 0), ("exit 255", 255), ("kill -9 $$; exit 9", 137)] {
                let status = if status == 137 && pid.len() == 2 { 9 } else { status };
                let options = [pid, &["--json-status-fd", "11"]].concat();
                let (out, _, json) = run_with_outputs(&it, &options, &["/bin/sh", "-c", script]);
                out.is(status, "", "");
                let last = json.lines().last().expect("two lines");
                assert_eq!(last, format!("{{ \"exit-code\": {status} }}"), "{options:?}");
            }
        }
    }
}

/// Without a command there is no exit status.
#[test]
fn json_status_fd_gets_no_status_without_cmd() {
    for it in subjects() {
        for pid in [&[][..], &["--unshare-pid"]] {
            for (options, cmd, text) in [
                (&[][..], "/no/such", "execvp /no/such: No such file or directory"),
                (
                    &["--bind", "/no/such", "/x"],
                    "/bin/true",
                    "Can't find source path /no/such: No such file or directory",
                ),
                (&["--chdir", "/no/such"], "/bin/true", "Can't chdir to /no/such: No such file or directory"),
            ] {
                let options = [pid, &["--info-fd", "10", "--json-status-fd", "11"], options].concat();
                let (out, info, status) = run_with_outputs(&it, &options, &[cmd]);
                out.is(1, "", &format!("bwrap: {text}\n"));
                assert!(info.starts_with("{\n    \"child-pid\": ") && info.ends_with("\n}\n"), "{info:?}");
                assert!(status.starts_with("{ \"child-pid\": ") && status.ends_with(" }\n"), "{status:?}");
                assert_eq!(status.lines().count(), 1, "{status:?}");
            }
        }
        let (_, info, status) =
            run_with_outputs(&it, &["--info-fd", "10", "--json-status-fd", "11", "--nosuch"], &["/bin/true"]);
        assert_eq!((info, status), (String::new(), String::new()));
    }
}

/// A run whose command waits until `hold` is dropped.
struct Busy {
    running: Running,
    hold: OwnedFd,
}

/// The command `wait` in `script` waits for the test.
fn busy(launch: impl FnOnce(&[&str]) -> Launch, script: &str) -> Busy {
    let (reader, hold) = pipe();
    let script = script.replace("wait", "read x <&9");
    let launch = launch(&["/bin/sh", "-c", &script]);
    Busy { running: give(launch, 9, reader).start(), hold }
}

impl Busy {
    #[track_caller]
    fn end(self) -> Out {
        drop(self.hold);
        self.running.finish()
    }
}

/// The information is complete at once: the reader gets end of file while the command runs.
#[test]
fn info_fd_is_closed_while_cmd_runs() {
    for it in subjects() {
        let (info, writer) = pipe();
        let busy = busy(|cmd| give(it.small(&["--info-fd", "10"], cmd), 10, writer), "wait; exit 4");
        let text = read_all(info);
        let cmd = Pid::try_from(member(&text, "child-pid")).expect("a pid");
        assert!(exists(cmd) && !is_gone(cmd));
        busy.end().is(4, "", "");
    }
}

/// The caller can find process 1 by it.
#[test]
fn child_pid_is_process_1_of_its_namespace() {
    for it in subjects() {
        for options in [&["--unshare-pid"][..], &["--unshare-pid", "--as-pid-1"]] {
            let (info, writer) = pipe();
            let options = [options, &["--info-fd", "10"]].concat();
            let busy = busy(|cmd| give(it.small(&options, cmd), 10, writer), "wait");
            let child = Pid::try_from(member(&read_all(info), "child-pid")).expect("a pid");
            let status = fs::read_to_string(format!("/proc/{child}/status")).expect("the process runs");
            let pids = crate::harness::procs::field_of(&status, "NSpid").expect("the status has NSpid");
            assert_eq!(pids.split_whitespace().last(), Some("1"), "{pids}");
            busy.end().is(1, "", "");
        }
    }
}

// ---- synchronisation

/// The descriptor stays open as long as a process of the sandbox runs, and no longer.
#[test]
fn sync_fd_stays_open_while_cmd_runs() {
    for it in subjects() {
        for options in [&[][..], &["--unshare-pid"], &["--unshare-pid", "--as-pid-1"]] {
            let (sync, writer) = pipe();
            let options = [options, &["--sync-fd", "10"]].concat();
            let mut busy = busy(|cmd| give(it.small(&options, cmd), 10, writer), "echo up; wait");
            assert_eq!(busy.running.line(), "up");
            assert!(!is_readable(&sync), "closed while CMD runs: {options:?}");
            busy.end().is(1, "", "");
            assert_eq!(read_all(sync), "");
        }
    }
}

/// True if data or end of file can be read.
fn is_readable(file: &File) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let mut fds = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, PollTimeout::from(20u8)).expect("poll a pipe") > 0
}

/// The command starts only after the descriptor has data or end of file.
#[test]
fn block_fd_delays_cmd() {
    for it in subjects() {
        for options in [&[][..], &["--unshare-pid"]] {
            for word in ["x", ""] {
                let ((block, mut release), (info, writer)) = (pipe_writer(), pipe());
                let options = [options, &["--block-fd", "10", "--info-fd", "11"]].concat();
                let launch = it.small(&options, &["/bin/echo", "run"]);
                let mut running = give(give(launch, 10, block), 11, writer).start();
                // The caller gets the pid first, because it needs it.
                let child = Pid::try_from(member(&read_all(info), "child-pid")).expect("a pid");
                sleep(Duration::from_millis(20));
                assert!(!is_gone(child) && !is_gone(running.pid()));
                release.write_all(word.as_bytes()).expect("write to the block descriptor");
                drop(release);
                assert_eq!(running.line(), "run");
                running.finish().is(0, "", "");
            }
        }
    }
}

fn pipe_writer() -> (OwnedFd, File) {
    let (reader, writer) = pipe();
    (reader.into(), writer.into())
}

/// The caller maps the ids; until then the child has its namespaces, but no id.
#[test]
fn userns_block_fd_waits_for_id_maps() {
    for it in subjects() {
        for options in [&[][..], &["--unshare-pid"]] {
            let ((block, release), (info, writer)) = (pipe_writer(), pipe());
            let more = ["--unshare-user", "--userns-block-fd", "10", "--info-fd", "11"];
            let cmd = ["/bin/sh", "-c", "id -u; tr -s ' ' </proc/self/uid_map"];
            let launch = it.small(&[options, &more].concat(), &cmd);
            let running = give(give(launch, 10, block), 11, writer).start();
            let child = Pid::try_from(member(&read_all(info), "child-pid")).expect("a pid");
            let file = |name: &str| format!("/proc/{child}/{name}");
            assert_eq!(fs::read_to_string(file("uid_map")).expect("read a map"), "");
            assert_ne!(link(child, "ns/user").expect("the child runs").to_string_lossy(), our_namespace("user"));
            let (uid, gid) = (it.who.uid(), it.who.gid());
            fs::write(file("setgroups"), "deny").expect("deny setgroups");
            fs::write(file("uid_map"), format!("{uid} {uid} 1")).expect("map the uid");
            fs::write(file("gid_map"), format!("{gid} {gid} 1")).expect("map the gid");
            drop(release);
            running.finish().says(&format!("{uid}\n {uid} {uid} 1"));
        }
    }
}

// ---- locks

/// The lock that prevents another process from writing, as fcntl(2) reports it.
fn lock_on(file: &File) -> libc::flock {
    // SAFETY: all bits zero is a valid flock.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as i16;
    // SAFETY: fcntl reads and writes one flock.
    let done = unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(file), libc::F_GETLK, &raw mut lock) };
    assert_eq!(done, 0, "F_GETLK");
    lock
}

#[track_caller]
fn is_locked(file: &File) {
    let lock = eventually("the lock is set", || Some(lock_on(file)).filter(|l| l.l_type != libc::F_UNLCK as i16));
    assert_eq!((lock.l_type, lock.l_start, lock.l_len), (libc::F_RDLCK as i16, 0, 0));
}

#[track_caller]
fn is_free(file: &File) {
    assert_eq!(lock_on(file).l_type, libc::F_UNLCK as i16);
}

/// Locks on files by their path inside; visible outside; held while the command runs.
#[test]
fn lock_file_locks_while_cmd_runs() {
    for it in subjects() {
        for options in [&[][..], &["--unshare-pid"]] {
            let dir = Dir::new(it.who);
            let files = ["a", "b"].map(|name| {
                dir.file(name, "");
                File::options().read(true).write(true).open(dir.at(name)).expect("open a lock file")
            });
            let locks = ["--bind", dir.str(), "/l", "--lock-file", "/l/a", "--lock-file", "/l/b"];
            let busy = busy(|cmd| it.small(&[options, &locks].concat(), cmd), "wait; exit 5");
            files.iter().for_each(is_locked);
            busy.end().is(5, "", "");
            files.iter().for_each(is_free);
        }
    }
}

/// Two sandboxes can hold the lock.
#[test]
fn locks_are_shared() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("a", "");
        let locks = ["--bind", dir.str(), "/l", "--lock-file", "/l/a"];
        let file = File::options().read(true).write(true).open(dir.at("a")).expect("open a lock file");
        let busy = busy(|cmd| it.small(&locks, cmd), "wait");
        is_locked(&file);
        it.sh(&locks, "echo too").says("too");
        busy.end().is(1, "", "");
    }
}

#[test]
fn lock_failures_are_reported() {
    for it in subjects() {
        let dir = Dir::new(it.who);
        dir.file("held", "");
        let file = File::options().read(true).write(true).open(dir.at("held")).expect("open a lock file");
        let held = hold_lock(&file);
        let run = |name: &str| it.sh(&["--bind", dir.str(), "/l", "--lock-file", name], "");
        run("/l/held").is(1, "", "bwrap: Unable to lock file /l/held: Resource temporarily unavailable\n");
        drop(held);
        run("/l/held").is(0, "", "");
        run("/l/no").is(1, "", "bwrap: Unable to open lock file /l/no: No such file or directory\n");
        // nsinit opens the file with the user namespace's capabilities over files of its user.
        if it.who != Who::Root && !it.is_ours() {
            dir.file("closed", "");
            fs::set_permissions(dir.at("closed"), fs::Permissions::from_mode(0o000)).expect("close a file");
            run("/l/closed").is(1, "", "bwrap: Unable to open lock file /l/closed: Permission denied\n");
        }
    }
}

/// An exclusive lock that the test process holds.
fn hold_lock(file: &File) -> Held<'_> {
    let set = |kind: i32| {
        // SAFETY: all bits zero is a valid flock.
        let mut lock: libc::flock = unsafe { std::mem::zeroed() };
        lock.l_type = kind as i16;
        // SAFETY: fcntl reads one flock.
        let done = unsafe { libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(file), libc::F_SETLK, &raw const lock) };
        assert_eq!(done, 0, "F_SETLK");
    };
    set(libc::F_WRLCK);
    Held(file)
}

struct Held<'a>(&'a File);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        // SAFETY: all bits zero is a valid flock; fcntl reads it.
        unsafe {
            let mut lock: libc::flock = std::mem::zeroed();
            lock.l_type = libc::F_UNLCK as i16;
            libc::fcntl(std::os::fd::AsRawFd::as_raw_fd(self.0), libc::F_SETLK, &raw const lock);
        }
    }
}

// ---- descriptors that are not open

/// The original ignores some of them silently. nsinit reports each, before it does anything.
#[test]
fn descriptors_that_are_not_open_are_refused() {
    for it in subjects() {
        for option in ["--sync-fd", "--block-fd"] {
            let out = it.sh(&[option, "99"], "echo run");
            if it.differs(CLOSED) { out.is(1, "", NOT_OPEN) } else { out.says("run") }
        }
        for (options, text) in [
            (&["--args", "99"][..], "Can't read --args data: Bad file descriptor"),
            (&["--seccomp", "99"], "Can't read seccomp data: Bad file descriptor"),
            (&["--add-seccomp-fd", "99"], "Can't read seccomp data: Bad file descriptor"),
            (&["--userns", "99"], "Joining specified user namespace failed: Bad file descriptor"),
            (&["--file", "99", "/f"], "Can't write data to file /f: Bad file descriptor"),
            (&["--bind-data", "99", "/f"], "Can't write data to file /f: Bad file descriptor"),
            (&["--ro-bind-data", "99", "/f"], "Can't write data to file /f: Bad file descriptor"),
            (&["--bind-fd", "99", "/f"], "Can't find source path /proc/self/fd/99: No such file or directory"),
            (&["--ro-bind-fd", "99", "/f"], "Can't find source path /proc/self/fd/99: No such file or directory"),
        ] {
            let line = format!("bwrap: {text}\n");
            it.sh(options, "").is(1, "", if it.differs(CLOSED) { NOT_OPEN } else { &line });
        }
    }
}

const CLOSED: &str = "a descriptor that is not open";
const NOT_OPEN: &str = "bwrap: Invalid fd: 99\n";

/// The original leaves a child blocked for ever.
#[test]
fn output_descriptors_that_are_not_open_are_refused() {
    for it in ours() {
        for option in ["--info-fd", "--json-status-fd", "--userns2"] {
            it.sh(&[option, "99"], "").is(1, "", NOT_OPEN);
        }
    }
}

/// The original prints a second line, about its implementation.
#[test]
fn pidns_descriptor_that_is_not_open_is_refused() {
    for it in subjects() {
        let out = it.sh(&["--pidns", "99"], "");
        let line = if it.differs(CLOSED) { NOT_OPEN } else { "bwrap: Setting pidns failed: Bad file descriptor\n" };
        assert!(out.status == 1 && out.stdout.is_empty() && out.stderr.starts_with(line), "{out}");
    }
}
