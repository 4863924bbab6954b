//! Containers in an initramfs, which pivot_root(2) cannot leave before Linux 7.0: they work as on any other machine.

use super::harness::{ALL, End, Image, Kernel, NATIVE, for_armv7, kernels};

/// An image with a script; in it `root` and `user` run a command as root and as an ordinary user.
pub fn image(kernel: Kernel, script: &str) -> Image {
    let mut image = Image::new(kernel);
    image.file("etc/passwd", "root:x:0:0::/:/bin/sh\nu:x:1000:1000::/tmp:/bin/sh\n");
    image.nsinit("bin/nsinit");
    image.file("bin/root", "#!/bin/sh\nexec sh -c \"$*\"\n");
    image.file("bin/user", "#!/bin/sh\nexec su u -c \"$*\"\n");
    image.file("script", &format!("dmesg -n 1\nchmod 1777 /tmp /box/tmp\n{script}\n"));
    image.words(&["--", "/bin/sh", "/script"]);
    image
}

/// With two processors a helper makes the network, with one process 1 does.
fn on_one_and_two_processors(image: &Image, expected: &str) {
    for processors in ["1", "2"] {
        image.start_with("", &["-smp", processors]).finish().is(End::Off, expected);
    }
}

#[test]
fn containers_work_in_an_initramfs() {
    for kernel in kernels(&ALL) {
        let image = image(
            kernel,
            "cd /box; for by in root user; do \
                 ($by nsinit --root /box --hostname box -- sh -c \"'hostname; id -u; ls -C /; ls /proc/self/fd | wc -l; exit 7'\"); echo $?; \
             done; \
             nsinit --root . --read-only -- touch /x; nsinit --root /box --as-pid-1 --bind /etc /mnt -- sh -c 'echo $$; ls -1 /mnt'; \
             nsinit --ro-bind / / --unshare-user --unshare-pid --proc /proc --dev /dev -- sh -c 'id -u; echo $$; ls -d /init'; \
             nsinit --root /box --detach --pid-file /tmp/pid -- sleep 1000; nsinit --enter /tmp/pid -- sh -c 'ps | grep -c [s]leep'; \
             kill $(cat /tmp/pid); while [ -e /tmp/pid ]; do sleep 0.1; done; wc -l </proc/mounts",
        );
        let confined = "box\n0\nbin  dev  etc  proc  sys  tmp\n4\n7\n";
        let confined = confined.replace("bin  dev  etc  proc  sys  tmp", "bin   dev   etc   proc  sys   tmp");
        on_one_and_two_processors(
            &image,
            &format!(
                "{confined}{confined}touch: /x: Read-only file system\n1\nnsinit.args\npasswd\n0\n2\n/init\n1\n8\n"
            ),
        );
    }
}

/// The attack on every launch that moves its root: with CAP_SYS_ADMIN umount2("/"), then setns(2) into the own mount
/// namespace. Here it ends at the container's root again.
#[test]
fn container_cannot_reach_the_initramfs() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "mkdir /data; for by in root user; do for o in '' '--seccomp-profile none' '--cap-add ALL' '--cap-add SYS_ADMIN' '--as-pid-1 --cap-add ALL' \
                 '--bind /data /mnt --cap-add ALL' '--volatile --cap-add ALL'; do \
                     ($by nsinit --root /box $o -- /bin/attack); done; \
                 ($by nsinit --unshare-all --ro-bind /box / --proc /proc --dev /dev --tmpfs /tmp --cap-add ALL /bin/attack); \
                 ($by nsinit --root /box --allow-nesting -- unshare -Urm /bin/attack); \
             done; \
             nsinit --root /box --share-user -- /bin/attack; \
             nsinit --root /box --share-user --seccomp-profile none -- /bin/attack; \
             nsinit --root /box --cap-add ALL --detach --pid-file /tmp/pid -- sleep 1000; \
             nsinit --enter /tmp/pid --cap-add ALL -- /bin/attack; kill $(cat /tmp/pid); while [ -e /tmp/pid ]; do sleep 0.1; done",
        );
        image.program("vm/attack", "box/bin/attack");
        image.modules(&["overlay"]);
        image.file(
            "script",
            &format!("sh /modules\n{}", std::fs::read_to_string(image.at("script")).expect("the script")),
        );
        let boot = image.boot("");
        // Overlays in a user namespace need Linux 5.11.
        let refused = if kernel == Kernel::V5_10 { 2 } else { 0 };
        let text = boot.text();
        let held = text.lines().filter(|line| *line == "held").count();
        let others = text
            .lines()
            .filter(|line| *line != "held" && !line.contains("overlays in a user namespace need Linux 5.11"))
            .count();
        assert!(boot.end == End::Off && held == 21 - refused && others == 0, "{held} times\n{boot}");
    }
}

