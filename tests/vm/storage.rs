//! Every way in which something holds a file system when the machine ends. The proof is the state of the file system on
//! the disk, after the machine.

use std::process::Command;
use std::time::Duration;

use super::harness::{ALL, Disk, End, Image, Kernel, Machine, NATIVE, kernels, tool};

/// The beginning of a script: all modules, and the disks.
const DISKS: &str = "sh /modules; while [ ! -e /dev/vda ]; do sleep 0.1; done\n";

/// A program on the path at which `disk` is mounted goes on until it is killed.
const STAY: &str = "stay() { sh -c 'trap \"\" TERM; cd $0 && exec 7>>$0/open && : >$0/in && while :; do sleep 1; done' $1 & \
    while [ ! -e $1/in ]; do sleep 0.1; done; }\n";

fn image(kernel: Kernel) -> Image {
    let image = Image::new(kernel);
    image.modules(&["virtio_pci", "virtio_blk", "crc32c_generic", "ext4", "loop", "overlay", "fuse", "nfs", "nfsv3"]);
    image
}

fn start(image: &Image, disks: &[&Disk]) -> Machine {
    let options: Vec<&str> = disks.iter().flat_map(|disk| disk.as_drive()).collect();
    image.start_with("nsinit.grace=0", &options)
}

#[track_caller]
fn assert_clean(what: &str, kernel: Kernel, disk: &Disk) {
    assert!(disk.is_clean(), "{kernel:?}: {what}: the file system was neither unmounted nor made read-only");
    assert!(disk.is_consistent(), "{kernel:?}: {what}: the file system is inconsistent");
}

/// Swap files, loop devices on files, the layers of an overlay, mounts over mounts and over `/`, mount namespaces that a
/// file keeps, processes, and all of it on top of each other.
#[test]
fn file_systems_that_are_held_are_clean_at_the_end() {
    for kernel in kernels(&ALL) {
        let mut image = image(kernel);
        tool(Command::new("mke2fs").args(["-q", "-t", "ext4"]).arg(image.at("inner.img")).arg("6M"));
        let names = ["swap", "loop", "overlay", "hidden", "program", "namespace", "on /"];
        let disks: Vec<Disk> = names.iter().map(|_| Image::disk("ext4")).collect();
        image.file(
            "script",
            &format!(
                "#!/bin/sh\n{DISKS}{STAY}\
                 for name in a b c d e f; do mkdir /$name; mount -t ext4 /dev/vd$name /$name; echo data >/$name/file; done\n\
                 swap() {{ dd if=/dev/zero of=$1 bs=64k count=$2 2>/dev/null; chmod 600 $1; mkswap $1 >/dev/null; swapon $1; }}\n\
                 swap /a/swap 20; mkdir /a/bind; mount --bind /a /a/bind; stay /a/bind\n\
                 cp /inner.img /b/inner; losetup /dev/loop3 /b/inner\n\
                 mkdir /inner; mount -t ext4 /dev/loop3 /inner; echo inside >/inner/file; swap /inner/swap 10\n\
                 mkdir /c/up /c/work /over; mount -t overlay o -o lowerdir=/box,upperdir=/c/up,workdir=/c/work /over; echo upper >/over/file; stay /over\n\
                 mkdir /d/x; mount --bind /d /d/x; mount -t tmpfs t /d\n\
                 cp /bin/busybox /e; ln -s busybox /e/sleep; /e/sleep 1000 & \n\
                 umount /f; mkdir /ns; mount -t tmpfs ns /ns; mount --make-private /ns; : >/ns/kept\n\
                 unshare --mount=/ns/kept sh -c 'mount -t ext4 /dev/vdf /f; mount | grep -c /dev/vdf; echo data >/f/file'\n\
                 mount | grep -c '/dev/\\|over'; wc -l </proc/swaps; mount -t ext4 /dev/vdg /\n"
            ),
        );
        image.words(&["--", "/bin/sh", "/script"]);
        let disks: Vec<&Disk> = disks.iter().collect();
        start(&image, &disks).finish().is(End::Off, "1\n11\n3\n");
        for (what, disk) in names.iter().zip(&disks) {
            assert_clean(what, kernel, disk);
        }
        assert_eq!(disks[0].read("/file"), "data\n");
        assert_eq!(disks[2].read("/up/file"), "upper\n");
        assert_eq!(disks[5].read("/file"), "data\n");
        let inner = disks[1].extract("/inner");
        assert_clean("in a file", kernel, &inner);
        assert_eq!(inner.read("/file"), "inside\n");
    }
}

