//! Limits of containers: a machine with all controllers in version 2. One boot for each kernel.

use super::harness::{End, Image, NATIVE, kernels};

/// The user's cgroup is delegated, and has no process but nsinit.
const SCRIPT: &str = r#"
C=/sys/fs/cgroup
# The machine is prepared: process 1 is in the root of the tree, as is the command.
for name in cpu cpuset io memory pids; do grep -qw $name $C/cgroup.subtree_control || echo "no $name"; done
cat /proc/1/cgroup /proc/self/cgroup; grep -c cgroup2.*nsdelegate /proc/mounts
# As systemd-run --user --scope -p Delegate=yes: a scope without other processes, which the user's manager has made. No controller is
# enabled in it.
S=user.slice/user-1000.slice/user@1000.service U=$C/$S/app.slice/run-r1.scope
mkdir -p $U; d=$C; for part in user.slice user-1000.slice user@1000.service app.slice; do
    echo "+memory +pids +cpu +cpuset +io" >$d/cgroup.subtree_control; d=$d/$part
done; echo "+memory +pids +cpu +cpuset +io" >$d/cgroup.subtree_control
for d in $C/$S $C/$S/app.slice $U; do for f in . cgroup.procs cgroup.subtree_control cgroup.threads; do chown 1000 $d/$f; done; done
cat >/bin/delegated <<X
#!/bin/sh
echo 0 >$U/cgroup.procs
exec su u -c 'exec "\$@"' -- sh "\$@"
X
chmod 755 /bin/delegated
left() { ls -d $C/nsinit-* $U/nsinit-* 2>/dev/null; cat $U/cgroup.subtree_control $U/cgroup.procs; }
mkdir /again
for by in "" delegated; do
    # A further mount without the option takes it away.
    [ -z "$by" ] || { mount -t cgroup2 none /again; umount /again; }
    echo "by ${by:-root}"
    box() { $by nsinit --root /box "$@"; }
    # Born inside, with the limits.
    box --memory 20M --memory-high 18M --swap 0 --pids 20 --cpu 0.5 --cpu-weight 50 --cpuset 0 --cgroup-set memory.oom.group=0 -- \
        sh -c 'cat /proc/self/cgroup; cd /sys/fs/cgroup; cat memory.max memory.high pids.max cpu.max cpu.weight cpuset.cpus; mkdir x 2>/dev/null || echo no'
    left
    # Memory: the process that takes too much is killed, and that is reported.
    (box --memory 20M --status-fd 3 -- dd if=/dev/zero of=/dev/null bs=64M count=1 3>/tmp/status 2>/dev/null); echo "status $?"
    tail -n 1 /tmp/status
    left
    # Processes: fork(2) answers EAGAIN.
    (box --pids 5 -- sh -c 'for i in 1 2 3 4 5 6; do sleep 100 & done; echo not reached' 2>&1 | sed 's/.*fork: //'; box --pids 5 -- true; echo "status $?")
    left
    # Processor time: a fifth of it.
    box --cpu 0.2 -- sh -c 2>/dev/null '
        timeout 4 sh -c "while :; do :; done" 2>/dev/null
        while read name value; do case $name in usage_usec) usage=$value;; nr_throttled) count=$value;; esac; done </sys/fs/cgroup/cpu.stat
        [ $count -gt 5 ] && [ $usage -gt 200000 ] && [ $usage -lt 2000000 ] && echo throttled || echo "$count $usage"'
    left
    # A fork bomb.
    box --pids 30 --memory 60M --cpu 0.5 --grace 0 -- sh -c 'b() { b | b & }; b 2>/dev/null; sleep 2; echo alive' 2>/dev/null
    left
    # The launcher is killed: the container ends, and the next launch removes the cgroup.
    : >/tmp/up; $by nsinit --root /box --pids 7 -- sh -c 'echo up; exec sleep 1000' >/tmp/up &
    until [ -s /tmp/up ]; do usleep 10000; done; kill -9 $!; wait $! 2>/dev/null
    rest=$(ls -d $C/nsinit-* $U/nsinit-* 2>/dev/null | grep -v launcher); echo "$rest" | wc -l
    until grep -qx 'populated 0' $rest/cgroup.events; do usleep 10000; done
    # The controller that it has left enabled lets a process in, but no limited cgroup below that has processes.
    box --pids 7 -- true; echo "status $?"
    left
    # A pid namespace that is shared: what is left is killed.
    box --share-pid --pids 9 --grace 0 -- sh -c '(setsid sleep 777 &) ; echo ran'; ps | grep -c '[s]leep 777'
    left
    # The container limits cgroups of its own, and cannot raise its limits.
    grep -c cgroup2.*nsdelegate /proc/mounts
    box --cgroup-delegate --memory 20M --swap 0 --pids 30 --cpu-weight 50 -- sh -c '
        cd /sys/fs/cgroup; cat memory.max cpu.weight; mkdir a b; for p in $(cat cgroup.procs); do echo $p >a/cgroup.procs; done 2>/dev/null
        echo "+memory +pids" >cgroup.subtree_control; for f in memory.max pids.max; do (echo max >$f) 2>/dev/null; done; cat memory.max
        echo 3 >b/pids.max; echo 0 >b/cgroup.procs; e=$( (for i in 1 2 3 4 5 6; do sleep 100 >/dev/null 2>&1 & done; echo not reached) 2>&1); echo "${e##*fork: }"
        echo 0 >a/cgroup.procs; e=$( (for i in $(seq 40); do sleep 100 >/dev/null 2>&1 & done; echo not reached) 2>&1); echo "${e##*fork: }"'
    left
    box --cgroup-delegate --memory 20M --swap 0 -- sh -c '(echo max >/sys/fs/cgroup/memory.max) 2>/dev/null; dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; echo "status $?"'
    left
    # A container in it, and one in that.
    box --cgroup-delegate --memory 60M --swap 0 --allow-nesting -- sh -c '
        nsinit --root / --share-pid --allow-nesting --cgroup-delegate --memory 40M -- sh -c "
            cat /sys/fs/cgroup/memory.max; nsinit --root / --share-pid --no-sys --allow-nesting --memory 20M -- dd if=/dev/zero of=/dev/null bs=30M count=1 2>/dev/null; echo status \$?
            dd if=/dev/zero of=/dev/null bs=30M count=1 2>/dev/null && echo enough"'
    left
    # Without CLONE_INTO_CGROUP, as under a filter, the launcher is in the cgroup for a moment.
    box --pids 1 --as-pid-1 -- sh -c 'read n </sys/fs/cgroup/pids.max; echo $n $$; sleep 1; echo no' 2>&1 | sed 's/.*fork: //'
    for more in "" --cgroup-delegate; do
        $by env NSINIT_FAULTS=435:38 faulty nsinit --root /box --pids 1 --as-pid-1 $more -- sh -c 'read n </sys/fs/cgroup/pids.max; echo $n $$; sleep 1; echo no' 2>&1 | sed 's/.*fork: //'
    done
    left
