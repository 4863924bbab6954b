//! `--landlock-*`: what CMD may do with files and TCP ports, with and without a container.

use std::fs;
use std::net::TcpListener;

use libc::{EACCES, EOPNOTSUPP};

use super::fault::in_place;
use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::{self, utf8};
use super::harness::{Deny, Dir, Launch, Out, Root, Who, roots, skip, strace, who};

/// The version of Landlock of this kernel; 0 if there is none.
fn version() -> i64 {
    // SAFETY: with the flag LANDLOCK_CREATE_RULESET_VERSION the call reads no memory.
    unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0usize, 0usize, 1) }.max(0)
}

/// Whether the kernel has all that the options need. Says so if it has not.
fn is_whole() -> bool {
    let whole = version() >= 4;
    if !whole {
        skip("the kernel has no Landlock with TCP ports");
    }
    whole
}

/// The ways to run a CMD, each with a root that has `in` and `out` with a file and a directory each.
enum Place {
    /// In place.
    Here,
    Root,
    Sandbox,
    Entered,
}

struct World {
    place: Place,
    root: Root,
    container: Option<Container>,
}

impl World {
    fn all() -> Vec<World> {
        let mut worlds = Vec::new();
        for who in who::both() {
            for place in [Place::Here, Place::Root, Place::Sandbox, Place::Entered] {
                let Some(root) = Root::new(who).map(Root::with_helper) else { continue };
                let container = match place {
                    Place::Entered => {
                        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
                        Some(container)
                    }
                    _ => None,
                };
                let world = World { place, root, container };
                for name in ["in", "out", "in/dir", "out/dir"] {
                    world.root().dir(name);
                }
                for name in ["in/file", "out/file"] {
                    world.root().file(name, &world.content());
                }
                worlds.push(world);
            }
        }
        worlds
    }

    fn root(&self) -> &Root {
        self.container.as_ref().map_or(&self.root, |container| &container.root)
    }

    /// A path of the root as CMD sees it.
    fn path(&self, name: &str) -> String {
        match self.place {
            Place::Here => format!("{}/{name}", self.root.str()),
            _ => format!("/{name}"),
        }
    }

    /// That of the files: a script that prints "ran".
    fn content(&self) -> String {
        format!("#!{}\necho ran\n", self.path("bin/sh"))
    }

    fn launch(&self, options: &[&str], cmd: &[&str]) -> Launch {
        let launch = Launch::new(self.root.who);
        match self.place {
            Place::Here => in_place(self.root.who, options, cmd),
            Place::Root => self.root.launch(options, cmd),
            Place::Sandbox => {
                let root = ["--bind", self.root.str(), "/", "--proc", "/proc", "--dev", "/dev"];
                launch.args(root).args(options).args(["--"]).args(cmd)
            }
            Place::Entered => {
                let container = self.container.as_ref().expect("it was made");
                enter(self.root.who, container.init, options, cmd)
            }
        }
    }

    /// Runs a script by the root's static shell; `@` stands for the beginning of the root's paths.
    fn sh(&self, options: &[&str], script: &str) -> Out {
        let begin = self.path("");
        let options: Vec<String> = options.iter().map(|word| word.replace('@', &begin)).collect();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let launch = self.launch(&options, &[&self.path("bin/sh"), "-c", &script.replace('@', &begin)]);
        let path = format!("PATH={}", self.path("bin"));
        let launch =
            if matches!(self.place, Place::Here) { launch.env("PATH", &path["PATH=".len()..]) } else { launch };
        if self.container.is_some() { launch.run_with_others() } else { launch.run() }
    }

    fn end(self) {
        if let Some(container) = self.container {
            container.end();
        }
    }
}