/// nsinit itself is on a disk that is not the root, and its standard output is a file there.
#[test]
fn process_1_lets_go_of_the_disk_that_it_was_started_from() {
    for kernel in kernels(&[Kernel::V5_10, Kernel::V6_12, Kernel::Arm64]) {
        let mut image = image(kernel);
        let disk = Image::disk("ext4");
        image.script(&format!(
            "#!/bin/sh\nmkdir /proc /a; mount -t devtmpfs d /dev; mount -t proc p /proc\n{DISKS}mount -t ext4 /dev/vda /a; cp /sbin/init /a/init\n\
             cd /a; exec /a/init >>/a/log 2>&1 7>>/a/other\n"
        ));
        image.dir("dev");
        image.words(&["--", "/bin/sh", "-c", "echo logged; nosuch; echo x >>/proc/1/fd/7"]);
        start(&image, &[&disk]).finish().is(End::Off, "");
        assert_clean("log", kernel, &disk);
        assert!(disk.read("/log").starts_with("logged\n"), "{:?}", disk.read("/log"));
        assert_eq!(disk.read("/other"), "x\n");
    }
}

/// The root itself is a disk, with a swap file, a loop device, process accounting, and an executable of process 1 that was
/// replaced.
#[test]
fn disk_root_is_clean_at_the_end() {
    for kernel in kernels(&NATIVE) {
        let mut initrd = image(kernel);
        let root = Image::new(kernel);
        for name in ["proc", "dev", "sys", "run"] {
            root.dir(name);
        }
        root.nsinit("sbin/init");
        root.program("vm/hold", "bin/hold");
        root.file(
            "etc/nsinit.args",
            "-- /bin/sh -c ': >/log; /bin/hold acct /log; dd if=/dev/zero of=/swap bs=64k count=20 2>/dev/null; mkswap /swap >/dev/null; swapon /swap; \
             dd if=/dev/zero of=/inner bs=64k count=10 2>/dev/null; losetup /dev/loop2 /inner; wc -l </proc/swaps; cut -d \" \" -f 1-3 /proc/mounts | grep vda; \
             cp /sbin/init /new; mv /new /sbin/init; readlink /proc/1/exe; echo data >/file'\n",
        );
        let disk = Disk::new("root");
        root.ext4(&disk.0);
        initrd.script(&format!(
            "#!/bin/sh\nmkdir /proc /new; mount -t devtmpfs d /dev; mount -t proc p /proc\n{DISKS}mount -t ext4 /dev/vda /new\n\
             exec /sbin/nsinit --switch-root /new -- /sbin/init\n"
        ));
        initrd.dir("dev");
        initrd.start_with("", &disk.as_drive()).finish().is(End::Off, "2\n/dev/vda / ext4\n/sbin/init (deleted)\n");
        assert_clean("root", kernel, &disk);
        assert_eq!(disk.read("/file"), "data\n");
    }
}

/// A file server that does not answer does not stop the end, and does not keep the rest from being clean.
#[test]
fn dead_file_servers_do_not_stop_the_end() {
    for kernel in kernels(&NATIVE) {
        let mut image = image(kernel);
        let disk = Image::disk("ext4");
        image.program("vm/hold", "bin/hold");
        image.file(
            "script",
            &format!(
                "#!/bin/sh\n{DISKS}mount -t ext4 /dev/vda /tmp; echo data >/tmp/file; mkdir /tmp/nfs /tmp/fuse\n\
                 hold fuse /tmp/fuse; ls /tmp/fuse/x & hold nfs /tmp/nfs && grep -c nfs /proc/mounts; : >/mounted; dd if=/dev/zero of=/tmp/nfs/x bs=4k count=9 & \n\
                 until [ -e /mounted ] && grep -q ':0801 ' /proc/net/tcp; do sleep 0.1; done; sleep 1; echo end\n"
            ),
        );
        image.words(&["--", "/bin/sh", "/script"]);
        let boot = start(&image, &[&disk]).finish_within(Duration::from_secs(150));
        assert_eq!(boot.end, End::Off, "{boot}");
        assert_clean("below an NFS", kernel, &disk);
        assert!(boot.log.contains("1\nend\n"), "{boot}");
    }
}
