//! The hint of a failure follows from its cause: each cause is produced for real, and its hint is printed; if the same call fails for
//! another cause, it is not.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::harness::launch::attempt;
use super::harness::scratch::{busybox, bwrap, copy_program, nsinit};
use super::harness::{Deny, Dir, Launch, Out, Root, Who, roots, skip, who};

/// Sets a resource limit of the process that becomes nsinit, as far as its hard limit permits.
fn limit(resource: libc::__rlimit_resource_t, most: u64) -> impl FnMut() -> io::Result<()> + Send + Sync + 'static {
    move || {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: both take the struct.
        let done = unsafe {
            libc::getrlimit(resource, &raw mut limit);
            limit.rlim_cur = most.min(limit.rlim_max);
            libc::setrlimit(resource, &raw const limit)
        };
        if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}

/// The failure has this one line, and none of `others` is in it.
#[track_caller]
fn fails_for(out: &Out, line: &str, others: &[&str]) {
    out.fails(line);
    for other in others {
        assert!(!out.stderr.contains(other), "{other:?} is no cause here\n{out}");
    }
}

const ULIMIT: &str = "(the user's limit on processes is reached: see ulimit -u)";
const PIDS: &str = "(the cgroup's limit on processes is reached: see pids.max)";
const FILTER: &str = "(nsinit was started under a seccomp filter, which may forbid this)";
const NAMESPACE_FILTER: &str = "(nsinit was started under a seccomp filter, which may forbid this; docker's does without --security-opt \
    seccomp=unconfined)";
const CHROOT: &str = "(the kernel forbids this in a chroot: / is not a mount point)";
const DESCRIPTORS: &str = "(the limit on open files is reached: see ulimit -n)";
const MASKED: &str = "(the /proc outside is masked, as in a container: use --share-pid or --no-proc)";
const MASKED_WITH_SETTINGS: &str =
    "(the /proc outside is masked, as in a container: use --allow-nesting, and --share-pid or --no-proc)";
const NO_PROC: &str = "(no /proc is mounted outside)";

// ---- command lines of other programs

/// As with docker and unshare(1). In a container the same words are only commands.
#[test]
fn directory_and_subcommand_in_place_of_a_command_are_explained() {
    let (missing, denied) = ("No such file or directory", "Permission denied");
    let directory = " (it is a directory: did you mean --root DIR?)";
    let none = " (nsinit has no subcommands: see --root DIR, --enter and --stop TARGET)";
    for root in roots() {
        for (words, status, why, hint) in [
            (&["etc", "--", "true"][..], 127, missing, directory),
            (&["./etc", "true"], 126, denied, directory),
            (&[root.str()], 126, denied, directory),
            (&["--", "run", "--rm", "debian"], 127, missing, none),
            (&["exec", "box", "true"], 127, missing, none),
            (&["stop", "box"], 127, missing, none),
            (&["nosuch"], 127, missing, ""),
            (&["./nosuch/run"], 127, missing, ""),
        ] {
            let out = Launch::new(root.who).directory(root.path()).args(words).run();
            let word = words.iter().find(|word| **word != "--").expect("a word");
            out.is(status, "", &format!("nsinit: cannot execute {word}: {why}{hint}\n"));
        }
        for word in ["etc", "run"] {
            root.run(&[], &[word]).is(127, "", &format!("nsinit: cannot execute {word}: {missing}\n"));
        }
    }
}

// ---- processes

#[test]
fn limit_on_the_users_processes_is_named() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    let again = "Resource temporarily unavailable ";
    for options in [&[][..], &["--detach"]] {
        let out = root.launch(options, &["true"]).before(limit(libc::RLIMIT_NPROC, 0)).run();
        fails_for(&out, &format!("{again}{ULIMIT}"), &["pids.max"]);
    }
    let out = Launch::new(user).args(["--", "/bin/true"]).before(limit(libc::RLIMIT_NPROC, 0)).run();
    out.is(125, "", &format!("nsinit: cannot fork CMD: {again}{ULIMIT}\n"));
    // The limit is not reached; a filter answers EAGAIN.
    let far = limit(libc::RLIMIT_NPROC, 1_000_000);
    let out = root.launch(&[], &["true"]).before(far).deny(Deny::all(libc::SYS_clone3, libc::EAGAIN)).run();
    fails_for(&out, &format!("create namespaces: {again}(a limit on processes is reached:"), &[ULIMIT, PIDS]);
}

