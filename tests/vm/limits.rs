//! Landlock, limits and kernel parameters on kernels that have them, and on older ones; and what only root of a machine may do.

use super::containers::image;
use super::harness::{End, Kernel, NATIVE, kernels};

const WITHOUT: &str = "(with --landlock-try, CMD runs without this restriction)\n";
const TRIED: &str = "(CMD runs without this restriction)\n";

/// The messages of a kernel that lacks a part; none if it has all.
fn missing(kernel: Kernel, what: &str, hint: &str) -> String {
    let (reason, last) = match kernel {
        Kernel::V5_10 => ("Function not implemented", what),
        Kernel::V6_1 if what == "access to files" => ("this kernel's Landlock is too old", "truncation of files"),
        Kernel::V6_1 => ("this kernel's Landlock is too old", what),
        _ => return String::new(),
    };
    format!("nsinit: cannot restrict {last}: {reason} {hint}")
}

#[test]
fn each_kernel_has_the_whole_landlock_or_says_what_is_missing() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "echo 'echo ran; (echo >/tmp/$1) 2>&- || echo refused' >/bin/try; cp /bin/try /box/bin/try; chmod 1777 /box/tmp; \
             for by in root user; do \
                 $by nsinit --landlock-ro / -- sh /bin/try $by; $by nsinit --landlock-ro / --landlock-try -- sh /bin/try $by; \
                 $by nsinit --root /box --landlock-ro / -- sh /bin/try $by; \
                 $by nsinit --root /box --landlock-try --landlock-ro / -- sh /bin/try $by; \
                 $by nsinit --landlock-connect 2 -- nc 127.0.0.1 1; \
             done",
        );
        let (error, warning) = (missing(kernel, "access to files", WITHOUT), missing(kernel, "access to files", TRIED));
        let whole = error.is_empty();
        let strict = if whole { "ran\nrefused\n" } else { &error };
        // A Landlock without the right to truncate has the right to write.
        let tried = format!("{warning}ran\n{}", if kernel == Kernel::V5_10 { "" } else { "refused\n" });
        let ports = missing(kernel, "TCP ports", WITHOUT);
        let denied = "nc: can't connect to remote host (127.0.0.1): Permission denied\n";
        let ports = if whole { denied } else { &ports };
        let expected = format!("{strict}{tried}{strict}{tried}{ports}").repeat(2);
        image.boot("").is(End::Off, &expected);
    }
}

/// In a container too: the launcher does it, outside.
#[test]
fn root_of_the_machine_raises_what_a_user_may_not() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "echo 'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj; set -- $(cat /proc/self/stat); echo ${19}' >/box/bin/show; \
             ulimit -n 300; for by in root user; do \
                 $by nsinit --root /box --rlimit nofile=400:500 --oom-score-adj -5 --nice -5 -- sh /bin/show; \
                 $by nsinit --root /box --oom-score-adj -5 -- sh /bin/show; $by nsinit --root /box --nice -5 -- sh /bin/show; \
                 $by nsinit --root /box --rlimit nofile=200:300 --oom-score-adj 5 --nice 5 -- sh /bin/show; \
             done",
        );
        let lower = "(only root of the machine may set a lower number than nsinit has)";
        image.boot("").is(
            End::Off,
            &format!(
                "400\n500\n-5\n-5\n300\n300\n-5\n0\n300\n300\n0\n-5\n200\n300\n5\n5\n\
                 nsinit: cannot set --rlimit nofile=400:500: Operation not permitted (only root of the machine may raise a hard limit, \
                 and nofile up to fs.nr_open: see ulimit -H)\n\
                 nsinit: cannot set --oom-score-adj -5: Permission denied {lower}\n\
                 nsinit: cannot set --nice -5: Permission denied {lower}\n200\n300\n5\n5\n"
            ),
        );
    }
}

#[test]
fn options_that_need_a_newer_kernel_say_so() {
    for kernel in kernels(&NATIVE) {
        let image = image(
            kernel,
            "for by in root user; do \
                 $by nsinit --root /box --mdwe -- echo ran; $by nsinit --root /box --proc-subset -- sh -c \"'ls -d /proc/s*'\"; \
                 $by nsinit --root /box --sysctl net.ipv4.ip_forward=1 -- cat /proc/sys/net/ipv4/ip_forward; \
                 $by nsinit --root /box --sysctl kernel.shmmax=4096 -- cat /proc/sys/kernel/shmmax; \
             done; cat /proc/sys/net/ipv4/ip_forward",
        );
        let old = matches!(kernel, Kernel::V5_10 | Kernel::V6_1);
        let memory = if old { "nsinit: cannot set --mdwe: Invalid argument (this needs Linux 6.3)\n" } else { "ran\n" };
        let ipc = if kernel == Kernel::V5_10 {
            "nsinit: cannot set --sysctl kernel.shmmax=4096: Permission denied (only user 0 may change it (use --uid 0), and in a \
             user namespace only since Linux 5.19)\n"
        } else {
            "4096\n"
        };
        let both = format!("{memory}/proc/self\n1\n");
        image.boot("").is(End::Off, &format!("{both}4096\n{both}{ipc}0\n"));
    }
}
