//! The units of docs/recipes.md and docs/services.md as they stand, and more of their kind, run by the systemd of a Debian.

use std::fs;
use std::time::Duration;

use super::docs::Place;
use super::docs::blocks::documents;
use super::harness::{Boot, Machine};

/// The words of qemu for the disk that [`make`] fills.
pub const DISK: &str = "-drive file=units.disk,format=raw,if=none,id=units -device nvme,drive=units,serial=2";

/// The units restart, and one hangs, on an emulated processor.
const LONG: Duration = Duration::from_secs(500);

/// The unit of a document that is written to a file of this name.
fn unit(document: &str, name: &str) -> String {
    let (_, text) = documents().into_iter().find(|(path, _)| path == document).expect("the document exists");
    let (_, rest) = text.split_once(&format!("{name}\n")).expect("the unit's name");
    let ends = ["END\n", "```"].map(|end| rest.find(end).unwrap_or(rest.len()));
    let unit = &rest[..ends[0].min(ends[1])];
    assert!(unit.contains("ExecStart="), "{unit}");
    unit.to_owned()
}

/// The units of the documents as they stand, and two more, with programs that take the places of the real ones.
const UNITS: &str = r#"
mkdir -p units/app/bin units/app/tmp units/app/proc units/app/dev units/app/sys
cp busybox units/app/bin/
ln -s busybox units/app/bin/sh
ln -s busybox units/app/bin/sleep
cp -a units/app units/web
mkdir -p units/web/run units/web/var/lib/nginx units/web/var/log/nginx
cat >units/web/bin/nginx <<'X'
#!/bin/sh
trap 'echo in order; exit 0' QUIT
while :; do sleep 0.1; done
X
# It fails the first time.
cat >units/app/bin/server <<'X'
#!/bin/sh
[ -e /tmp/failed ] || { >/tmp/failed; exit 3; }
trap 'exit 0' TERM
while :; do sleep 0.1; done
X
cat >units/watched <<'X'
echo "every $WATCHDOG_USEC"
until [ -e /srv/go ]; do sleep 0.1; done
systemd-notify --ready --status=works
until [ -e /srv/hang ]; do systemd-notify WATCHDOG=1; sleep 1; done
exec sleep 1000
X
cat >units/watched.service <<'X'
[Service]
Type=notify
ExecStart=nsinit --root / --notify-ready --pass-env WATCHDOG_USEC -- sh /srv/watched
WatchdogSec=20
X
cat >units/detached.service <<'X'
[Service]
Type=notify
NotifyAccess=all
ExecStart=nsinit --root /srv/app --notify --detach --keeper-pid-file /run/detached.pid -- /bin/server
X
# A machine in the machine: its systemd is started and stopped by the other one.
cat >units/inner.service <<'X'
[Service]
Type=notify
Delegate=yes
KillMode=mixed
TimeoutStartSec=500
ExecStart=nsinit --root / --read-only --tmpfs /var --systemd --notify-ready --memory 200M --name inner
X
cat >units/check <<'X'
cp /sbin/nsinit /usr/local/bin/
mkdir -p /run/systemd/system
cp /mnt/*.service /run/systemd/system/
cp -a /mnt/app /mnt/web /mnt/watched /srv
echo root:100000:65536 >>/etc/subuid
echo root:100000:65536 >>/etc/subgid
systemctl daemon-reload
show() { systemctl show -p "$2" --value "$1"; }
prints() { until journalctl -u "$1" -o cat | grep -qx "$2"; do sleep 0.2; done; }
is() { until [ "$(show "$1" "$2")" = "$3" ]; do sleep 0.2; done; }
systemctl start inner
nsinit --enter inner -- sh -c 'systemctl is-active multi-user.target; cd /sys/fs/cgroup; cat memory.max
    grep -wo memory system.slice/cgroup.controllers; grep ^0:: /proc/self/cgroup'
systemctl stop inner
echo "inner: $(show inner ActiveState), $(show inner Result)"
systemctl start web
echo "web: $(show web ActiveState), $(show web StatusText)"
systemctl stop web
prints web 'in order'
echo "web: $(show web ActiveState), $(show web Result)"
systemctl start app
is app NRestarts 1
is app ActiveState active
systemctl stop app
echo "app: $(show app ActiveState), $(show app Result)"
systemctl start --no-block watched
prints watched 'every 20000000'
echo "watched: $(show watched ActiveState)"
touch /srv/go
is watched ActiveState active
echo "watched: $(show watched StatusText)"
touch /srv/hang
is watched ActiveState failed
echo "watched: $(show watched Result)"
systemctl start detached
[ "$(show detached MainPID)" = "$(cat /run/detached.pid)" ] && echo "detached: $(show detached ActiveState)"
systemctl stop detached
echo "detached: $(show detached ActiveState), $(show detached Result)"
ls /run/detached.pid 2>/dev/null
for process in /proc/[0-9]*; do readlink $process/exe; done | grep -c nsinit
X
chmod +x units/web/bin/nginx units/app/bin/server
mke2fs -q -t ext4 -L units -d units units.disk 32M
"#;

/// What the script prints.
const OF_UNITS: &str = "active\n209715200\nmemory\n0::/init.scope\ninner: inactive, success\nweb: active, CMD runs\nweb: inactive, success\napp: inactive, success\nwatched: activating\n\
    watched: works\nwatched: watchdog\ndetached: active\ndetached: inactive, success\n0\n";

/// Fills a disk with the units and their programs.
pub fn make(place: &Place) {
    fs::create_dir(place.at("units")).expect("make a directory");
    for (document, name, path) in [
        ("docs/recipes.md", "cat >web.service <<'END'", "units/web.service"),
        ("docs/services.md", "# /etc/systemd/system/app.service", "units/app.service"),
    ] {
        fs::write(place.at(path), unit(document, name)).expect("write a unit");
    }
    let (done, text) = place.bash(&format!("set -eu\n{UNITS}"));
    assert!(done, "{text}");
}

/// Runs the script in the machine, in which root is logged in. Returns whether it has ended.
pub fn run(machine: &mut Machine) -> bool {
    machine
        .enter("mount -L units /mnt; sh /mnt/check >/run/told 2>&1; echo checked: $?; cat /run/told; echo told: $?\n");
    machine.prints("told: 0\n", LONG)
}

pub fn are_as_told(boot: &Boot) {
    assert!(boot.log.contains(&format!("\n{OF_UNITS}told: 0\n")), "{boot}");
}