#[test]
fn limit_on_the_cgroups_processes_is_named() {
    for root in roots() {
        let Some(cgroup) = Cgroup::new(1) else { return skip("no cgroup with pids.max can be made here") };
        let procs = cgroup.procs();
        let join = move || {
            // SAFETY: write reads the one byte.
            if unsafe { libc::write(procs.as_raw_fd(), c"0".as_ptr().cast(), 1) } == 1 {
                Ok(())
            } else {
                Err(io::Error::last_os_error())
            }
        };
        // Both limits exist; that of the cgroup is reached.
        let launch = root.launch(&[], &["true"]).before(join);
        let out = launch.before(limit(libc::RLIMIT_NPROC, 1_000_000)).run();
        fails_for(&out, PIDS, &["ulimit"]);
    }
}

/// A cgroup with this pids.max.
struct Cgroup {
    path: PathBuf,
}

impl Cgroup {
    fn new(most: u32) -> Option<Cgroup> {
        // Version 1, or version 2 if the controller is enabled for the subtree.
        let trees = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
        trees.iter().find_map(|tree| {
            let path = Path::new(tree).join(format!("nsinit-hints-{}", std::process::id()));
            fs::create_dir(&path).ok()?;
            let cgroup = Cgroup { path };
            fs::write(cgroup.path.join("pids.max"), most.to_string()).ok().map(|()| cgroup)
        })
    }

    fn procs(&self) -> fs::File {
        fs::OpenOptions::new().write(true).open(self.path.join("cgroup.procs")).expect("open cgroup.procs")
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.path);
    }
}

// ---- filters

/// Under a seccomp filter, no hint sends the user from --share-user to --unshare-user and back.
#[test]
fn filter_that_forbids_namespaces_is_named() {
    const CIRCLE: [&str; 4] = ["--share-user", "--unshare-user", "user namespaces", "unprivileged"];
    for root in roots() {
        let flags = libc::CLONE_NEWPID as u64;
        let refused = Deny::when(libc::SYS_clone, 0, flags, flags, libc::EPERM);
        for options in [&[][..], &["--share-user"]] {
            let launch = root.launch(options, &["true"]).deny(Deny::all(libc::SYS_clone3, libc::ENOSYS)).deny(refused);
            fails_for(
                &launch.run(),
                &format!("create namespaces: Operation not permitted {NAMESPACE_FILTER}"),
                &CIRCLE,
            );
        }
        // ENOSPC is a limit: no filter is named.
        let spent = Deny::all(libc::SYS_clone3, libc::ENOSPC);
        fails_for(
            &root.launch(&[], &["true"]).deny(spent).run(),
            "create namespaces: No space left on device (a limit on namespaces is reached",
            &["seccomp"],
        );
        for call in [libc::SYS_pivot_root, libc::SYS_sethostname, libc::SYS_umount2] {
            let out = root.launch(&["--hostname", "x"], &["true"]).deny(Deny::all(call, libc::EPERM)).run();
            fails_for(&out, FILTER, &CIRCLE);
        }
    }
}

/// If the kernel itself refuses the call, no filter is named.
#[test]
fn missing_rights_are_named_instead_of_a_filter() {
    if let Some(user) = who::user()
        && let Some(root) = Root::new(user)
    {
        let out = root.run(&["--share-user"], &["true"]);
        fails_for(
            &out,
            "create namespaces: Operation not permitted (without a user namespace, as with --share-user, this needs root)",
            &["seccomp"],
        );
    }
    if let Some(admin) = who::root() {
        // Root has no CAP_SYS_ADMIN.
        let out = Launch::of(admin, Path::new("setpriv"))
            .args(["--bounding-set", "-sys_admin", "--inh-caps", "-all"])
            .args([nsinit()])
            .args(["--unshare-pid", "--bind", "/", "/", "--", "/bin/true"])
            .run();
        fails_for(
            &out,
            "create namespaces: Operation not permitted (this needs CAP_SYS_ADMIN, or a user namespace: use --unshare-user)",
            &["seccomp", "--share-user"],
        );
    }
}

// ---- chroot

#[test]
fn chroot_is_named_as_the_cause() {
    if who::root().is_none() {
        return skip("only root makes a chroot");
    }
    for who in who::both() {
        let Some(place) = Chroot::new(who) else { return };
        let run = |options: &[&str]| place.run(&format!("exec chroot --userspec={}:{}", who.uid(), who.gid()), options);
        let line = format!("create namespaces: Operation not permitted {CHROOT}");
        fails_for(&run(&["--root", "/root"]), &line, &["--share-user", "seccomp"]);
        if who.is_root() {
            // Without a user namespace, a later step fails.
            fails_for(&run(&["--root", "/root", "--share-user"]), CHROOT, &["--share-user", "seccomp"]);
        }
    }
}

