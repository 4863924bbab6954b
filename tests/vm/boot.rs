//! Process 1 of a machine, from its start by the kernel to the end of the machine.

use std::time::Duration;

use super::harness::{ALL, End, Image, Kernel, NATIVE, kernels, new_path};

/// One kernel, for behaviour that is the same on all; with NSINIT_KERNELS=all, all kernels.
fn one_or_all() -> Vec<Kernel> {
    let all = std::env::var("NSINIT_KERNELS").is_ok_and(|word| word == "all");
    kernels(if all { &ALL } else { &[Kernel::V6_1] })
}

/// The state in which the command starts.
#[test]
fn machine_is_prepared_for_cmd() {
    for kernel in kernels(&ALL) {
        let mut image = Image::new(kernel);
        image.runs(
            "cut -d ' ' -f 1-3 /proc/mounts; tty; echo $PATH; umask; ls -l /dev/fd /dev/stdin | sed 's/.* .dev/dev/'; \
             ip -o addr show lo | cut -d ' ' -f 2-7; cut -d ' ' -f 1,7,8 /proc/1/stat; ls /proc/self/fd | wc -l; \
             grep SigBlk /proc/self/status; grep -c . /dev/null; echo x >/dev/shm/x && echo y >/run/y; ls -ld /dev/shm | cut -c 1-10; \
             exit 3",
        );
        image.boot("").is_whole(
            End::Off,
            "rootfs / rootfs\n\
             devtmpfs /dev devtmpfs\n\
             proc /proc proc\n\
             sysfs /sys sysfs\n\
             devpts /dev/pts devpts\n\
             tmpfs /dev/shm tmpfs\n\
             tmpfs /run tmpfs\n\
             cgroup2 /sys/fs/cgroup cgroup2\n\
             /dev/console\n\
             /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
             0022\n\
             dev/fd -> /proc/self/fd\n\
             dev/stdin -> /proc/self/fd/0\n\
             lo    inet 127.0.0.1/8\n\
             lo    inet6 ::1/128\n\
             1 0 -1\n\
             4\n\
             SigBlk:\t0000000000000000\n\
             0\n\
             drwxrwxrwt\n\
             nsinit: CMD ended with status 3\n",
        );
    }
}

/// The kernel drops what a serial line has not sent when the session on it ends, and when it switches off. Here the line is stopped by
/// Ctrl-S.
#[test]
fn last_words_reach_a_slow_console() {
    for kernel in one_or_all() {
        let mut image = Image::new(kernel);
        image.runs("echo ready; sleep 1; seq 500; echo over >/dev/ttyS1");
        let other = new_path("line");
        let mut machine = image.start_with("", &["-serial", &format!("file:{}", other.display())]);
        machine.expect("ready");
        machine.enter("\x13");
        while std::fs::read(&other).is_ok_and(|text| text.is_empty()) {
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(500));
        machine.enter("\x11");
        let lines: String = (1..=500).map(|number| format!("{number}\n")).collect();
        machine.finish().is_whole(End::Off, &format!("ready\n{lines}"));
        let _ = std::fs::remove_file(other);
    }
}

/// The kernel's command line, with parts for nsinit and for others; the arguments file; and neither.
#[test]
fn command_line_and_args_file_select_cmd() {
    for kernel in kernels(&[Kernel::V5_10, Kernel::V6_12]) {
        let mut image = Image::new(kernel);
        image.words(&["--on-exit", "halt", "--", "sh", "-c", "echo \"file's\"  $0 $1; exec true", "a  b", ""]);
        image.boot("nsinit.nope -- nosuch").is(End::Off, "nsinit: unknown option '--nope' (see nsinit --help)\n");
        image.boot("").is(End::Halt, "file's a b\n");
        // Options on the kernel's command line also apply with the file, and take precedence.
        image.boot("nsinit.on-exit=reboot").is(End::Restart, "file's a b\n");
        image.boot("x=y -- /bin/echo 'one  two' \"three\" --x").is(End::Off, "one  two three --x\n");
        image.boot("-- --root /box --hostname=box -- hostname").is(End::Off, "box\n");
    }
}

/// Without a command, a shell runs on the console, with job control.
#[test]
fn shell_runs_on_the_console_without_cmd() {
    for kernel in kernels(&ALL) {
        let image = Image::new(kernel);
        let mut machine = image.start("");
        machine.expect("# ");
        machine.enter("echo $((6 * 7)); tty; sleep 1000; echo status $((1000 + $?))\n");
        machine.expect("42\n/dev/console\n");
        // ^C reaches the foreground process group.
        machine.press("\u{3}", "# ");
        machine.enter("echo again $((6 * 7)); sleep 1000\n");
        machine.expect("again 42\n");
        machine.press("\u{1a}", "Stopped");
        machine.enter("exit\n");
        machine.expect("stopped jobs");
        machine.enter("exit\n");
        let boot = machine.finish();
        assert!(boot.end == End::Off && !boot.log.contains("job control"), "{boot}");
    }
}

