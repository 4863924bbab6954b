//! Limits of containers hold in numbers: what a container gets is what its options say. One boot for each kernel.

use super::containers::image;
use super::harness::{End, Image, NATIVE, kernels};

/// Functions for the scripts: the time in 1/100 s; a line for a number that is between two bounds, and another for one that is not.
const FUNCTIONS: &str = r#"
C=/sys/fs/cgroup
now() { read up idle </proc/uptime; echo ${up%.*}${up#*.}; }
near() { [ $2 -ge $3 ] && [ $2 -le $4 ] && echo "$1" || echo "$1: $2 is not between $3 and $4"; }
value() { number=0; while read name count; do [ $name != $1 ] || number=$count; done <$2; echo $number; }
box() { nsinit --root /box "$@"; }
left() { ls -d $C/nsinit-* $C/u/nsinit-* 2>/dev/null; }
"#;

/// The limits are compared with the kernel's own count of the time that the container has used, in 2 s of the machine's time: on a
/// slow machine both go slowly. A line of `used` is in per cent of one processor.
const PROCESSORS: &str = r#"
cat >/box/bin/busy <<'X'
for i in 1 2 3; do (while :; do :; done) & done
sleep 1000
X
used() { u=$(value usage_usec $1) t=$(now); sleep 2; v=$(value usage_usec $1); echo $(((v - u) / 100 / ($(now) - t))); }
for limit in 0.5:45:55 1.5:135:165; do
    set -- $(echo $limit | tr : ' ')
    nsinit --root /box --cpu $1 -- sh /bin/busy & launcher=$!
    S=$C/nsinit-$launcher-0/cpu.stat
    until [ -e $S ] && [ $(value nr_throttled $S) -gt 5 ]; do usleep 10000; done
    # What is wrong is wrong each time; where the machine itself does not get its processors, some of the times are.
    for i in 1 2 3 4 5 6 7 8 9; do used=$(used $S); [ $used -lt $2 ] || [ $used -gt $3 ] || break; done
    near "cpu $1" $used $2 $3
    kill $launcher; wait $launcher
done
# On one processor. One after the other: the sweep of the second may remove the first cgroup before it is locked, and it is made again
# under another name.
runs() { until [ -e $1 ] && [ $(value usage_usec $1) -gt 300000 ]; do usleep 10000; done; }
nsinit --root /box --cpuset 0 --cpu-weight 100 -- sh /bin/busy & one=$!
A=$C/nsinit-$one-0/cpu.stat; runs $A
nsinit --root /box --cpuset 0 --cpu-weight 300 -- sh /bin/busy & three=$!
B=$C/nsinit-$three-0/cpu.stat; runs $B
for i in 1 2 3 4 5; do
    a=$(value usage_usec $A) b=$(value usage_usec $B); sleep 3
    ratio=$((($(value usage_usec $B) - b) * 100 / ($(value usage_usec $A) - a + 1)))
    [ $ratio -lt 240 ] || [ $ratio -gt 360 ] || break
done
near weight $ratio 240 360
kill $one $three; wait $one; wait $three
box --cpuset 1 -- sh -c 'nproc; grep Cpus_allowed_list /proc/self/status; taskset 1 true 2>/dev/null || echo kept'
(box --cpuset 77 -- echo ran) 2>&1; echo "status $?"
left
"#;

const OF_PROCESSORS: &str = "cpu 0.5\ncpu 1.5\nweight\n1\nCpus_allowed_list:\t1\nkept\n\
    nsinit: cannot write cpuset.cpus: Numerical result out of range (the kernel does not accept this value)\nstatus 125\n";

const MEMORY: &str = r#"
# Below the limit, and above it: CMD, a child of CMD, and with memory.oom.group the whole container.
try() { (box --memory 20M --swap 0 --status-fd 3 "$@" 2>/dev/null 3>/tmp/status); echo "status $?"; tail -n 1 /tmp/status; left; }
try -- dd if=/dev/zero of=/dev/null bs=15M count=1
try -- dd if=/dev/zero of=/dev/null bs=25M count=1
try -- sh -c 'dd if=/dev/zero of=/dev/null bs=25M count=1; exit 3'
try --cgroup-set memory.oom.group=1 -- sh -c 'dd if=/dev/zero of=/dev/null bs=25M count=1; exit 3'
try --pids 10 -- sh -c 'while :; do dd if=/dev/zero of=/dev/null bs=25M count=1 || exit 4; done'
# Process 1 itself has no room.
for option in "" --as-pid-1 --pty --detach; do (box --memory 4K $option -- echo ran </dev/null) 2>&1; echo "status $?"; left; done
(box --memory 4K --status-fd 3 -- echo ran 3>/tmp/status) 2>&1; echo "status $?"; cat /tmp/status
while [ ! -b /dev/vda ]; do usleep 10000; done
# Twice the page cache that is permitted.
box --memory-high 10M --dev-bind /dev/vda /dev/vda -- sh -c 'cat /dev/vda >/dev/null && cat /sys/fs/cgroup/memory.current /sys/fs/cgroup/memory.events' >/tmp/high
read current </tmp/high
near high $current 1 11000000; [ $(value high /tmp/high) -gt 0 ] || echo "not slowed down"
mkswap /dev/vda >/dev/null; swapon /dev/vda
for swap in 0 2M 14M; do (box --memory 20M --swap $swap -- dd if=/dev/zero of=/dev/null bs=26M count=1 2>/dev/null); echo "swap $swap: $?"; done
swapoff /dev/vda
left
"#;

const OF_MEMORY: &str = "status 0\n{ \"exit-code\": 0 }\n\
    status 137\n{ \"signal\": 9, \"oom-killed\": true }\n\
    status 3\n{ \"exit-code\": 3, \"oom-killed\": true }\n\
    status 137\n{ \"signal\": 9, \"oom-killed\": true }\n\
    status 4\n{ \"exit-code\": 4, \"oom-killed\": true }\n\
    NO_ROOM\
    status 137\n\
    NO_ROOM\
    NO_ROOM\
    NO_ROOM\
    high\nswap 0: 137\nswap 2M: 137\nswap 14M: 0\n";

/// With --restart each start has a cgroup of its own, with all limits and new counts.
const RESTARTS: &str = r#"
cat >/box/bin/again <<'X'
cd /sys/fs/cgroup
echo $(cat memory.max pids.max) $(grep '^oom_kill ' memory.events)
ls -di . >>/tmp/cgroups
[ $(wc -l </tmp/cgroups) = 3 ] || exec dd if=/dev/zero of=/dev/null bs=25M count=1
echo enough
X
limits="--memory 20M --swap 0 --pids 10"
(box --restart on-failure --max-restarts 5/6 $limits -- sh /bin/again) 2>&1; echo "status $?"; left
sort -u /box/tmp/cgroups | wc -l
(box --restart always --max-restarts 1/60 $limits -- dd if=/dev/zero of=/dev/null bs=25M count=1) 2>&1; echo "status $?"; left
# The pids of processes that have ended do not count.
(box --restart on-failure --max-restarts 2/60 $limits -- sh -c 'while sleep 1000 & do :; done; exit 3') >/dev/null 2>&1; echo "status $?"; left
nsinit --root /box --restart always $limits -- sh -c 'echo up; exec sleep 1000' >/tmp/begun & keeper=$!
until [ -s /tmp/begun ]; do usleep 10000; done
kill -9 $keeper; wait $keeper 2>/dev/null
# The next container removes what process 1 could not.
until box --pids 10 -- true && [ ! "$(left)" ]; do usleep 100000; done
ps | grep -c '[s]leep 1000'
"#;

const OF_RESTARTS: &str = "20971520 10 oom_kill 0\n20971520 10 oom_kill 0\n20971520 10 oom_kill 0\nenough\nstatus 0\n3\n\
    nsinit: cannot restart CMD: it has ended too often (see --max-restarts)\nstatus 137\nstatus 2\n0\n";

/// Each transfer takes 2 s. The kernel counts in slices of 0.1 s.
const DISKS: &str = r#"
cat >/box/bin/transfer <<'X'
now() { read up idle </proc/uptime; echo ${up%.*}${up#*.}; }
t=$(now); dd "$@" 2>/dev/null; echo $(($(now) - t))
X
# Never faster; slower only where the machine itself is.
transfer() {
    for i in 1 2 3 4 5; do took=$(box --dev-bind /dev/vda /dev/vda --io-max $2 -- sh /bin/transfer $3); [ $took -gt 240 ] || break; done
    near $1 $took 160 240
}
read number </sys/block/vda/dev
from="if=/dev/vda of=/dev/null iflag=direct" to="if=/dev/zero of=/dev/vda oflag=direct"
transfer rbps /dev/vda:rbps=1M "$from bs=64K count=32"
transfer wbps /dev/vda:wbps=1M "$to bs=64K count=32"
transfer riops $number:riops=100 "$from bs=4K count=200"
transfer wiops $number:wiops=100,rbps=max "$to bs=4K count=200"
box --io-weight 50 -- cat /sys/fs/cgroup/io.weight
left
"#;

const OF_DISKS: &str = "rbps\nwbps\nriops\nwiops\ndefault 50\n";

/// Process 1 and CMD are two of them.
const PROCESSES: &str = r#"
for limit in 3 10; do
    box --pids $limit -- sh -c 'while sleep 1000 & do echo more; done' 2>/tmp/error >/tmp/out; wc -l </tmp/out; sed 's/.*fork: //' /tmp/error
done
for option in "" --as-pid-1; do (box --pids 1 $option -- echo ran) 2>&1; echo "status $?"; done
left
"#;

const OF_PROCESSES: &str = "1\nResource temporarily unavailable\n8\nResource temporarily unavailable\n\
    nsinit: cannot fork CMD: Resource temporarily unavailable (the cgroup's limit on processes is reached: see pids.max)\nstatus 125\n\
    ran\nstatus 0\n";

/// How often a process outside wakes up in 2 s, alone and beside a container that takes all that it can get.
const RESPONSIVE: &str = r#"
cat >/box/bin/bomb <<'X'
# The kernel kills these first.
take() { (echo 1000 >/proc/self/oom_score_adj; exec dd if=/dev/zero of=/dev/null bs=100M count=1); }
take
while :; do take; done &
b() { b | b & }; b
exec sleep 1000
X
turns() { end=$(($(now) + 200)) n=0; while [ $(now) -lt $end ]; do usleep 10000; n=$((n + 1)); done; echo $n; }
alone=$(turns)
start() { nsinit --root /box --pids 100 --memory 60M --swap 0 --cpu 0.5 -- sh /bin/bomb 2>/dev/null & launcher=$!; K=$C/nsinit-$launcher-0; }
bites() { [ $(value max $K/pids.events) -gt 0 ] && [ $(value oom_kill $K/memory.events) -gt 0 ] && [ $(value nr_throttled $K/cpu.stat) -gt 0 ]; }
start
# If the kernel has killed CMD nevertheless, once more.
until [ -e $K/cpu.stat ] && bites; do usleep 10000; kill -0 $launcher 2>/dev/null || { wait $launcher; start; }; done 2>/dev/null
for i in 1 2 3 4 5; do beside=$(($(turns) * 100 / alone)); [ $beside -lt 20 ] || break; done
near responsive $beside 20 100000
kill $launcher; wait $launcher; status=$?
# 137: the kernel has killed CMD in the meantime.
[ $status != 137 ] || status=143
echo "status $status"
left; ps | grep -c '[b]in/bomb'
"#;

const OF_RESPONSIVE: &str = "responsive\nstatus 143\n0\n";

/// Containers at the same time, each with its limits; and their end while the launchers are killed.
const CROWD: &str = r#"
for i in $(seq 100); do
    nsinit --root /box --memory 30M --pids 10 --cpu 1 -- sh -c 'echo up; read x' </tmp/go >>/tmp/up 2>&1 &
done
exec 9>/tmp/go
until [ $(wc -l </tmp/up) -ge 100 ]; do usleep 10000; done
cat $C/nsinit-*/memory.max $C/nsinit-*/pids.max $C/nsinit-*/cpu.max | sort | uniq -c
exec 9>&-
wait
left
for i in $(seq 12); do
    nsinit --root /box --memory 30M --pids 10 --cpu 1 -- sleep 1000 & launcher=$!
    usleep $((i * 7919 % 60 * 1000)); kill -9 $launcher; wait $launcher 2>/dev/null
done
# A process 1 that is about to end may still hold the lock.
until box --pids 10 -- true && [ ! "$(left)" ]; do usleep 100000; done
ps | grep -c '[s]leep 1000'
"#;

const OF_CROWD: &str = "    100 10\n    100 100000 100000\n    100 31457280\n0\n";

/// Processes that fork all the time, and that no one waits for: before Linux 5.14 they are killed one by one.
const STORM: &str = r#"
cat >/box/bin/storm <<'X'
again() { setsid sh /bin/storm again & }
again
# From here on the first one starts no process: at the limit it could not.
[ "$1" ] || { read -t 1 x <>/tmp/silent; echo storm; exit; }
again
X
mkfifo /box/tmp/silent
for option in "--share-pid" ""; do
    (box $option --pids 40 --memory 60M --grace 0 -- sh /bin/storm 2>/dev/null); echo "status $?"
    left; ps | grep -c '[b]in/storm'
done
"#;

const OF_STORM: &str = "storm\nstatus 0\n0\nstorm\nstatus 0\n0\n";

/// Runs these scripts on a machine with two processors and a disk.
fn check(scripts: &[&str], expected: &[&str]) {
    const NO_ROOM: &str = "nsinit: cannot start CMD: Cannot allocate memory (the kernel killed process 1: the container's limit on \
                           memory is too low)\nstatus 125\n";
    for kernel in kernels(&NATIVE) {
        let image = image(kernel, &format!("sh /modules\n{FUNCTIONS}{}", scripts.concat()));
        image.modules(&["virtio_pci", "virtio_blk"]);
        let disk = Image::disk("ext4");
        let options = [&["-smp", "2"][..], &disk.as_drive()].concat();
        image.start_with("", &options).finish().is(End::Off, &expected.concat().replace("NO_ROOM", NO_ROOM));
    }
}

#[test]
fn limits_of_processors_and_processes_are_what_the_options_say() {
    check(&[PROCESSORS, PROCESSES, RESPONSIVE], &[OF_PROCESSORS, OF_PROCESSES, OF_RESPONSIVE]);
}

#[test]
fn limits_of_memory_and_disks_are_what_the_options_say() {
    check(&[MEMORY, RESTARTS, DISKS], &[OF_MEMORY, OF_RESTARTS, OF_DISKS]);
}

#[test]
fn nothing_is_left_of_many_containers_and_of_a_storm_of_processes() {
    check(&["mkfifo /tmp/go\n", CROWD, STORM], &[OF_CROWD, OF_STORM]);
}