/// A directory with nsinit and its libraries, in which a command can run.
struct Chroot {
    dir: Dir,
}

impl Chroot {
    fn new(who: Who) -> Option<Chroot> {
        let Some(busybox) = busybox() else {
            skip("there is no static busybox here");
            return None;
        };
        let dir = Dir::new(who);
        for name in ["proc", "root", "root/bin", "root/proc", "root/dev", "root/sys"] {
            dir.dir(name);
        }
        copy_program(busybox, &dir.at("root/bin/true"));
        copy_program(nsinit(), &dir.at("nsinit"));
        let libraries = attempt(Command::new("ldd").arg(nsinit())).unwrap_or_default();
        for path in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            let to = dir.path().join(&path[1..]);
            fs::create_dir_all(to.parent().expect("a file is in a directory")).expect("make a directory");
            copy_program(Path::new(path), &to);
        }
        Some(Chroot { dir })
    }

    /// Runs the shell command `enter` with the directory and the command line of nsinit as its arguments.
    #[track_caller]
    fn run(&self, enter: &str, options: &[&str]) -> Out {
        let script = format!("mount -t proc proc $0/proc && {enter} $0 /nsinit \"$@\" -- /bin/true");
        Launch::of(Who::Root, Path::new("unshare"))
            .args(["--mount", "--propagation", "private", "sh", "-c", &script])
            .args([self.dir.path()])
            .args(options)
            .run()
    }
}

// ---- descriptors

/// With enough descriptors CMD runs; with fewer the message names the limit on open files.
#[test]
fn limit_on_open_files_is_named() {
    for root in roots() {
        let mut failed = 0;
        for most in 4..24 {
            let out = root.launch(&[], &["echo", "ran"]).before(limit(libc::RLIMIT_NOFILE, most)).run();
            // The dynamic loader of nsinit may need more.
            if out.status == 127 && out.stderr.contains("shared libraries")
                || (out.status, &*out.stdout) == (0, "ran\n")
            {
                continue;
            }
            // Without a descriptor for lo, the container starts with a warning.
            let others = ["not permitted", "user namespaces", "/proc is"];
            let right = out.status == 125 && out.stdout.is_empty() && out.stderr.contains(DESCRIPTORS);
            assert!(right && !others.iter().any(|other| out.stderr.contains(other)), "{out}");
            failed += 1;
        }
        assert!(failed > 0, "a few descriptors were enough");
        let out = root.launch(&[], &["true"]).deny(Deny::all(libc::SYS_pipe2, libc::ENFILE)).run();
        fails_for(&out, "(the machine's limit on open files is reached: see fs.file-max)", &["ulimit"]);
    }
}

// ---- /proc

/// Runs `script` in a new mount namespace, and then nsinit.
#[track_caller]
fn behind(script: &str, root: &Root, options: &[&str]) -> Out {
    let script = format!(
        "{script} && exec setpriv --reuid={} --regid={} --clear-groups \"$0\" \"$@\"",
        root.who.uid(),
        root.who.gid()
    );
    Launch::of(Who::Root, Path::new("unshare"))
        .args(["--mount", "--propagation", "private", "sh", "-c", &script])
        .args([nsinit().as_os_str(), OsStr::new("--root"), root.path().as_os_str()])
        .args(options)
        .args(["--", "sh", "-c", "[ -e /proc/1/status ] && echo ran"])
        .run()
}

/// /proc is masked as Docker and nsinit mask it: following the hint works.
#[test]
fn masked_proc_is_named_and_the_advice_works() {
    if who::root().is_none() {
        return skip("only root masks a /proc");
    }
    for root in roots() {
        let mask = "mount -t tmpfs -o ro mask /proc/fs";
        fails_for(
            &behind(mask, &root, &[]),
            &format!("mount proc on /proc: Operation not permitted {MASKED}"),
            &["--no-masks", "seccomp"],
        );
        behind(mask, &root, &["--share-pid"]).is(0, "ran\n", "");
        // With a read-only /proc/sys, as the engines have it, the limits on namespaces cannot be set either.
        let both = format!("{mask}; mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys");
        fails_for(&behind(&both, &root, &[]), MASKED_WITH_SETTINGS, &["--no-masks", "seccomp"]);
        fails_for(&behind(&both, &root, &["--allow-nesting"]), MASKED, &[]);
        behind(&both, &root, &["--allow-nesting", "--share-pid"]).is(0, "ran\n", "");
        behind("true", &root, &[]).is(0, "ran\n", "");
        fails_for(&behind("umount -l /proc", &root, &[]), NO_PROC, &["masked", "--no-masks"]);
    }
}

// ---- channels