#[test]
fn on_exit_and_respawn_select_what_follows_cmd() {
    for kernel in one_or_all() {
        let mut image = Image::new(kernel);
        image.runs("echo ran");
        for (at_end, end) in [("poweroff", End::Off), ("reboot", End::Restart), ("halt", End::Halt)] {
            image.boot(&format!("nsinit.on-exit={at_end}")).is(end, "ran\n");
        }
        let mut machine = image.start("nsinit.on-exit=shell");
        machine.expect("# ");
        machine.enter("exit\n");
        assert_eq!(machine.finish().end, End::Off);
        // The third run ends the machine.
        image.runs("echo run; echo x >>/n; [ $(wc -l </n) = 3 ] && kill -USR1 1 && sleep 1000");
        let again = |pause| format!("run\nnsinit: CMD ended with status 1\nnsinit: CMD starts again in {pause} s\n");
        let last = "run\nnsinit: CMD died of signal 15\n";
        image.boot("nsinit.respawn").is_whole(End::Halt, &format!("{}{}{last}", again(1), again(2)));
    }
}

/// The signals of busybox init and of systemd; processes get time to end.
#[test]
fn shutdown_signals_end_the_machine() {
    const MEANT: [(&str, End); 8] = [
        ("TERM", End::Restart),
        ("INT", End::Restart),
        ("39", End::Restart),
        ("USR1", End::Halt),
        ("37", End::Halt),
        ("USR2", End::Off),
        ("PWR", End::Off),
        ("38", End::Off),
    ];
    for kernel in kernels(&ALL) {
        let all = kernel == Kernel::V6_1;
        for (signal, end) in MEANT.into_iter().step_by(if all { 1 } else { 5 }) {
            let mut image = Image::new(kernel);
            // A shell may print a line on stderr when its sleep(1) is killed.
            image.runs(&format!(
                "trap 'echo bye; exit 0' TERM; sh -c 'trap \"echo too; exit\" TERM; : >/in; while :; do sleep 0.1; done' 2>/dev/null & \
                 while [ ! -e /in ]; do sleep 0.1; done; kill -{signal} 1; wait"
            ));
            image.boot("").is(end, "bye\ntoo\n");
        }
    }
}

/// The kernel sends the keys as a signal.
#[test]
fn ctrl_alt_del_restarts_the_machine() {
    for kernel in kernels(&[Kernel::V6_1, Kernel::V7]) {
        let mut image = Image::new(kernel);
        image.modules(&["i8042", "atkbd"]);
        // The kernel finds the keyboard a moment after its driver is loaded.
        image.runs(
            "sh /modules; trap 'echo asked; exit' TERM; until grep -q 'Handlers=.*kbd' /proc/bus/input/devices; do sleep 0.1; done; \
             echo up; while :; do sleep 0.1; done",
        );
        let mut machine = image.start_monitored();
        machine.expect("up\n");
        machine.monitor("sendkey ctrl-alt-delete");
        machine.finish().is(End::Restart, "up\nasked\n");
    }
}