/// Each of these changes something below `out`, or reads or executes it.
const WRITES: &[&str] = &[
    "echo x >@out/file",
    "echo x >>@out/file",
    "echo x >@out/new",
    "truncate -s 1 @out/file",
    // truncate(2), which opens nothing.
    "@bin/helper truncate @out/file",
    "rm @out/file",
    "rmdir @out/dir",
    "mkdir @out/new",
    "mkfifo @out/new",
    "ln -s x @out/new",
    "ln @out/file @out/new",
    "ln @in/file @out/new",
    "ln @out/file @in/new",
    "mv @out/file @out/new",
    "mv @out/file @in/new",
    "mv @in/file @out/new",
    "mv @in/dir @out/new",
    "mv @out/dir @in/new",
    // By another way to the same directory.
    "cd @in; echo x >../out/file",
    "ln -s ../out @in/link; echo x >@in/link/file",
    "echo x >/proc/self/cwd/../../../../../../../../../../@out/file",
];

/// Makes both directories anew.
const RESET: &str = "cd /; rm -rf @in @out; mkdir -p @in/dir @out/dir; echo x >@in/file; echo x >@out/file";

/// The commands fail for no other reason than Landlock.
#[test]
fn without_landlock_every_change_is_possible() {
    for world in World::all() {
        let steps = WRITES.iter().map(|command| format!("{RESET}; ({command}) || echo 'failed: {command}'\n"));
        world.sh(&[], &steps.collect::<String>()).is(0, "", "");
        world.end();
    }
}

/// Whether none of the commands of the script succeeds. (The applets of busybox end with a status that is not 0.)
fn script_of(commands: &[&str]) -> String {
    commands.iter().map(|command| format!("({command}) 2>&- && echo 'done: {command}'\n")).collect::<String>() + "true"
}

#[test]
fn tree_that_may_be_read_cannot_be_changed() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let before = world.root().listing();
        let out = world.sh(&["--landlock-ro", "/"], &script_of(WRITES));
        out.is(0, "", "");
        assert_eq!(before, world.root().listing());
        world
            .sh(&["--landlock-ro", "/"], "cat @in/file; ls @out; @in/file")
            .says(&format!("{}dir\nfile\nran", world.content()));
        world.end();
    }
}

#[test]
fn nothing_leaves_or_enters_the_tree_that_may_be_written() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let options = ["--landlock-ro", "/", "--landlock-rw", "@in"];
        world.sh(&options, &script_of(WRITES)).is(0, "", "");
        assert_eq!(world.root().read("out/file"), world.content());
        let names: Vec<_> =
            fs::read_dir(world.root().at("out")).expect("it is there").flatten().map(|e| e.file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        // All that fails outside works inside.
        let inside: Vec<String> = WRITES
            .iter()
            .filter(|command| !command.contains("@in") && !command.contains("rmdir"))
            .map(|command| {
                format!(
                    "{} || echo 'failed: {command}'; rm -rf @in/new; test -e @in/file || echo x >@in/file",
                    command.replace("@out", "@in")
                )
            })
            .collect();
        world.sh(&options, &inside.join("\n")).is(0, "", "");
        // Between its directories too (LANDLOCK_ACCESS_FS_REFER).
        world
            .sh(&options, "mkdir -p @in/a @in/b; echo 1 >@in/a/x; mv @in/a/x @in/b/x; ln @in/b/x @in/a/y; cat @in/a/y")
            .says("1");
        world.end();
    }
}

#[test]
fn files_elsewhere_cannot_be_read_or_executed() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let reads = [
            "cat @out/file",
            "ls @out",
            "@out/file",
            "@bin/busybox sh @out/file",
            "cat /proc/self/status",
            "cat @in/../out/file",
        ];
        let options = ["--landlock-ro", "@bin", "--landlock-rw", "@in"];
        world.sh(&options, &script_of(&reads)).is(0, "", "");
        world.sh(&options, "cat @in/file; @in/file").says(&format!("{}ran", world.content()));
        world.end();
    }
}