done
# Without a user namespace, where root of the container owns all files of its cgroup.
nsinit --root /box --share-user --cgroup-delegate --memory 20M --swap 0 -- sh -c '(echo max >/sys/fs/cgroup/memory.max) 2>/dev/null; cat /sys/fs/cgroup/memory.max; dd if=/dev/zero of=/dev/null bs=64M count=1 2>/dev/null; echo "status $?"'
# What enters is limited too.
nsinit --root /box --pids 9 --detach --pid-file /tmp/pid -- sleep 1000
nsinit --enter /tmp/pid -- sh -c 'cat /proc/self/cgroup; (for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done) 2>/dev/null || echo limited'
kill $(cat /tmp/pid); while [ -e /tmp/pid ]; do sleep 0.1; done
# A process of another program in the cgroup.
mkdir $C/busy; sh -c "echo 0 >$C/busy/cgroup.procs; nsinit --root /box --memory 20M -- true; echo status \$?"; rmdir $C/busy
nsinit --root /box --io-max 999:0:rbps=1M -- true; echo "status $?"
left
"#;

/// For each user: born inside, memory, processes, processor time, fork bomb, killed launcher, shared pids, delegation, nesting, clone(2).
const FIRST: &str = "0::/\n0::/\n1\n";
const FOR_EACH: &str = "0::/\n20971520\n18874368\n20\n50000 100000\n50\n0\nno\n\
    status 137\n{ \"signal\": 9, \"oom-killed\": true }\n\
    Resource temporarily unavailable\nstatus 0\n\
    throttled\n\
    alive\n\
    1\nstatus 0\n\
    ran\n0\n\
    DELEGATED\nResource temporarily unavailable\nResource temporarily unavailable\nstatus 137\n\
    41943040\nstatus 137\nenough\n\
    1 1\nResource temporarily unavailable\n1 1\nResource temporarily unavailable\n1 1\nResource temporarily unavailable\n";
/// With nsdelegate, and without: the own limit, as it is and after the container tried to raise it.
const DELEGATED: [&str; 2] = ["1\n20971520\n50\n20971520", "0\n20971520\n50\nmax"];
const LAST: &str = "max\nstatus 137\n0::/\nlimited\n\
    nsinit: cannot enable cgroup controller memory: Device or resource busy (it has other processes: start nsinit alone in a cgroup, \
    with systemd-run --scope -p Delegate=yes)\nstatus 125\n\
    nsinit: cannot write io.max: No such device (there is no such block device, or it is a partition: only whole disks have limits)\n\
    status 125\n";

#[test]
fn limits_hold_and_nothing_is_left() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        image.program("vm/faulty", "bin/faulty");
        image.file("etc/passwd", "root:x:0:0::/:/bin/sh\nu:x:1000:1000::/tmp:/bin/sh\n");
        for path in ["bin/nsinit", "box/bin/nsinit"] {
            image.nsinit(path);
        }
        image.file("script", &format!("dmesg -n 1\nchmod 1777 /tmp /box/tmp\n{SCRIPT}"));
        image.words(&["--", "/bin/sh", "/script"]);
        let boot = image.boot("");
        let [root, user] = DELEGATED.map(|lines| FOR_EACH.replace("DELEGATED", lines));
        boot.is(End::Off, &format!("{FIRST}by root\n{root}by delegated\n{user}{LAST}"));
    }
}