/// Without a user namespace no mount is locked, so a command that could unmount the root does not run.
#[test]
fn cap_sys_admin_without_a_user_namespace_is_refused() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "nsinit --root /box --share-user --cap-add SYS_ADMIN -- /bin/attack; echo $?; \
             nsinit --root /box --share-user --detach --pid-file /tmp/pid -- sleep 1000; \
             nsinit --enter /tmp/pid --cap-add SYS_ADMIN -- /bin/attack; echo $?; kill $(cat /tmp/pid); \
             nsinit --bind /box / --cap-drop CAP_SYS_ADMIN /bin/attack; nsinit --bind /box / ls -d /bin",
        );
        image.program("vm/attack", "box/bin/attack");
        // Since Linux 7.0 the root below is the kernel's own, and empty.
        let why = "Operation not permitted (in an initramfs, before Linux 7.0, CAP_SYS_ADMIN is for a new user namespace only)\n125\n";
        let first = if kernel == Kernel::V7 {
            "held\n0\nheld\n0\n".to_owned()
        } else {
            format!("nsinit: cannot enter root /box: {why}nsinit: cannot enter /tmp/pid: {why}")
        };
        image.boot("").is(End::Off, &format!("{first}held\n/bin\n"));
    }
}

/// Thumb code, and the structs and numbers of a 32-bit program, on a kernel of 64 bits.
#[test]
fn program_for_armv7_works_on_arm64() {
    for kernel in kernels(&[Kernel::Arm64]) {
        let program = for_armv7();
        let image = image(
            kernel,
            "N=/bin/narrow; $N --version | grep target; \
             $N --root /box -- sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs x /tmp; exit 7'; echo $?; \
             $N --root /box --detach --name box --pid-file /tmp/pid -- sleep 1000; tr '\\0' ' ' </proc/$(cat /tmp/pid)/cmdline; echo; \
             $N --list | cut -d ' ' -f 1; $N --enter box -- echo entered; $N --stop box; echo $?; \
             $N --root /box --memory 5G --stop-timeout 3000000s -- sh -c 'kill -TERM $$'; echo $?",
        );
        image.put(&program, "bin/narrow");
        let packed = image.pack_by("gz", |make| _ = make.env("NSINIT_BIN", &program));
        image.boot_packed(packed, "").is(
            End::Off,
            "target armv7-unknown-linux-musleabihf\nSeccomp:\t2\nmount: permission denied (are you root?)\n7\n\
             init: box \nNAME\nbox\nentered\n0\n143\n",
        );
    }
}

/// A procfs or sysfs without masks that stays mounted below would permit all users inside to mount an unmasked one.
#[test]
fn hidden_procfs_and_sysfs_permit_no_unmasked_mounts() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "mkdir /new; mount -t tmpfs n /new; mkdir /new/proc /new/sys; mount -t proc p /new/proc; mount -t sysfs s /new/sys; \
             for by in root user; do \
                 ($by nsinit --root /box --allow-nesting --cap-add ALL -- unshare -Urm mount -t proc p /tmp) 2>&1; \
                 ($by nsinit --root /box --allow-nesting -- unshare -Urmpf mount -t proc p /tmp) 2>&1; \
                 ($by nsinit --root /box --allow-nesting -- unshare -Urmn mount -t sysfs s /tmp) 2>&1; \
             done",
        );
        on_one_and_two_processors(&image, &"mount: permission denied (are you root?)\n".repeat(6));
    }
}