/// Data is written, and file systems are unmounted, before the machine ends.
#[test]
fn file_systems_are_unmounted_at_shutdown() {
    for kernel in kernels(&NATIVE) {
        let disk = Image::disk("ext4");
        let mut image = Image::new(kernel);
        image.modules(&["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "loop"]);
        image.runs(
            "sh /modules; while [ ! -e /dev/vda ]; do sleep 0.1; done; mkdir /a; mount -t ext4 /dev/vda /a && echo data >/a/file && mkdir /a/b && mount -t tmpfs t /a/b && \
             mkdir /a/b/c && mount --bind /a /a/b/c && cd /a/b/c && : >/in && sleep 1000 & while [ ! -e /in ]; do sleep 0.1; done; trap '' TERM; [ -e /a/file ] && echo mounted",
        );
        image.start_with("nsinit.grace=0", &disk.as_drive()).finish().is(End::Off, "mounted\n");
        assert!(disk.is_clean(), "{kernel:?}: the file system was not unmounted");
        assert_eq!(disk.read("/file"), "data\n");
    }
}

/// Whatever the command does, the kernel does not panic.
#[test]
fn kernel_never_panics_whatever_cmd_does() {
    for kernel in one_or_all() {
        for (script, end) in [
            ("kill -9 -1", End::Off),
            ("kill -9 $PPID", End::Off),
            ("kill -SEGV 1; sleep 1000", End::Off),
            (
                "for s in 1 3 4 5 6 7 8 9 11 13 14 17 18 19 20 21 22 23 24 25 26 27 28 29 31 34 64; do kill -$s 1; done; sleep 1000",
                End::Off,
            ),
            ("reboot -f", End::Restart),
            ("umount -l /proc; umount -l /sys; umount -l /dev; rm -rf /dev /init /etc", End::Off),
            ("exec >/dev/null 2>&1 <&-; echo b >/dev/full", End::Off),
            ("for i in 1 2 3 4 5 6 7 8 9; do (sleep 0.01 & sleep 1000 &) ; done", End::Off),
            ("ulimit -u 1; :(){ :|: & }; :", End::Off),
        ] {
            let mut image = Image::new(kernel);
            image.runs(script);
            let boot = image.boot("nsinit.grace=1");
            assert_eq!(boot.end, end, "{script}: {boot}");
        }
    }
}

/// Process 1 continues without the file systems that it usually has.
#[test]
fn machine_works_without_proc_sys_and_run() {
    for kernel in one_or_all() {
        // A read-only root without directories to mount on.
        let mut image = Image::new(kernel);
        image.script("#!/bin/sh\nmount -o remount,ro none /\nexec /sbin/init\n");
        let told: String = ["/proc", "/sys", "/run"]
            .map(|place| {
                format!(
                    "nsinit: cannot mount {place}: Read-only file system (it does not exist and the root is read-only: create it first)\n"
                )
            })
            .concat();
        image.boot("-- echo ran").is(End::Off, &format!("{told}ran\n"));
        // The kernel permits a new procfs in a user namespace only if a whole one is visible; root without a user
        // namespace needs no such permission.
        let [line, shared] = if kernel == Kernel::V5_10 {
            ["nsinit: cannot bind mount /box: No such file or directory (before Linux 5.12 this needs a mounted /proc)\n";
                2]
        } else {
            ["nsinit: cannot mount proc on /proc: Operation not permitted (no /proc is mounted outside)\n", "0\n"]
        };
        image.boot("-- --root /box -- true").is(End::Off, &format!("{told}{line}"));
        image.boot("-- --root /box --share-user -- id -u").is(End::Off, &format!("{told}{shared}"));
        // An empty initramfs.
        let image = Image::empty(kernel);
        image.boot("").is(End::Off, "nsinit: cannot execute /bin/sh: No such file or directory\n");
        image.boot("-- --root /box").is(End::Off, "nsinit: cannot open root /box: No such file or directory\n");
    }
}

/// Without a console, messages go to the kernel log, and the command still has standard descriptors.
#[test]
fn messages_go_to_the_kernel_log_without_a_console() {
    // arm64's kernel prints nothing in that case.
    for kernel in one_or_all().into_iter().filter(|kernel| !kernel.is_arm64()) {
        let mut image = Image::new(kernel);
        image.runs("n=$(ls -l /proc/self/fd | grep -c ' [012] -> /dev/null$'); echo \"null $n\" >/dev/kmsg");
        let boot = image.boot("console=hvc7 earlyprintk=ttyS0,keep loglevel=7");
        let told = ["nsinit: cannot open /dev/console: ", "null 2\n"].iter().all(|text| boot.log.contains(text));
        assert!(boot.end == End::Off && told, "{boot}");
    }
}

/// If the kernel has no devtmpfs, nsinit makes the devices.
#[test]
fn devices_are_made_without_devtmpfs() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        image.program("vm/faulty", "bin/faulty");
        image.script("#!/bin/faulty mount=devtmpfs\n");
        image.words(&[
            "--",
            "sh",
            "-c",
            "ls -1 /dev; echo ran >/dev/tty; mount | grep ' /dev ' | cut -d , -f 1-3; ls -l /dev/null | cut -c 1-10",
        ]);
        image.boot("").is(
            End::Off,
            "nsinit: cannot mount /dev: No such device (the kernel has no devtmpfs: /dev has the usual devices only)\n\
             console\nfd\nfull\ninput\nkmsg\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\nran\n\
             tmpfs on /dev type tmpfs (rw,nosuid,noexec\ncrw-rw-rw-\n",
        );
    }
}

/// If the kernel has no ptys, that is printed once, and a container has no /dev/pts.
#[test]
fn container_without_ptys_has_no_dev_pts() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        image.program("vm/faulty", "bin/faulty");
        image.script("#!/bin/faulty mount=devpts\n");
        let told = "nsinit: cannot mount /dev/pts: No such device (the kernel has no ptys)\n";
        image.boot("-- --root /box --share-terminal -- ls -1 /dev").is(
            End::Off,
            &format!("{told}console\nfd\nfull\nmqueue\nnull\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n"),
        );
        image.boot("-- --root /box -- true").is(
            End::Off,
            &format!("{told}nsinit: cannot mount devpts on /dev's pts: No such device (the kernel has no ptys: use --share-terminal)\n"),
        );
    }
}