#[test]
fn with_landlock_exec_nothing_else_is_executed() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let options = ["--landlock-exec", "@bin", "--landlock-ro", "@out", "--landlock-rw", "@in"];
        let tries = [
            "@in/file",
            "@out/file",
            "cp @bin/busybox @in/sh; @in/sh -c 'echo ran'",
            "cp @bin/busybox @in/x; @in/x echo ran",
        ];
        world.sh(&options, &script_of(&tries)).is(0, "", "");
        world.sh(&options, "cat @in/file >@in/copy; cat @out/file").is(0, &world.content(), "");
        world.end();
    }
}

#[test]
fn path_of_a_file_allows_that_file() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let options = ["--landlock-ro", "@bin", "--landlock-rw", "@in/file", "--landlock-ro", "@out/file"];
        world
            .sh(&options, "echo x >@in/file; truncate -s 1 @in/file; cat @in/file; echo; cat @out/file")
            .says(&format!("x\n{}", world.content().trim_end()));
        let tries = ["echo x >@in/new", "rm @in/file", "ls @in", "echo x >@out/file", "mv @in/file @in/new"];
        world.sh(&options, &script_of(&tries)).is(0, "", "");
        world.end();
    }
}

#[test]
fn missing_path_is_an_error_that_names_it() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        for option in ["--landlock-ro", "--landlock-rw", "--landlock-exec"] {
            let out = world.sh(&["--landlock-ro", "/", option, "/no/such"], "echo ran");
            out.is(125, "", "nsinit: cannot allow access to /no/such: No such file or directory\n");
        }
        world.end();
    }
}

/// The path is the container's: a link in it cannot lead to a directory of the host.
#[test]
fn paths_are_those_of_the_container() {
    if !is_whole() {
        return;
    }
    for root in roots() {
        let outside = Dir::new(root.who);
        outside.file("secret", "secret");
        root.symlink(outside.path(), "link");
        root.launch(&["--landlock-ro", "/link"], &["true"])
            .run()
            .fails("allow access to /link: No such file or directory");
        let inside = root.dir("data");
        root.symlink("/data", "there");
        fs::write(inside.join("x"), "x\n").expect("write a file");
        root.launch(&["--landlock-ro", "/bin", "--landlock-ro", "/there"], &["cat", "/data/x"]).run().says("x");
    }
}

#[test]
fn relative_path_begins_in_the_callers_directory_in_place() {
    if !is_whole() {
        return;
    }
    for who in who::both() {
        let dir = Dir::new(who);
        let sh = ["sh", "-c", "echo x >file; (echo x >../outside) 2>&- || echo refused"];
        let launch = |options: &[&str]| in_place(who, options, &sh).directory(dir.path());
        launch(&["--landlock-ro", "/", "--landlock-rw", "."]).run().says("refused");
        assert_eq!(dir.read("file"), "x\n");
        // It does not follow --chdir.
        dir.dir("below");
        let options = ["--landlock-ro", "/", "--landlock-rw", ".", "--chdir", "below", "--init"];
        in_place(who, &options, &["sh", "-c", "echo x >../up; (echo x >../../outside) 2>&- || echo refused"])
            .directory(dir.path())
            .run()
            .says("refused");
        assert_eq!(dir.read("up"), "x\n");
    }
}

#[test]
fn none_allows_nothing_of_a_kind() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let out = world.sh(&["--landlock-exec", "none", "--landlock-rw", "/"], "echo ran");
        let hint = "Permission denied (Landlock may forbid it: CMD, its interpreter and its libraries need --landlock-exec or --landlock-ro)";
        out.is(126, "", &format!("nsinit: cannot execute {}: {hint}\n", world.path("bin/sh")));
        world
            .sh(
                &["--landlock-rw", "none", "--landlock-exec", "@bin"],
                &script_of(&["cat @in/file", "ls /", "echo x >@in/file"]),
            )
            .is(0, "", "");
        world.end();
    }
}

fn ports(world: &World, options: &[&str], to: u16, own: u16) -> String {
    let helper = world.path("bin/helper");
    let launch = world.launch(options, &[&helper, "ports", &to.to_string(), &own.to_string()]);
    let out = if world.container.is_some() { launch.run_with_others() } else { launch.run() };
    out.text().to_owned()
}

