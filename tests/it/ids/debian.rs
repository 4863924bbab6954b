//! A whole Debian in a container of many ids: package management, su, sudo, ping.

use std::process::Command;

use super::{COUNT, FIRST, Granted, is_mappable, owner};
use crate::harness::launch::{attempt, tool};
use crate::harness::roots::debian;
use crate::harness::scratch::utf8;
use crate::harness::{Dir, Out, Root, Who, skip, who};

/// Builds a package whose script makes a user and gives it a file, and installs it.
const INSTALL: &str = r#"set -e
mkdir -p /tmp/p/DEBIAN /tmp/p/opt
chmod 755 /tmp/p /tmp/p/DEBIAN /tmp/p/opt
printf 'Package: proof\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n' >/tmp/p/DEBIAN/control
printf '#!/bin/sh\nset -e\nuseradd --uid 1000 --create-home alice\ntouch /opt/hers\nchown alice:alice /opt/hers\n' >/tmp/p/DEBIAN/postinst
chmod 755 /tmp/p/DEBIAN/postinst
echo content >/tmp/p/opt/proof
chown -R 0:0 /tmp/p
dpkg-deb --build /tmp/p /tmp/proof.deb >/dev/null
chmod 644 /tmp/proof.deb
apt-get install -y /tmp/proof.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
dpkg-query --show --showformat '${Status}\n' proof
cat /opt/proof
stat -c '%U %u %g' /opt/hers /home/alice
"#;

const INSTALLED: &str = "install ok installed\ncontent\nalice 1000 1000\nalice 1000 1000\n";

fn sh(granted: &Granted, words: &[&str], script: &str) -> Out {
    granted.launch().args(words).args(["--", "/bin/bash", "-c", script]).run()
}

/// What the users of the system do.
#[track_caller]
fn works(granted: &Granted, words: &[&str]) {
    let out = sh(granted, words, INSTALL);
    assert!(out.status == 0 && out.stdout == INSTALLED, "{out}");
    sh(granted, words, "su alice -c 'id -u; id -g; id -G; touch ~/a 2>/dev/null; stat -c %u /home/alice/a'")
        .says("1000\n1000\n1000\n1000");
    // apt drops its rights to a user of its own.
    sh(granted, words, "setpriv --reuid _apt --regid nogroup --init-groups id -un").says("_apt");
    let privileged = [words, &["--allow-new-privs", "--uid", "1000", "--gid", "1000"]].concat();
    let prepare = "echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice; chmod u+s /bin/ping";
    if !sh(granted, words, "test -e /usr/bin/sudo -a -e /bin/ping").stderr.is_empty()
        || sh(granted, words, "test -e /usr/bin/sudo -a -e /bin/ping").status != 0
    {
        return skip("the Debian was made without sudo and ping: remove it, and scripts/debian makes it anew");
    }
    sh(granted, words, prepare).is(0, "", "");
    let out = sh(granted, &[&privileged[..], &["--hostname", "localhost"]].concat(), "sudo -n id -u");
    assert!(out.status == 0 && out.stdout == "0\n", "{out}");
    let out = sh(
        granted,
        &[&privileged[..], &["--cap-add", "NET_RAW"]].concat(),
        "/bin/ping -c 1 127.0.0.1 >/dev/null; echo $?; id -u",
    );
    assert!(out.status == 0 && out.stdout == "0\n1000\n", "{out}");
    // Without --allow-new-privs nothing has an effect.
    let plain = [words, &["--uid", "1000", "--gid", "1000"]].concat();
    assert_ne!(sh(granted, &plain, "sudo -n id -u").status, 0);
}

/// The archive of the Debian, without device files, which no user namespace can make.
fn archive(dir: &Dir) -> Option<String> {
    let debian = debian()?;
    let path = dir.at("debian.tar");
    let mut tar = Command::new("tar");
    tar.arg("-C")
        .arg(debian)
        .args(["--exclude=./dev/*", "--exclude=./usr/share/doc/*", "--numeric-owner", "-cf"])
        .arg(&path)
        .arg(".");
    tool(&mut tar);
    Some(utf8(&path).to_owned())
}

#[test]
fn debian_of_an_ordinary_user_works() {
    let Some(root) = who::user().and_then(Root::new) else { return };
    let Some(granted) = Granted::new(root.who) else { return };
    let place = Dir::new(root.who);
    let Some(archive) = archive(&place) else { return };
    root.dir("debian");
    // The files of the archive get owners of the range, because nsinit's own container extracts it.
    let extract = ["--map-auto", "--ro-bind", &archive, "/mnt/debian.tar"];
    let out = granted.sh(&root, &extract, "tar -C /debian -xpf /mnt/debian.tar");
    out.is(0, "", "");
    let debian = root.at("debian");
    let words = ["--root", utf8(&debian), "--map-auto"];
    works(&granted, &words);
    assert_eq!(owner(debian.join("etc/passwd")), (root.who.uid(), root.who.gid()));
    assert_eq!(owner(debian.join("opt/hers")), (FIRST + 999, FIRST + 999));
    assert_eq!(owner(debian.join("etc/shadow")), (root.who.uid(), FIRST + 42 - 1));
    // Only a user of the container may remove its files.
    granted.sh(&root, &["--map-auto"], "rm -rf /debian").is(0, "", "");
}

#[test]
fn debian_of_root_works_through_the_map() {
    let Some(root) = who::root().and_then(Root::new) else { return };
    let Some(granted) = Granted::new(Who::Root) else { return };
    if !is_mappable(&root, &granted) {
        return;
    }
    let Some(debian) = debian() else { return };
    let copy = root.at("debian");
    tool(Command::new("cp").arg("-a").arg(debian).arg(&copy));
    let words = ["--root", utf8(&copy), "--map-auto", "--idmap"];
    works(&granted, &words);
    assert_eq!((owner(copy.join("etc/passwd")), owner(copy.join("opt/hers"))), ((0, 0), (1000, 1000)));
    assert_eq!(owner(copy.join("etc/shadow")), (0, 42));
    // On disk nothing belongs to the range: every file has an owner of the image.
    let find = attempt(Command::new("find").arg(&copy).args(["-uid", &format!("+{COUNT}")]));
    assert_eq!(find.as_deref(), Some(""));
}
