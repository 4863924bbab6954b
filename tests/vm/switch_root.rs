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
    grep SigBlk /proc/self/status; wc -c </sys/fs/cgroup/cgroup.subtree_control; poweroff -f\n";

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
                 / /dev /dev/pts /dev/shm /proc /run /sys /sys/fs/cgroup /dev/console\n1\nSigBlk:\t0000000000000000\n0\n"
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

/// A root in a file, selected by the command line alone. It has the name that the user gave it, and its device files work.
#[test]
fn switch_root_accepts_an_image() {
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        let root = Image::new(kernel);
        root.file(
            "sbin/init",
            "#!/bin/sh\necho $$; cut -d ' ' -f 1-3 /proc/mounts | grep ' / ' | tail -n 1; \
             grep -c '^/root.img .*nodev' /proc/mounts; df / | grep -o '^/root.img'; touch /x; poweroff -f\n",
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
        image.boot("").is(End::Off, "1\n/root.img / squashfs\n0\n/root.img\ntouch: /x: Read-only file system\n");
    }
}

/// As OpenWrt's: what is written to a read-only root goes to memory. The operations prepare the new root, by its own paths.
#[test]
fn volatile_root_is_prepared_and_forgets() {
    const INIT: &str = "#!/bin/sh\n\
        cut -d ' ' -f 2,3 /proc/mounts | grep -E '^/ |/srv|/etc/net' | tail -n 3\n\
        echo written >/etc/new && cat /etc/new; stat -c '%a %F' /srv/made /link; cat /etc/net/file; readlink /link\n\
        rm /etc/old; ls -1 /etc; poweroff -f\n";
    for kernel in kernels(&NATIVE) {
        let mut image = Image::new(kernel);
        let root = Image::new(kernel);
        root.file("sbin/init", INIT);
        root.file("etc/old", "old\n");
        for name in ["dev", "proc", "sys", "run", "srv", "etc/net"] {
            root.dir(name);
        }
        root.squash(&image.at("root.img"));
        image.file("of-initramfs/file", "carried\n");
        image.modules(&["squashfs", "loop", "overlay"]);
        image.dir("new");
        // A bind in place needs mount_setattr(2), of Linux 5.12; the tmpfs is there in any case.
        let (bind, line) = if kernel == Kernel::V5_10 {
            ("--dir /etc/net --symlink /srv/file /etc/net/file", "")
        } else {
            ("--ro-bind /of-initramfs /etc/net", "/etc/net tmpfs\n")
        };
        image.script(&format!(
            "#!/bin/sh\nmount -t tmpfs none /of; cp -a /of-initramfs/. /of 2>/dev/null; sh /modules\n\
             exec nsinit --switch-root /new --image /root.img --volatile --tmpfs /srv --perms 0700 --dir /srv/made \
             --symlink srv/made /link {}\n",
            bind.replace("/of-initramfs", "/of")
        ));
        image.dir("of");
        let file = if kernel == Kernel::V5_10 { "" } else { "carried\n" };
        let missing =
            if kernel == Kernel::V5_10 { "cat: can't open '/etc/net/file': No such file or directory\n" } else { "" };
        image.boot("").is(
            End::Off,
            &format!(
                "/ overlay\n/srv tmpfs\n{line}written\n700 directory\n777 symbolic link\n{file}{missing}srv/made\nnet\nnew\n"
            ),
        );
    }
}

/// The writes go to a disk, which is below /run and so moves along: they are there after a restart, and the disk is clean.
#[test]
fn overlay_root_keeps_what_is_written_over_a_reboot() {
    const SCRIPT: &str = "#!/bin/sh\n\
        mkdir -p /proc /dev /run; mount -t proc proc /proc; mount -t devtmpfs dev /dev; mount -t tmpfs none /run; sh /modules\n\
        mkdir -p /run/data; mount -t ext4 /dev/vda /run/data; mkdir -p /run/data/upper /run/data/work /new\n\
        exec nsinit --switch-root /new --image /root.img";
    for kernel in kernels(&NATIVE) {
        let root = Image::new(kernel);
        root.nsinit("sbin/init");
        let count =
            "echo x >>/etc/boots; cat /etc/boots; rm /etc/old 2>/dev/null || echo gone; ls -1 /run/data/upper/etc";
        root.file("etc/nsinit.args", &format!("-- sh -c '{count}'\n"));
        root.file("etc/old", "old\n");
        for name in ["dev", "proc", "sys", "run"] {
            root.dir(name);
        }
        let mut image = Image::new(kernel);
        root.squash(&image.at("root.img"));
        image.modules(&["squashfs", "loop", "overlay", "virtio_pci", "virtio_blk", "crc32c_generic", "ext4"]);
        image.script(&format!("{SCRIPT} --overlay-root /run/data/upper /run/data/work\n"));
        let disk = Image::disk("ext4");
        let boot = || image.start_with("", &disk.as_drive()).finish();
        boot().is(End::Off, "x\nboots\nold\n");
        assert!(disk.is_clean(), "{kernel:?}");
        boot().is(End::Off, "x\nx\ngone\nboots\nold\n");
        assert!(disk.is_clean(), "{kernel:?}");
        // The files of the initramfs are removed. Since Linux 7.0 none is: the overlay keeps the initramfs alive, as memory.
        if kernel == Kernel::V7 {
            continue;
        }
        image.script(&format!("{SCRIPT} --overlay-root /bin /sbin\n"));
        image.start_with("", &disk.as_drive()).finish().is(
            End::Off,
            "nsinit: cannot mount an overlay on /bin: Invalid argument (it is in the initramfs, and the files of that are removed)\n",
        );
    }
}
