//! Kernel modules in the image: `scripts/initramfs --modules`, and what nsinit does with its list.

use super::harness::{End, Image, Kernel, NATIVE, kernels, new_path};

/// With the driver of the disk and its file system as modules, compressed ones among them, `root=` finds the disk.
#[test]
fn modules_are_loaded_before_the_disk_is_looked_for() {
    for kernel in kernels(&NATIVE) {
        let root = Image::new(kernel);
        for name in ["dev", "proc", "sys", "run"] {
            root.dir(name);
        }
        root.file("sbin/init", "#!/bin/sh\ncut -d ' ' -f 1-3 /proc/mounts | grep ' / ' | tail -n 1; poweroff -f\n");
        let image = Image::empty(kernel);
        let disk = new_path("squashfs");
        root.squash(&disk);
        // Some packages lack the list of what is built in, without which modprobe(8) misses that.
        let list = if kernel == Kernel::V7 { "virtio_blk,squashfs" } else { "virtio_pci,virtio_blk,squashfs" };
        let initrd = image.pack_with_modules(list);
        let drive = format!("file={},format=raw,if=virtio,readonly=on", disk.display());
        let boot = image.boot_packed_with(initrd, "root=/dev/vda", &["-drive", &drive]);
        boot.is(End::Off, "/dev/vda / squashfs\n");
        let _ = std::fs::remove_file(&disk);
    }
}

/// A module that cannot be loaded is named, and the machine boots on.
#[test]
fn module_that_cannot_be_loaded_is_a_warning() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let mut image = Image::new(kernel);
        image.file("etc/nsinit.modules", "# none of these is one\n\n/nope.ko\n/bin/busybox debug=1\n");
        image.words(&["--", "/bin/echo", "on"]);
        image.boot("").is(
            End::Off,
            "nsinit: cannot load module /nope.ko: No such file or directory\n\
             nsinit: cannot load module /bin/busybox: Operation not supported\non\n",
        );
    }
}
