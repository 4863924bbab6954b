//! `--switch-root`: from an initramfs to the real root.

use super::harness::{ALL, End, Image, Kernel, NATIVE, kernels};

/// The begin of the script that is /init: it makes a new root, with an init that prints its state.
const NEW: &str = "#!/bin/sh\n\
    mkdir -p /proc /new /kept /run; mount -t proc proc /proc; mount -t tmpfs none /new; mount -t tmpfs none /kept; cp -a /box/. /new\n\
    mount -t tmpfs none /run; echo kept >/run/x; echo kept >/kept/x; \n\
    mkdir -p /deep/a/b/c; echo x >/deep/a/b/c/d; ln -s /new /deep/link; mkfifo /deep/fifo\n\
    mkdir /new/sbin; cp /probe /new/sbin/init\n";

/// A file whose memory must be freed.
const BIG: &str = "yes | head -c 60000000 >/big; before=$(grep MemFree /proc/meminfo | tr -dc 0-9); export before\n";

/// The new init is process 1, and has its arguments and the earlier mounts; the initramfs, and nothing else, has been
/// emptied: at once where its files were removed, a moment later where the kernel dropped it as a whole.
const PROBE: &str = "#!/bin/sh\n\
    echo $$ \"$@\"; n=0; while [ $n -lt 300 ]; do n=$((n + 1))\n\
    after=$(grep MemFree /proc/meminfo | tr -dc 0-9); [ $((after - before)) -gt 40000 ] && echo freed && break; sleep 0.1; done\n\
    ls -1 /; cat /run/x; [ ! -e /proc/self/fd/8 ] || cat <&8; cut -d ' ' -f 2 /proc/mounts | sort | tr '\\n' ' '; tty; grep -c . /proc/sys/kernel/ctrl-alt-del\n\
    grep SigBlk /proc/self/status; poweroff -f\n";

#[test]
fn switch_root_runs_the_new_init_and_frees_the_initramfs() {
    for kernel in kernels(&ALL) {
        let mut image = Image::new(kernel);
        image.file("probe", PROBE);
        // Since Linux 7.0 nothing is removed: the kernel drops the root as a whole, once no process has a file of it
        // open.
        let (open, kept) = if kernel == Kernel::V7 { ("", "") } else { ("exec 8</kept/x; ", "kept\n") };
        image.script(&format!("{NEW}{BIG}{open}exec nsinit --switch-root /new -- /sbin/init one 'two  three'\n"));
        image.boot("").is(
            End::Off,
            &format!(
                "1 one two  three\nfreed\nbin\ndev\netc\nproc\nrun\nsbin\nsys\ntmp\nkept\n{kept}\
                 / /dev /dev/pts /dev/shm /proc /run /sys /sys/fs/cgroup /dev/console\n1\nSigBlk:\t0000000000000000\n"
            ),
        );
    }
}

/// nsinit does not switch to a root in which it could not continue.
#[test]
fn switch_root_refuses_unusable_roots() {
    for kernel in kernels(&[Kernel::V6_1, Kernel::V7]) {
        let mut image = Image::new(kernel);
        image.file("probe", PROBE);
        let nope = "nsinit --boot --switch-root";
        for (words, line) in [
            (
                "/new -- /sbin/nope",
                "execute /sbin/nope: No such file or directory (in the new root; nothing was switched)",
            ),
            ("/box -- /bin/sh", "switch to root /box: it is not the mount point of another file system"),
            ("/nowhere", "switch to root /nowhere: No such file or directory"),
        ] {
            image.script(&format!("{NEW}cp /probe /new/probe\nexec {nope} {words}\n"));
            let mut machine = image.start("");
            machine.expect(line);
            let boot = machine.finish();
            assert_eq!(boot.end, End::Off, "{boot}");
        }
    }
}

/// A root in a file, selected by the command line alone.
#[test]
fn switch_root_accepts_an_image() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        let root = Image::new(kernel);
        root.file(
            "sbin/init",
            "#!/bin/sh\necho $$; cut -d ' ' -f 2,3 /proc/mounts | grep '^/ ' | tail -n 1; touch /x; poweroff -f\n",
        );
        for name in ["dev", "proc", "sys", "run"] {
            root.dir(name);
        }
        root.squash(&image.at("root.img"));
        image.modules(&["squashfs", "loop"]);
        image.dir("new");
        image.script(
            "#!/bin/sh\nmount -t devtmpfs dev /dev; sh /modules\nexec nsinit --switch-root /new --image /root.img\n",
        );
        image.boot("").is(End::Off, "1\n/ squashfs\ntouch: /x: Read-only file system\n");
    }
}