/// Without a listener a permitted connection is refused by the network, not by Landlock.
#[test]
fn ports_that_are_not_named_are_forbidden() {
    const REFUSED: i32 = libc::ECONNREFUSED;
    if !is_whole() {
        return;
    }
    for world in World::all() {
        // Both are free, at least for now.
        let [one, other] = [(); 2].map(|()| {
            let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
            listener.local_addr().expect("it is bound").port()
        });
        let (text, none) = (one.to_string(), ["--landlock-connect", "none", "--landlock-bind", "none"]);
        for (options, to, own, expected) in [
            (&[][..], one, one, (REFUSED, 0)),
            (&["--landlock-connect", &text], one, other, (REFUSED, 0)),
            (&["--landlock-connect", &text], other, other, (EACCES, 0)),
            (&["--landlock-bind", &text], other, one, (REFUSED, 0)),
            (&["--landlock-bind", &text], one, other, (REFUSED, EACCES)),
            (&["--landlock-connect", &text, "--landlock-bind", &text], one, one, (REFUSED, 0)),
            (&["--landlock-connect", &text, "--landlock-bind", &text], other, other, (EACCES, EACCES)),
            (&["--landlock-connect", &text, "--landlock-connect", &other.to_string()], other, one, (REFUSED, 0)),
            (&none, one, one, (EACCES, EACCES)),
        ] {
            assert_eq!(ports(&world, options, to, own), format!("{} {}", expected.0, expected.1), "{options:?}");
        }
        // Files are not restricted.
        world.sh(&none, "echo x >@in/file; cat @in/file").says("x");
        world.end();
    }
}

/// Landlock itself looks at connect(2) and bind(2) of TCP sockets only.
#[test]
fn no_way_leads_around_the_ports() {
    if !is_whole() {
        return;
    }
    for world in World::all() {
        let helper = world.path("bin/helper");
        let run = |options: &[&str]| {
            let launch = world.launch(options, &[&helper, "around", "1"]);
            let out = if world.container.is_some() { launch.run_with_others() } else { launch.run() };
            out.text().to_owned()
        };
        // The filter of a container refuses io_uring by itself.
        let contained = matches!(world.place, Place::Root | Place::Entered);
        let ring = if contained { libc::EPERM } else { libc::ENOSYS };
        let refused = format!("{0} {1} {1} {ring}", libc::EPROTONOSUPPORT, EOPNOTSUPP);
        for options in [
            &["--landlock-connect", "2"][..],
            &["--landlock-bind", "2"],
            &["--landlock-connect", "none", "--landlock-ro", "/"],
        ] {
            assert_eq!(run(options), refused, "{options:?}");
        }
        for options in [&[][..], &["--landlock-ro", "/"]] {
            let free = run(options);
            let expected = format!(" {0} {0} ", libc::ECONNREFUSED);
            assert!(free.contains(&expected) && !free.ends_with(&format!(" {}", libc::ENOSYS)), "{free}");
        }
        let filters = world.sh(&["--landlock-connect", "2", "--landlock-try"], "echo ran");
        filters.says("ran");
        world.end();
    }
}

#[test]
fn only_landlock_sets_no_new_privs_in_place() {
    for who in who::both() {
        // The filter of the harness would set it too.
        let status = |options: &[&str]| in_place(who, options, &["grep", "NoNewPrivs", "/proc/self/status"]).run();
        status(&[]).says("NoNewPrivs:\t0");
        if is_whole() {
            status(&["--landlock-ro", "/"]).says("NoNewPrivs:\t1");
            status(&["--landlock-bind", "1"]).says("NoNewPrivs:\t1");
        }
        in_place(who, &["--landlock-ro", "/", "--allow-new-privs", "--ro-bind", "/", "/"], &["true"]).run().is(
            125,
            "",
            "nsinit: --allow-new-privs excludes every --landlock option (Landlock needs no_new_privs)\n",
        );
        in_place(who, &["--landlock-try"], &["true"]).run().is(
            125,
            "",
            "nsinit: --landlock-try needs another --landlock option\n",
        );
    }
}