/// EPERM of a sealed memfd: user namespaces are not named.
#[test]
fn sealed_file_has_no_hint() {
    for root in roots() {
        let seal = || {
            // SAFETY: memfd_create reads the name, a C string; the other arguments are numbers.
            unsafe {
                let fd = libc::memfd_create(c"sealed".as_ptr(), libc::MFD_ALLOW_SEALING);
                let number = 9;
                if fd < 0 || libc::fcntl(fd, libc::F_ADD_SEALS, libc::F_SEAL_WRITE) < 0 || libc::dup2(fd, number) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        };
        for option in ["--info-fd", "--status-fd"] {
            let out = root.launch(&[option, "9"], &["true"]).before(seal).run();
            out.is(125, "", &format!("nsinit: cannot write {option}: Operation not permitted\n"));
        }
    }
}

/// A file that exists gets the hint about pid files only if it has the number of a process that runs.
#[test]
fn existing_pid_file_is_named_and_other_files_are_not() {
    for who in who::both() {
        let dir = Dir::new(who);
        let run = || Launch::new(who).directory(dir.path()).args(["--pid-file", "it", "--", "/bin/true"]).run();
        for (content, hint) in [("1\n", " (the process that it names runs)"), ("a diary\n", "")] {
            dir.file("it", content);
            run().is(125, "", &format!("nsinit: cannot create pid file it: File exists{hint}\n"));
        }
    }
}

// ---- roots

/// --volatile is recommended only if overlays can be mounted.
#[test]
fn missing_mount_point_in_a_read_only_root_is_named() {
    for root in roots() {
        let run = || root.launch(&["--read-only", "--tmpfs", "/new"], &["true"]);
        let line =
            "mount tmpfs on /new: Read-only file system (it does not exist and the root is read-only: create it first";
        fails_for(&run().run(), &format!("{line}, or use --volatile)"), &[]);
        root.run(&["--volatile", "--tmpfs", "/new"], &["true"]).is(0, "", "");
        fails_for(&run().lacking(&super::harness::deny::SINCE_5_2).run(), &format!("{line})"), &["--volatile"]);
    }
}

/// Messages name a root that the options make.
#[test]
fn root_made_by_options_has_a_name_in_messages() {
    for who in who::both() {
        let run = |call| {
            let launch = Launch::new(who).args(["--ro-bind", "/", "/", "--unshare-pid", "--", "/bin/true"]);
            launch.deny(Deny::all(call, libc::EIO)).run()
        };
        run(libc::SYS_move_mount).is(125, "", "nsinit: cannot mount root (made by the options): Input/output error\n");
    }
}

// ---- CMD

/// ENOEXEC: a program for another architecture, a damaged one, or a script without a `#!` line if there is no shell. No missing loader is
/// blamed, and no ELF file is given to a shell.
#[test]
fn cause_of_exec_format_error_is_named() {
    const FORMAT: &str = "Exec format error";
    for root in roots() {
        for (name, content) in
            [("script", &b"echo ran\n"[..]), ("foreign", &elf(ALPHA)), ("damaged", b"\x7fELF"), ("nothing", b"")]
        {
            let path = root.at(&format!("bin/{name}"));
            fs::write(&path, content).expect("write a file");
            fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("chmod");
        }
        let other = "(it is a program for another architecture)";
        for word in ["/bin/foreign", "foreign"] {
            root.run(&[], &[word]).is(126, "", &format!("nsinit: cannot execute {word}: {FORMAT} {other}\n"));
        }
        root.run(&[], &["damaged"]).is(126, "", &format!("nsinit: cannot execute damaged: {FORMAT}\n"));
        // Like execvp(3), which gives it to the shell.
        root.run(&[], &["script"]).is(0, "ran\n", "");
        root.run(&[], &["nothing"]).is(0, "", "");
        fs::remove_file(root.at("bin/sh")).expect("remove sh");
        for word in ["/bin/script", "script"] {
            let why = "(it has no #! line, and there is no /bin/sh to run it)";
            root.run(&[], &[word]).is(126, "", &format!("nsinit: cannot execute {word}: {FORMAT} {why}\n"));
        }
        root.run(&[], &["/bin/foreign"]).is(
            126,
            "",
            &format!("nsinit: cannot execute /bin/foreign: {FORMAT} {other}\n"),
        );
    }
}

/// EM_ALPHA: no machine of the tests executes it.
const ALPHA: u16 = 0x9026;

/// The header of an ELF file for a machine.
fn elf(machine: u16) -> Vec<u8> {
    let mut file = vec![0; 64];
    file[..16].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file[16] = 2;
    file[18..20].copy_from_slice(&machine.to_le_bytes());
    file
}

#[test]
fn cause_of_a_file_that_is_not_executed_is_named() {
    for root in roots() {
        let says = |options: &[&str], word: &str, status: i32, why: &str| {
            root.run(options, &[word]).is(status, "", &format!("nsinit: cannot execute {word}: {why}\n"));
        };
        root.file("bin/plain", "#!/bin/sh\necho ran\n");
        fs::set_permissions(root.at("bin/plain"), Permissions::from_mode(0o644)).expect("chmod");
        root.file("bin/orphan", "#!/no/such/interpreter\n");
        fs::set_permissions(root.at("bin/orphan"), Permissions::from_mode(0o755)).expect("chmod");
        root.symlink("/no/such/file", "bin/dangling");
        let denied = "Permission denied";
        for word in ["/bin/plain", "plain"] {
            says(&[], word, 126, &format!("{denied} (this user has no permission to execute it: see chmod(1))"));
        }
        says(&[], "/bin", 126, &format!("{denied} (it is not a regular file)"));
        let bin = root.at("bin");
        let bin = bin.to_str().expect("scratch paths are UTF-8");
        says(
            &["--noexec", "--bind", bin, "/mnt"],
            "/mnt/true",
            126,
            &format!("{denied} (it is on a file system that is mounted noexec)"),
        );
        let missing = "No such file or directory";
        for word in ["/bin/orphan", "orphan"] {
            says(&[], word, 127, &format!("{missing} (the file exists; its interpreter or dynamic loader does not)"));
        }
        says(&[], "/bin/dangling", 127, &format!("{missing} (it is a dangling symbolic link)"));
        says(&[], "/bin/none", 127, missing);
        says(&[], "none", 127, missing);
    }
}

/// Options about CMD's surroundings make a sandbox, as bubblewrap's do, and its root is empty; with --init they make none.
#[test]
fn empty_root_is_named() {
    const EMPTY: &str = "No such file or directory (the root is empty because no option binds anything; to run without a container, use --init)";
    for who in who::both() {
        let run = |options: &[&str], cmd: &[&str]| Launch::new(who).args(options).args(["--"]).args(cmd).run();
        for options in [&["--setenv", "A", "B"][..], &["--unshare-pid"], &["--dir", "/bin", "--proc", "/proc"]] {
            run(options, &["/bin/sh"]).is(127, "", &format!("nsinit: cannot execute /bin/sh: {EMPTY}\n"));
        }
        // An option binds a directory.
        let out = run(&["--ro-bind", "/etc", "/etc"], &["/bin/sh"]);
        out.is(127, "", "nsinit: cannot execute /bin/sh: No such file or directory\n");
        let script = "echo $A $(pwd) $(umask)";
        let sh = ["sh", "-c", script];
        run(&["--init", "--setenv", "A", "B", "--chdir", "/", "--umask", "027"], &sh).says("B / 0027");
        run(&["--setenv", "A", "B", "--chdir", "/usr", "--init"], &["sh", "-c", "echo $A $(pwd)"]).says("B /usr");
        run(&["--init", "--unsetenv", "HOME"], &["sh", "-c", "echo ${HOME-none}"]).says("none");
        run(&["--init", "--clearenv", "--setenv", "A", "B"], &["/usr/bin/env"]).says("A=B");
        run(&["--init", "--chdir", "/no/such/place"], &["true"]).is(
            125,
            "",
            "nsinit: cannot enter directory /no/such/place: No such file or directory\n",
        );
        // An option that only a container has is refused.
        run(&["--init", "--setenv", "A", "B", "--tmpfs", "/tmp"], &["true"]).fails("--init");
    }
}

// ---- bubblewrap's words

/// Users of bubblewrap look for these lines.
#[test]
fn bwrap_prints_the_messages_of_bubblewrap() {
    for who in who::both() {
        let run = |deny| {
            Launch::of(who, bwrap()).args(["--unshare-user", "--ro-bind", "/", "/", "/bin/true"]).deny(deny).run()
        };
        let write = |count| Deny::when(libc::SYS_write, 2, u64::MAX, count, libc::EPERM);
        run(write(4)).is(1, "", "bwrap: error writing to setgroups: Operation not permitted\n");
        let map = format!("{0} {0} 1\n", who.uid()).len() as u64;
        run(write(map)).is(1, "", "bwrap: setting up uid map: Operation not permitted\n");
        let below = libc::MS_REC;
        let slave = Deny::when(libc::SYS_mount, 3, below, below, libc::EACCES);
        run(slave).is(1, "", "bwrap: Failed to make / slave: Permission denied\n");
    }
}
