//! Nested namespaces: root of a new user namespace needs no further capability to mount the caller's cgroup, and to
//! kill, freeze and limit it. (`nsdelegate` does not prevent that, nor a read-only cgroupfs in the container.)

use std::path::Path;

use super::harness::container::{Container, Maker, enter};
use super::harness::scratch::{nsinit, utf8};
use super::harness::{Launch, Out, Root, Who, roots, skip, who};

/// The output of `helper nest` if every attempt fails: in the filter, and at the limits behind it.
const REFUSED: &str =
    "clone: Operation not permitted\nclone3: Function not implemented\nunshare: Operation not permitted\n";
/// See [`REFUSED`].
const LIMITED: &str =
    "clone: No space left on device\nclone3: No space left on device\nunshare: No space left on device\n";
const UNFILTERED: &str = "--seccomp-profile none";
/// The output of `helper nest` if every attempt succeeds.
const REACHED: &str =
    "clone: made\nclone3: made\ncgroup.kill: reached\ncgroup.freeze: reached\ncgroup.max.descendants: reached\n";

/// Runs a script with a cgroup2 in /sys/fs/cgroup, in a cgroup that belongs to `who`; `$C` is the cgroup, `$AS` runs
/// a command as `who`.
fn in_cgroup(who: Who, script: &str) -> Option<Out> {
    let whole = format!(
        "set -e; mount -t cgroup2 none /sys/fs/cgroup 2>/dev/null || exit 77
        C=/sys/fs/cgroup/nsinit-nest.$$; mkdir $C; chown -R {uid}:{gid} $C
        # The last process ends a moment after it has removed its pid file.
        trap 'until rmdir $C 2>/dev/null; do sleep 0.01; done' EXIT
        (echo 0 >$C/cgroup.procs; {script})",
        uid = who.uid(),
        gid = who.gid(),
    );
    let out = Launch::of(who::root()?, Path::new("/usr/bin/unshare"))
        .args(["--mount", "/bin/sh", "-c", &whole])
        .env("AS", &who.setpriv())
        .run_with_others();
    if out.status == 77 {
        skip("cgroup2 cannot be mounted on this machine");
        return None;
    }
    Some(out)
}

/// As root, as root without a user namespace (where the limit would be the host's: a known gap), in a user's delegated
/// cgroup; from a new container, and from `--enter`.
#[test]
#[cfg(feature = "whole")]
fn callers_cgroup_cannot_be_controlled_from_inside() {
    for root in roots().into_iter().map(Root::with_helper) {
        let run = |options: &str| {
            let nsinit = nsinit().display();
            in_cgroup(root.who, &format!("$AS {nsinit} --root {} {options} -- helper nest", root.str()))
        };
        let Some(out) = run("") else { return };
        out.is(0, REFUSED, "");
        for options in ["--as-pid-1", "--disable-userns"] {
            run(options).expect("cgroup2 was mounted before").is(0, REFUSED, "");
        }
        for options in ["", "--as-pid-1", "--disable-userns"] {
            run(&format!("{UNFILTERED} {options}")).expect("cgroup2 was mounted before").is(0, LIMITED, "");
        }
        // The control: without the limits the attempts succeed.
        run("--allow-nesting").expect("cgroup2 was mounted before").is(0, REACHED, "");
        if root.who.is_root() {
            run("--uid 5 --gid 5").expect("cgroup2 was mounted before").is(0, REFUSED, "");
            run("--share-user").expect("cgroup2 was mounted before").is(0, REFUSED, "");
            run(&format!("--share-user {UNFILTERED}")).expect("cgroup2 was mounted before").is(0, REACHED, "");
        }
        let script = format!(
            "$AS {n} --root {dir} --detach --pid-file {dir}/box.pid -- sleep 1000
            $AS {n} --enter {dir}/box.pid -- helper nest; $AS {n} --enter {dir}/box.pid {UNFILTERED} -- helper nest
            kill $(cat {dir}/box.pid); while [ -e {dir}/box.pid ]; do sleep 0.01; done",
            n = nsinit().display(),
            dir = root.str(),
        );
        let out = in_cgroup(root.who, &script).expect("cgroup2 was mounted before");
        out.is(0, &format!("{REFUSED}{LIMITED}"), "");
    }
}