/// nsinit itself is not restricted: it removes its pid file, and children of CMD are restricted like CMD.
#[test]
fn cmd_and_its_children_are_restricted_and_nsinit_is_not() {
    if !is_whole() {
        return;
    }
    for who in who::both() {
        let dir = Dir::new(who);
        let script = "ls pid; (rm pid) 2>&-; setsid sh -c '(echo x >new) 2>&-' || echo refused";
        in_place(who, &["--landlock-ro", "/", "--pid-file", "pid"], &["sh", "-c", script])
            .directory(dir.path())
            .run()
            .says("pid\nrefused");
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
    }
}

/// Without namespaces: no call that makes one is needed.
#[test]
fn landlock_works_where_namespaces_are_forbidden() {
    if !is_whole() {
        return;
    }
    for who in who::both() {
        let launch =
            in_place(who, &["--landlock-ro", "/"], &["sh", "-c", "echo ran; (echo >/tmp/x) 2>&- || echo refused"]);
        let calls = [libc::SYS_unshare, libc::SYS_setns, libc::SYS_clone3, libc::SYS_mount, libc::SYS_open_tree];
        calls.iter().fold(launch, |launch, call| launch.deny(Deny::all(*call, libc::EPERM))).run().says("ran\nrefused");
    }
}

/// CMD could otherwise put other files in the place of those that it may read.
#[test]
fn restricted_root_cannot_mount() {
    if !is_whole() {
        return;
    }
    for root in roots() {
        let options = ["--cap-add", "SYS_ADMIN", "--landlock-rw", "/"];
        root.sh(&options, "mount -t tmpfs x /mnt 2>&- || echo refused").says("refused");
        root.sh(&options[..2], "mount -t tmpfs x /mnt && echo mounted").says("mounted");
    }
}

const WITHOUT: &str = "(with --landlock-try, CMD runs without this restriction)\n";
const TRIED: &str = "(CMD runs without this restriction)\n";

#[test]
fn kernel_without_landlock_is_an_error_or_with_try_a_warning() {
    for world in World::all() {
        for (errno, reason) in [(libc::ENOSYS, "Function not implemented"), (EOPNOTSUPP, "Operation not supported")] {
            let run = |options: &[&str]| {
                let launch = world.launch(options, &[&world.path("bin/busybox"), "echo", "ran"]);
                let launch = launch.deny(Deny::all(libc::SYS_landlock_create_ruleset, errno));
                if world.container.is_some() { launch.run_with_others() } else { launch.run() }
            };
            let (files, ports) = (["--landlock-ro", "/bin"], ["--landlock-bind", "80"]);
            run(&files).is(125, "", &format!("nsinit: cannot restrict access to files: {reason} {WITHOUT}"));
            run(&ports).is(125, "", &format!("nsinit: cannot restrict TCP ports: {reason} {WITHOUT}"));
            let warnings = format!(
                "nsinit: cannot restrict access to files: {reason} {TRIED}nsinit: cannot restrict TCP ports: {reason} {TRIED}"
            );
            run(&[&files[..], &ports, &["--landlock-try"]].concat()).is(0, "ran\n", &warnings);
        }
        world.end();
    }
}

