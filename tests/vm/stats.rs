//! What a container has used, and frozen containers: a machine with all controllers in version 2. One boot for each kernel.

use super::harness::{End, Image, Kernel, NATIVE, kernels};

/// `range NAME LOW HIGH` looks at a number of /tmp/json.
const SCRIPT: &str = r#"
/modules
C=/sys/fs/cgroup
box() { nsinit --root /box "$@"; }
left() { ls -d $C/nsinit-* $C/u/nsinit-* 2>/dev/null; }
gone() { while [ -e /tmp/pid ]; do sleep 0.1; done; }
range() {
    n=$(sed -n "s/.*\"$1\": \([0-9]*\).*/\1/p" /tmp/json)
    [ -n "$n" ] || { echo "$1: none"; return; }
    [ $n -ge $2 ] && [ $n -le $3 ] && echo "$1" || echo "$1: $n"
}
names() { sed 's/^\(  [a-z ]*[a-z]\)   *[0-9].*/\1/' $1; }
W='exec 2>/dev/null; dd if=/dev/zero of=/dev/null bs=30M count=1; dd if=/dev/vda of=/dev/null bs=64k count=32
(sleep 99 & a=$!; sleep 99 & b=$!; sleep 99 & kill $a $b $!; wait); timeout 3 sh -c "while :; do :; done"; exit 3'
box --stats --cpu 0.2 --dev-bind /dev/vda /dev/vda -- sh -c "$W" 2>/tmp/block; echo "status $?"
names /tmp/block
echo 3 >/proc/sys/vm/drop_caches
box --stats --cpu 0.2 --dev-bind /dev/vda /dev/vda --status-fd 3 -- sh -c "$W" 3>/tmp/all; echo "status $?"
tail -n 1 /tmp/all
grep stats /tmp/all >/tmp/json
range wall-time-usec 1000000 100000000
range cpu-time-usec 100000 20000000
range cpu-throttled-usec 100000 100000000
range memory-peak-bytes 31457280 100000000
range pids-peak 6 10
range reads 1 100
range read-bytes 2097152 16777216
left
# Limits that are not asked for are not set; memory that is too much is counted as an event.
box --stats --memory 20M -- sh -c 'cat /sys/fs/cgroup/pids.max; dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; exit 0' 2>/tmp/block
grep 'oom kills' /tmp/block
left
# A user in a delegated cgroup.
mkdir $C/u
for f in . cgroup.procs cgroup.subtree_control cgroup.threads; do chown 1000 $C/u/$f; done
sh -c "echo 0 >$C/u/cgroup.procs; exec su u -c 'exec nsinit --root /box --stats -- true'" 2>/tmp/block
names /tmp/block
cat $C/u/cgroup.subtree_control $C/u/cgroup.procs
left
# Looked at while it runs.
box --detach --stats --pid-file /tmp/pid -- sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done' 2>/tmp/block
nsinit --enter /tmp/pid --stats >/tmp/now; names /tmp/now
nsinit --enter /tmp/pid --stats --json >/tmp/json
range memory-in-use-bytes 4096 100000000
range pids 2 4
# Frozen, and asked to end.
nsinit --freeze /tmp/pid && grep frozen $C/nsinit-*/cgroup.events
nsinit --thaw /tmp/pid && grep frozen $C/nsinit-*/cgroup.events
nsinit --freeze /tmp/pid
read _ _ _ launcher _ </proc/$(cat /tmp/pid)/stat
kill $launcher; gone
names /tmp/block | head -n 2
left
# Frozen, and killed: process 1; the launcher, with a pid namespace and without.
box --detach --pids 9 --pid-file /tmp/pid -- sleep 1000; nsinit --freeze /tmp/pid
kill -9 $(cat /tmp/pid); gone; left
for share in "" --share-pid; do
    box --detach --pids 9 $share --pid-file /tmp/pid -- sleep 777; nsinit --freeze /tmp/pid
    read _ _ _ launcher _ </proc/$(cat /tmp/pid)/stat
    kill -9 $launcher; rm /tmp/pid
    [ "$share" ] || while ps | grep -q '[s]leep 777'; do sleep 0.1; done
    box --pids 9 -- true
    while ps | grep -q '[s]leep 777'; do sleep 0.1; done
    until box --pids 9 -- true && [ ! "$(left)" ]; do sleep 0.1; done
done
# Process 1 is stopped by CMD.
nsinit --root /box --share-pid --pids 9 --stop-timeout 0 --grace 0 -- sh -c 'trap "" TERM; (setsid sleep 777 &); kill -STOP $PPID; : >/tmp/up; while :; do sleep 1; done' &
while ! [ -e /box/tmp/up ]; do sleep 0.1; done
kill $!; wait $!; echo "status $?"; ps | grep -c '[s]leep 777'
left
"#;

/// The file memory.peak is there since Linux 5.19, pids.peak since 6.1.
fn expected(kernel: Kernel) -> String {
    let all = kernel != Kernel::V5_10;
    let line = |there: bool, text: &str| if there { format!("{text}\n") } else { String::new() };
    let (memory, pids) = (line(all, "  memory peak"), line(all, "  pids peak"));
    let lacking =
        "  not counted       memory peak, pids peak (the controller is not enabled, or the kernel is too old)";
    let lacking = line(!all, lacking);
    let cpu = "  wall time\n  cpu time\n  cpu user\n  cpu system\n";
    let head = format!("nsinit: the container used:\n{cpu}");
    let number = |name: &str| if all { format!("{name}\n") } else { format!("{name}: none\n") };
    [
        &format!("status 3\n{head}  cpu throttled\n{memory}{pids}  vda read\n{lacking}"),
        "status 3\n{ \"exit-code\": 3 }\nwall-time-usec\ncpu-time-usec\ncpu-throttled-usec\n",
        &number("memory-peak-bytes"),
        &number("pids-peak"),
        "reads\nread-bytes\nmax\n  oom kills         1\n",
        &format!("{head}{memory}{pids}{lacking}"),
        &format!("{cpu}  memory in use\n{memory}  pids\n{pids}{lacking}"),
        "memory-in-use-bytes\npids\nfrozen 1\nfrozen 0\nnsinit: the container used:\n  wall time\nstatus 137\n0\n",
    ]
    .concat()
}

#[test]
fn numbers_of_all_controllers_are_reported() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        image.modules(&["virtio_pci", "virtio_blk"]);
        image.file("etc/passwd", "root:x:0:0::/:/bin/sh\nu:x:1000:1000::/tmp:/bin/sh\n");
        image.nsinit("bin/nsinit");
        image.file("script", &format!("dmesg -n 1\nchmod 1777 /tmp /box/tmp\n{SCRIPT}"));
        image.words(&["--", "/bin/sh", "/script"]);
        let disk = Image::disk("ext2");
        image.start_with("", &disk.as_drive()).finish().is(End::Off, &expected(kernel));
    }
}
