//! `--probe` in an initramfs, on old and new kernels: what it says is what a container can do there.

use super::containers::image;
use super::harness::{End, Kernel, NATIVE, kernels};

#[test]
fn probe_tells_what_a_machine_can_do() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "for by in root user; do $by nsinit --probe; echo $by $?; done; \
             nsinit --root / -- true && echo launched; \
             nsinit --probe --json | grep -c works; ls -d /sys/fs/cgroup/nsinit* 2>/dev/null; wc -l </proc/mounts",
        );
        let boot = image.boot("");
        let text = boot.text();
        assert!(boot.end == End::Off, "{boot}");
        let (root, rest) = text.split_once("root 0\n").unwrap_or_else(|| panic!("root cannot launch\n{boot}"));
        let (user, rest) = rest.split_once("user 0\n").unwrap_or_else(|| panic!("the user cannot launch\n{boot}"));
        let lines = root.lines().count();
        assert_eq!(user.lines().count(), lines, "{boot}");
        assert_eq!(rest, format!("launched\n{lines}\n8\n"), "{boot}");
        let of = |answers: &str, name: &str| -> String {
            let found = answers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned);
            found.unwrap_or_else(|| panic!("nothing about {name}\n{boot}"))
        };
        let always = [
            "user namespaces",
            "mount namespaces",
            "pid namespaces",
            "net namespaces",
            "cgroup namespaces",
            "time namespaces",
            "nested user namespaces",
            "procfs",
            "sysfs",
            "devpts",
            "seccomp",
            "clone3",
            "clone into cgroup",
            "mount descriptors",
            "root",
        ];
        for name in always {
            for answers in [root, user] {
                assert_eq!(of(answers, name), "yes", "{name}\n{boot}");
            }
        }
        // Linux 5.12.
        let old = "no: Function not implemented (this kernel is too old for it, or was built without it)";
        let setattr = if kernel == Kernel::V5_10 { old } else { "yes" };
        assert_eq!(of(root, "mount setattr"), setattr, "{boot}");
        let controllers = of(root, "cgroup controllers");
        assert!(
            controllers.starts_with("yes (") && controllers.contains("pids") && controllers.contains("memory"),
            "{boot}"
        );
        assert_eq!(of(root, "cgroup delegation"), "yes", "{boot}");
        let foreign = "no: Permission denied (the cgroup belongs to another user: use systemd-run --user --scope -p Delegate=yes)";
        assert_eq!(of(user, "cgroup delegation"), foreign, "{boot}");
        let only_root = "no: --map-auto: /etc/subuid grants no ids to u (add the line u:100000:65536, or use --map-uid and --map-gid)";
        assert_eq!(of(user, "subordinate ids"), only_root, "{boot}");
    }
}
