//! `--image` on kernels that have its file systems as modules: by a loop device, and without one where the kernel
//! can.

use super::harness::{End, Image, Kernel, NATIVE, kernels};

#[test]
fn image_is_a_root_with_modules_loaded() {
    for kernel in kernels(&NATIVE) {
        let root = Image::new(kernel);
        for name in ["proc", "dev", "sys"] {
            root.dir(name);
        }
        let mut image = Image::new(kernel);
        image.nsinit("bin/nsinit");
        root.squash(&image.at("squashfs"));
        root.erofs(&image.at("erofs"));
        root.ext4(&image.at("ext4"));
        image.modules(&["loop", "squashfs", "erofs", "crc32c_generic", "ext4", "overlay"]);
        image.file(
            "script",
            "sh /modules\n\
             cd /tmp; for sort in squashfs erofs ext4; do\n\
                 nsinit --image ../$sort -- sh -c \"head -n 1 /proc/mounts | cut -d ' ' -f 1-3; touch /x\"\n\
                 nsinit --image /$sort --volatile -- sh -c 'echo new >/x; cat /x'\n\
                 nsinit --image /$sort -- sh -c \"grep -c loop /proc/partitions\"\n\
             done\n\
             n=0; while [ $n -lt 300 ] && cat /sys/block/loop*/loop/backing_file >/dev/null 2>&1; do n=$((n + 1)); sleep 0.1; done\n\
             cat /sys/block/loop*/loop/backing_file 2>/dev/null; echo end\n",
        );
        image.words(&["--", "/bin/sh", "/script"]);
        let boot = image.boot("");
        let mut expected = String::new();
        for sort in ["squashfs", "erofs", "ext4"] {
            // Overlays in a user namespace need Linux 5.11.
            let volatile = if kernel == Kernel::V5_10 {
                format!(
                    "nsinit: cannot mount an overlay on /{sort}: Operation not permitted (overlays in a user namespace need Linux 5.11)\n"
                )
            } else {
                "new\n".to_owned()
            };
            // The image is on a tmpfs, so erofs needs a loop device, too.
            expected += &format!("../{sort} / {sort}\ntouch: /x: Read-only file system\n{volatile}1\n");
        }
        boot.is(End::Off, &format!("{expected}end\n"));
    }
}

/// If a module is missing, the message names it.
#[test]
fn missing_module_is_named() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let root = Image::new(kernel);
        let mut image = Image::new(kernel);
        root.squash(&image.at("squashfs"));
        image.words(&["--image", "/squashfs", "--", "true"]);
        image.boot("").is(
            End::Off,
            "nsinit: cannot open /dev/loop-control: No such file or directory (a file is mounted by a loop device: is the module missing?)\n",
        );
        image.modules(&["loop"]);
        image.nsinit("bin/nsinit");
        image.words(&["--", "/bin/sh", "-c", "sh /modules; nsinit --image /squashfs -- true"]);
        image.boot("").is(
            End::Off,
            "nsinit: cannot mount image /squashfs: No such device (the kernel does not know this file system: is its module missing?)\n",
        );
    }
}
