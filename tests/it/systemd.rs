//! `--systemd`: what an init finds, the signals that it gets; and Debian's systemd, from its start to its end.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::cgroup::Parent;
use super::harness::procs::eventually;
use super::harness::roots::systemd;
use super::harness::scratch::utf8;
use super::harness::{Dir, Launch, Who, roots, who};

const SYSTEMD: &str = "--systemd";

#[test]
fn init_finds_what_it_manages() {
    const INIT: &str = "#!/bin/sh
        echo $$ $container; stat -c '%n %a' /run /run/lock /tmp
        grep -c '^none /run/lock tmpfs rw,nosuid,nodev,noexec' /proc/mounts
        echo x >/tmp/file; ls /run/own
        mkdir /sys/fs/cgroup/init.scope && echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs && grep ^0:: /proc/self/cgroup";
    const FOUND: &str = "1 nsinit\n/run 755\n/run/lock 1777\n/tmp 1777\n1\nsocket\n0::/init.scope\n";
    for root in roots() {
        let Some(parent) = Parent::new(root.who) else { return };
        root.dir("sbin");
        root.file("sbin/init", INIT);
        root.dir("own");
        root.file("own/socket", "");
        let own = utf8(&root.at("own")).to_owned();
        // Without a command it is /sbin/init. The user's mounts are above those of the option, wherever it stands.
        let words = ["--root", root.str(), "--bind", &own, "/run/own", SYSTEMD];
        parent.launch(&words).run().is(0, FOUND, "");
        parent.is_as_before();
        assert!(!root.at("tmp/file").exists() && !root.at("run/own/socket").exists());
        let out = parent.launch(&[&words[..], &["--", "cat", "/proc/1/comm"]].concat()).run();
        out.says("cat");
        parent.is_as_before();
    }
}

/// SIGTERM would have systemd execute itself again, and SIGQUIT crash it.
#[test]
fn signals_that_end_reach_init_as_the_one_that_halts_it() {
    for root in roots() {
        let root = root.with_helper();
        let Some(parent) = Parent::new(root.who) else { return };
        for (options, hang_up) in [(&[][..], "37 "), (&["--rewrite", "HUP:HUP"], "1 ")] {
            let options = [options, &[SYSTEMD]].concat();
            let mut running = parent.container(&root, &options, &["helper", "signals"]).open_input().start();
            assert_eq!(running.line(), "ready");
            for (sent, got) in [
                (libc::SIGTERM, "37 "),
                (libc::SIGINT, "37 "),
                (libc::SIGQUIT, "37 "),
                (libc::SIGHUP, hang_up),
                (libc::SIGUSR1, "10 "),
            ] {
                running.kill(sent);
                let line = running.line();
                assert!(line.starts_with(got), "{options:?} sent {sent}: {line}");
            }
            running.finish().is(0, "", "");
            parent.is_as_before();
        }
        // One that does not end is killed.
        let options = [SYSTEMD, "--stop-timeout", "100ms"];
        let mut running = parent.container(&root, &options, &["helper", "signals"]).open_input().start();
        assert_eq!(running.line(), "ready");
        running.kill(libc::SIGTERM);
        // Its line comes only if it has been written in that time.
        let line = running.line_or_end();
        assert!(line.as_ref().is_none_or(|line| line.starts_with("37 ")), "{line:?}");
        assert!(line.is_none() || running.line_or_end().is_none());
        running.finish().is(128 + libc::SIGKILL, "", "");
        parent.is_as_before();
    }
}

#[test]
fn systemd_needs_a_container_of_its_own() {
    const WHY: &str = "nsinit: --systemd needs --root or --image, and a new pid and a new cgroup namespace\n";
    for who in who::both() {
        Launch::new(who).args([SYSTEMD, "--", "true"]).run().is(125, "", WHY);
        Launch::new(who).args(["--ro-bind", "/", "/", "--unshare-pid", SYSTEMD, "--", "true"]).run().is(125, "", WHY);
    }
}

/// A service is in a cgroup of its own, and is stopped by its own command before the container ends.
#[test]
fn systemd_boots_and_ends_in_order() {
    const UNIT: &str = "/etc/systemd/system/test.service";
    const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/test.service";
    const MAP: &[&str] = &["--map-uid", "0:1000000:65536", "--map-gid", "0:1000000:65536", "--idmap"];
    let unit = |start: &str| {
        let stop = "systemctl is-system-running >/log/stopped";
        format!("[Service]\nExecStart=/bin/sh -c '{start}'\nExecStop=/bin/sh -c '{stop}'\n")
    };
    let Some(root) = who::root().and_then(|_| systemd()) else { return };
    let Some(parent) = Parent::new(Who::Root) else { return };
    for options in [&[][..], MAP, &["--pty"]] {
        let place = Dir::new(Who::Root);
        let every_user = Permissions::from_mode(0o1777);
        fs::set_permissions(place.dir("log"), every_user).expect("open the directory to all");
        place.file(
            "test.service",
            &unit("grep ^0:: /proc/self/cgroup >/log/new; mv /log/new /log/started; exec sleep 1000"),
        );
        let (log, service) = (utf8(&place.at("log")).to_owned(), utf8(&place.at("test.service")).to_owned());
        let words = |service: &str| {
            let own = ["--root", utf8(root), "--volatile", SYSTEMD, "--bind", &log, "/log"];
            let wanted = ["--ro-bind", service, UNIT, "--symlink", UNIT, WANTED];
            [&own[..], &wanted, options].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let running = parent.launch(&words(&service).iter().map(String::as_str).collect::<Vec<_>>()).start();
        eventually("the service runs", || place.at("log/started").exists().then_some(()));
        assert_eq!(place.read("log/started"), "0::/system.slice/test.service\n");
        running.kill(libc::SIGTERM);
        let out = running.finish();
        assert_eq!((out.status, out.stderr.as_str()), (0, ""), "{options:?} {out}");
        assert_eq!(out.stdout.contains("Halting system."), options == ["--pty"], "{out}");
        assert_eq!(place.read("log/stopped"), "stopping\n");
        parent.is_as_before();
        // Its exit status is systemd's.
        place.file("test.service", &unit("systemctl exit 7"));
        let out = parent.launch(&words(&service).iter().map(String::as_str).collect::<Vec<_>>()).run();
        assert_eq!((out.status, out.stderr.as_str()), (7, ""), "{options:?} {out}");
        parent.is_as_before();
    }
}