/// The limits hold for the container's user namespace only; the command cannot raise them, and the caller's do not
/// change.
#[test]
fn user_and_cgroup_namespaces_cannot_be_made_inside() {
    const SCRIPT: &str = "cd /proc/sys/user; for kind in user cgroup; do cat max_${kind}_namespaces; \
        echo 9 2>/dev/null >max_${kind}_namespaces || cat max_${kind}_namespaces; done";
    let limits = || ["user", "cgroup"].map(|kind| std::fs::read(format!("/proc/sys/user/max_{kind}_namespaces")).ok());
    let before = limits();
    for root in roots().into_iter().map(Root::with_helper) {
        let sh = |options: &[&str]| root.run(options, &["/bin/sh", "-c", SCRIPT]);
        for options in [&[][..], &["--cap-add", "SYS_RESOURCE"], &["--no-masks"]] {
            sh(options).is(0, "0\n0\n0\n0\n", "");
        }
        // The command needs both to raise the limits.
        sh(&["--no-masks", "--cap-add", "SYS_RESOURCE"]).is(0, "0\n0\n", "");
        assert_eq!(limits(), before);
        if !cfg!(feature = "enter") {
            continue;
        }
        let Some(container) = Container::new(root.who, Maker::Nsinit) else { continue };
        enter(root.who, container.inside, &[], &["/bin/sh", "-c", SCRIPT]).run().is(0, "0\n0\n0\n0\n", "");
        // Another container in the same user namespace still gets its own cgroup namespace, and does not change the
        // limits.
        let of = container.inside.to_string();
        let out = root.run(&["--join-user", &of], &["/bin/sh", "-c", "readlink /proc/self/ns/cgroup; helper nest"]);
        let (cgroup, rest) = out.stdout.split_once('\n').unwrap_or_default();
        assert!(out.status == 0 && rest == REFUSED && cgroup != container.namespace("cgroup"), "{out}");
        enter(root.who, container.inside, &[], &["/bin/sh", "-c", SCRIPT]).run().is(0, "0\n0\n0\n0\n", "");
        container.end();
        if root.who.is_root() {
            let out = root.run(&["--share-user"], &["cat", "/proc/sys/user/max_user_namespaces"]);
            assert_ne!(out.text(), "0");
            let out = root.run(&["--share-user", "--explain"], &["true"]);
            assert!(out.text().contains("allow user and cgroup namespaces"), "{out}");
        }
        assert_eq!(limits(), before);
    }
}

/// With --allow-nesting a container can contain others; without it the error names that option.
#[test]
#[cfg(feature = "whole")]
fn allow_nesting_permits_a_container_in_a_container() {
    for root in roots() {
        let program = utf8(nsinit());
        root.dir("inner");
        let run = |options: &[&str], inner: &[&str]| {
            // nsinit may be dynamically linked.
            let places = ["/lib", "/lib64", "/usr/lib"].into_iter().flat_map(|dir| ["--ro-bind-try", dir, dir]);
            let options: Vec<&str> =
                options.iter().copied().chain(places).chain(["--ro-bind", program, "/nsinit"]).collect();
            root.run(&options, &[&["/nsinit"], inner, &["--", "/bin/echo", "ran"]].concat())
        };
        let sandbox = ["--unshare-user", "--ro-bind", "/", "/"];
        let container = ["--root", "/", "--share-pid", "--no-sys", "--allow-nesting"];
        for inner in [&sandbox[..], &container] {
            run(&["--allow-nesting"], inner).says("ran");
            // In the filter, and at the limits behind it.
            for options in [&[][..], &["--seccomp-profile", "none"]] {
                run(options, inner).fails(
                    "(user.max_user_namespaces is 0; if this is a container of nsinit, start it with --allow-nesting)",
                );
            }
        }
    }
}

/// If the limits cannot be set, the command does not run, except with --allow-nesting.
#[test]
fn launch_fails_if_namespace_limits_cannot_be_set() {
    for root in roots() {
        // /proc/sys read-only as in other containers; and empty.
        for hide in
            ["mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys", "mount -t tmpfs none /proc/sys"]
        {
            let script = format!("{hide}; exec {} \"$@\"", root.who.setpriv());
            let run = |options: &[&str]| {
                let nsinit = utf8(nsinit());
                let words = ["--mount", "/bin/sh", "-c", &script, "sh", nsinit, "--root", root.str(), "--share-pid"];
                Launch::of(Who::Root, Path::new("/usr/bin/unshare"))
                    .args(words)
                    .args(options)
                    .args(["echo", "ran"])
                    .run()
            };
            if who::root().is_none() {
                return;
            }
            run(&[]).fails("forbid user and cgroup namespaces: ");
            run(&["--allow-nesting"]).says("ran");
        }
    }
}

/// Without user namespaces, root's launch continues with a warning that says what that means; explicit requests fail.
#[test]
#[cfg(feature = "whole")]
fn root_without_user_namespaces_gets_a_warning() {
    for root in roots() {
        let run = |options: &[&str]| {
            let script = "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\"";
            let nsinit = utf8(nsinit());
            let words = ["--user", "--map-root-user", "/bin/sh", "-c", script, "sh", nsinit];
            Launch::of(root.who, Path::new("/usr/bin/unshare"))
                .args(words)
                .args(options)
                .args(["--", "echo", "ran"])
                .run()
        };
        run(&["--root", root.str()]).is(
            0,
            "ran\n",
            "nsinit: cannot make a user namespace: No space left on device \
            (going on without one: root inside is root outside; see user.max_user_namespaces)\n",
        );
        run(&["--root", root.str(), "--share-user"]).says("ran");
        run(&["--root", root.str(), "--unshare-user"])
            .fails("(user.max_user_namespaces is 0; if this is a container of nsinit, start it with --allow-nesting)");
        // As bubblewrap.
        run(&["--unshare-user-try", "--bind", root.str(), "/"]).says("ran");
    }
}