/// strace answers the question for the version in the kernel's place.
#[test]
fn older_landlock_is_an_error_or_with_try_a_warning() {
    let Some(strace) = strace() else { return };
    if !is_whole() {
        return;
    }
    let Some(root) = who::root() else { return skip("an ordinary user's strace cannot follow nsinit") };
    let helper = utf8(scratch::helper());
    let truncation = "nsinit: cannot restrict truncation of files: this kernel's Landlock is too old ";
    let tcp = "nsinit: cannot restrict TCP ports: this kernel's Landlock is too old ";
    let run = |version: u32, options: &[&str], cmd: &[&str]| {
        let answer = format!("inject=landlock_create_ruleset:retval={version}:when=1");
        let words = [
            "-f",
            "-qq",
            "-o",
            "/dev/null",
            "-e",
            "trace=landlock_create_ruleset",
            "-e",
            &answer,
            utf8(scratch::nsinit()),
        ];
        Launch::of(root, strace).args(words).args(options).args(["--"]).args(cmd).run()
    };
    for version in [1, 2] {
        run(version, &["--landlock-ro", "/"], &["true"]).is(125, "", &format!("{truncation}{WITHOUT}"));
        let dir = Dir::new(Who::Root);
        let file = dir.file("file", "content");
        // Only the truncation is possible.
        let script =
            format!("(echo x >{0}.new); (echo x >>{0}); {1} truncate {0} && echo truncated", utf8(&file), helper);
        let out = run(version, &["--landlock-try", "--landlock-ro", "/"], &["sh", "-c", &format!("({script}) 2>&-")]);
        out.is(0, "truncated\n", &format!("{truncation}{TRIED}"));
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 1);
    }
    run(3, &["--landlock-ro", "/"], &["echo", "ran"]).says("ran");
    run(3, &["--landlock-bind", "1"], &["true"]).is(125, "", &format!("{tcp}{WITHOUT}"));
    run(3, &["--landlock-bind", "none", "--landlock-try"], &[helper, "ports", "0", "0"]).is(
        0,
        &format!("{} 0\n", libc::ECONNREFUSED),
        &format!("{tcp}{TRIED}"),
    );
    run(4, &["--landlock-bind", "none", "--landlock-ro", "/"], &["echo", "ran"]).says("ran");
}

/// Each system call fails in turn: CMD has all restrictions, or does not run.
#[test]
fn no_failing_call_leaves_a_restriction_out() {
    /// Above the last call that this kernel knows.
    const LAST: i64 = 475;
    /// No program starts, prints or ends without these.
    const BASIC: [i64; 4] = [libc::SYS_execve, libc::SYS_write, libc::SYS_exit_group, libc::SYS_exit];
    if !is_whole() {
        return;
    }
    let words = "--landlock-ro / --landlock-bind none --rlimit nofile=64 --mdwe --cpus 0 --nice 1";
    let options: Vec<&str> = words.split(' ').collect();
    for who in who::both() {
        let dir = Dir::new(who);
        let file = dir.file("file", "content");
        let cmd = [utf8(scratch::helper()), "weak", utf8(&file)];
        in_place(who, &[], &cmd).run().is(0, "open truncate bind multipath files memory processors ran\n", "");
        let mut ran = 0;
        let errno = if who.is_root() { libc::EPERM } else { libc::ENOSYS };
        for call in (0..LAST).filter(|call| !BASIC.contains(call)) {
            let out = in_place(who, &options, &cmd).deny(Deny::all(call, errno)).run();
            assert!(["", "ran\n"].contains(&out.stdout.as_str()), "{out}");
            ran += u32::from(out.status == 0);
        }
        assert!(ran > 300, "{ran}");
    }
}

#[test]
fn wrong_ports_and_paths_are_refused() {
    for who in who::both() {
        for bad in ["", "x", "-1", "65536", "80x", " 80", "None"] {
            for option in ["--landlock-connect", "--landlock-bind"] {
                let sign = if bad.is_empty() { String::new() } else { format!(" {bad}") };
                let line = format!("nsinit: {option}{sign}: neither a port from 0 to 65535 nor `none`\n");
                in_place(who, &[option, bad], &["true"]).run().is(125, "", &line);
            }
        }
        in_place(who, &["--landlock-ro", ""], &["true"]).run().is(
            125,
            "",
            "nsinit: --landlock-ro: the path is empty\n",
        );
    }
}
