//! The intended differences from the originals. docs/drop-in.md has this table.

use std::fmt::Write;
use std::fs;
use std::path::Path;

pub struct Difference {
    pub names: &'static [&'static str],
    pub what: &'static str,
    pub original: &'static str,
    pub ours: &'static str,
    pub why: &'static str,
}

const ALL: &[&str] = &["tini", "dumb-init", "catatonit"];

pub static DIFFERENCES: [Difference; 43] = [
    Difference {
        names: &["tini", "catatonit"],
        what: "started with SIGCHLD ignored",
        original: "never ends",
        ours: "ends with CMD's status",
        why: "the caller's disposition must not hang the init",
    },
    Difference {
        names: ALL,
        what: "a signal right after the start",
        original: "may be lost: half of them by dumb-init, 30 % with -c; a quarter by tini -g, some by catatonit -g",
        ours: "reaches CMD",
        why: "an early request to stop must not be lost",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "ILL TRAP ABRT BUS FPE SEGV SYS, sent by a process",
        original: "kill the init; no effect on PID 1",
        ours: "forwarded",
        why: "ABRT and QUIT request a core dump of CMD",
    },
    Difference {
        names: ALL,
        what: "signals 32 and 33",
        original: "kill the init; no effect on PID 1",
        ours: "forwarded",
        why: "glibc reserves them, but a CMD with another libc may use them",
    },
    Difference {
        names: &["tini"],
        what: "TTIN and TTOU, sent by a process",
        original: "ignored",
        ours: "forwarded",
        why: "all signals are forwarded",
    },
    Difference {
        names: &["catatonit"],
        what: "TSTP, TTIN and TTOU, sent by a process",
        original: "ignored",
        ours: "forwarded",
        why: "all signals are forwarded",
    },
    Difference {
        names: ALL,
        what: "the value of a queued signal",
        original: "lost",
        ours: "kept (except for a process group: no system call sends a value to a group)",
        why: "the value is the purpose of a queued signal",
    },
    Difference {
        names: ALL,
        what: "TERM, HUP, INT or QUIT for a stopped CMD",
        original: "stays pending until CMD is continued",
        ours: "followed by CONT",
        why: "a stopped job can be ended",
    },
    Difference {
        names: &["tini"],
        what: "standard input closed",
        original: "CMD does not run: `tcsetpgrp failed: Bad file descriptor`, status 1",
        ours: "CMD runs",
        why: "as dumb-init and catatonit",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "started in the background of a terminal",
        original: "takes the terminal from the shell",
        ours: "leaves the terminal to the shell",
        why: "only the foreground process group may pass the terminal on",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "^Z",
        original: "stops CMD but not the job (tini), or nothing (catatonit): the shell's prompt does not return",
        ours: "stops the job; fg resumes it",
        why: "job control",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "the terminal after the end of CMD",
        original: "stays with a process group that no longer exists: the caller's next read fails",
        ours: "returned to the caller",
        why: "the caller may be a shell without job control",
    },
    Difference {
        names: &["catatonit"],
        what: "CMD's blocked signals",
        original: "the caller's, and TSTP, TTIN and TTOU",
        ours: "the caller's",
        why: "otherwise CMD cannot be stopped",
    },
    Difference {
        names: &["dumb-init"],
        what: "CMD's blocked and ignored signals",
        original: "none",
        ours: "the caller's",
        why: "nohup works",
    },
    Difference {
        names: ALL,
        what: "signals 32 and 33 in CMD's signal mask",
        original: "tini and catatonit unblock them; dumb-init blocks them, and no others",
        ours: "the caller's",
        why: "they are treated as all other signals",
    },
    Difference {
        names: &["tini"],
        what: "idle",
        original: "wakes up every second",
        ours: "does not wake up",
        why: "saves power, and CPU time on hosts with thousands of containers",
    },
    Difference {
        names: &["tini", "dumb-init"],
        what: "inherited descriptors of the init itself",
        original: "stay open",
        ours: "closed from 3 on; CMD has them",
        why: "a reader of a pipe waits until the last writer has closed it",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "the working directory of the init itself",
        original: "the caller's",
        ours: "`/`; CMD's is the caller's",
        why: "otherwise a file system could not be unmounted",
    },
    Difference {
        names: &["tini", "dumb-init"],
        what: "LISTEN_PID with the pid of the init",
        original: "unchanged: CMD accepts no sockets",
        ours: "rewritten to CMD's pid, as catatonit does",
        why: "socket activation works",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "options and `--` after CMD",
        original: "parsed as the init's own (with glibc; not Alpine's tini): `tini sh -c …` is refused, `tini ls -l` prints a licence, `--` is dropped",
        ours: "passed to CMD: options end at the first operand",
        why: "as Alpine's tini, dumb-init and all other wrappers",
    },
    Difference {
        names: ALL,
        what: "CMD not found, and a directory of PATH without search permission",
        original: "`Permission denied` (tini: 126)",
        ours: "`No such file or directory` (as tini: 127)",
        why: "ENOENT is the cause",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "the licence: `-l`, `-L`",
        original: "its own",
        ours: "nsinit's",
        why: "nsinit is another program",
    },
    Difference {
        names: &["tini"],
        what: "`--version`",
        original: "Debian's has no commit: `tini version 0.19.0`",
        ours: "`tini version V - git.C`, as docker's",
        why: "`docker info` parses this form",
    },
    Difference {
        names: &["catatonit"],
        what: "ILL TRAP ABRT BUS FPE SEGV SYS, 32, 33 in pause mode",
        original: "kill the init; no effect on PID 1",
        ours: "no effect",
        why: "pause mode ends only on TERM and INT",
    },
    Difference {
        names: ALL,
        what: "messages about its own failures",
        original: "`fork failed: …`, `Unable to setsid (errno=N …). Exiting.`, `failed to create process group`",
        ours: "the same form and status; the text names nsinit's own operation",
        why: "nsinit makes other system calls",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "in a pipeline in the foreground of a terminal",
        original: "takes the terminal from other readers in the pipeline",
        ours: "CMD gets the terminal when it reads it",
        why: "`init CMD | less` works",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "output of `-v` and similar options",
        original: "signals by name, tini's `TRACE` lines, and catatonit's warnings about its own calls",
        ours: "signals by number; otherwise the same lines",
        why: "the other lines concern the originals' implementation",
    },
    Difference {
        names: &["dumb-init"],
        what: "an ambiguous prefix of a long option",
        original: "`option '--ver' is ambiguous; …`",
        ours: "`unrecognized option '--ver'`",
        why: "the exit status is the same",
    },
    Difference {
        names: &["bwrap"],
        what: "TERM, HUP, INT and similar signals to bwrap",
        original: "end bwrap; CMD continues",
        ours: "forwarded to CMD",
        why: "a signal to the launcher is meant for CMD",
    },
    Difference {
        names: &["bwrap"],
        what: "TERM to process 1, from inside",
        original: "no effect",
        ours: "forwarded to CMD",
        why: "process 1 is an init",
    },
    Difference {
        names: &["bwrap"],
        what: "a descriptor that is not open",
        original: "reported late, with different texts; ignored (`--sync-fd`, `--block-fd`); or a child waits for ever (`--info-fd`)",
        ours: "`Invalid fd: N`, before any operation",
        why: "a closed descriptor is a usage error",
    },
    Difference {
        names: &["bwrap"],
        what: "`--chmod` of a symbolic link",
        original: "followed",
        ours: "refused",
        why: "the author of the link would select the file that is changed",
    },
    Difference {
        names: &["bwrap"],
        what: "an operand or `--` in `--args` data",
        original: "the rest is ignored silently",
        ours: "an error, except for a final `--`",
        why: "the rest may contain restrictions",
    },
    Difference {
        names: &["bwrap"],
        what: "more than 9000 words in `--args` data",
        original: "refused",
        ours: "accepted",
        why: "nsinit needs no limit",
    },
    Difference {
        names: &["bwrap"],
        what: "`--cap-add ALL --cap-drop X` by root without all capabilities",
        original: "X is not dropped",
        ours: "X is dropped",
        why: "the option requests it",
    },
    Difference {
        names: &["bwrap"],
        what: "capabilities without `CAP_`",
        original: "unknown",
        ours: "accepted",
        why: "`CHOWN` is unambiguous",
    },
    Difference {
        names: &["bwrap"],
        what: "options between `--perms`, `--size` or `--overlay-src` and the operation",
        original: "refused",
        ours: "allowed",
        why: "such options do not concern files",
    },
    Difference {
        names: &["bwrap"],
        what: "`--disable-userns` with a user namespace that is implied or tried",
        original: "refused",
        ours: "works, or fails if there is no user namespace",
        why: "the user namespace exists",
    },
    Difference {
        names: &["bwrap"],
        what: "the owner of `/dev/pts` if uid 0 is not mapped",
        original: "CMD's user",
        ours: "65534, nobody",
        why: "nsinit makes one user namespace instead of two",
    },
    Difference {
        names: &["bwrap"],
        what: "`/proc/self/exe` as a SRC, by root",
        original: "bwrap's file",
        ours: "no such file",
        why: "the launcher's file must not be reachable from inside (CVE-2019-5736)",
    },
    Difference {
        names: &["bwrap"],
        what: "modes and times of the devices in a new /dev",
        original: "root inside can change those of the host",
        ours: "read-only; writing to the devices works",
        why: "the device files belong to the host",
    },
    Difference {
        names: &["bwrap"],
        what: "the caller's environment in /proc/1/environ",
        original: "visible, even with `--clearenv`",
        ours: "not visible, and neither are bwrap's arguments in /proc/1/cmdline",
        why: "variables that are not passed on must not be readable",
    },
    Difference {
        names: &["bwrap"],
        what: "texts of messages",
        original: "internal names (`/newroot/…`, `mount table`), and several texts for one error",
        ours: "the same beginning, then the user's own word and the reason",
        why: "the user knows the words of the command line",
    },
];

/// For a test of a difference: asserts that the table has it.
#[track_caller]
pub fn differs(name: &str, what: &str) {
    let listed = DIFFERENCES.iter().any(|d| d.what == what && d.names.contains(&name));
    assert!(listed || name == "nsinit", "{name}: {what}: not in the table of differences");
}

pub fn table() -> String {
    let mut text = String::from("| program | case | original | nsinit | reason |\n|---|---|---|---|---|\n");
    for Difference { names, what, original, ours, why } in &DIFFERENCES {
        // A bar ends a cell, in code too.
        let [what, original, ours, why] = [what, original, ours, why].map(|cell| cell.replace('|', "\\|"));
        writeln!(text, "| {} | {what} | {original} | {ours} | {why} |", names.join(", ")).expect("write to a string");
    }
    text
}

/// Each row is named by a test.
#[test]
fn every_difference_is_tested() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let names = [
        "compat_tini.rs",
        "compat_dumb_init.rs",
        "compat_catatonit.rs",
        "compat/common.rs",
        "compat/terminal.rs",
        "compat_bwrap/caps.rs",
        "compat_bwrap/fds.rs",
        "compat_bwrap/ids.rs",
        "compat_bwrap/mounts.rs",
        "compat_bwrap/newer_features.rs",
        "compat_bwrap/environment.rs",
        "compat_bwrap/processes.rs",
        "compat_bwrap/messages.rs",
    ];
    let text: String = names.iter().map(|name| fs::read_to_string(here.join(name)).expect("read a test")).collect();
    for row in &DIFFERENCES {
        assert!(text.contains(&format!("\"{}\"", row.what)), "no test has {:?}", row.what);
    }
}

const BEGIN: &str = "<!-- differences -->\n";
const END: &str = "<!-- /differences -->";

/// docs/drop-in.md has exactly this table between the marks; `NSINIT_WRITE=1 cargo test` writes it.
#[test]
fn drop_in_document_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/drop-in.md");
    let document = fs::read_to_string(&path).expect("read docs/drop-in.md");
    let (before, rest) = document.split_once(BEGIN).expect("the table's beginning");
    let (found, after) = rest.split_once(END).expect("the table's end");
    if std::env::var_os("NSINIT_WRITE").is_some() {
        fs::write(path, [before, BEGIN, &table(), END, after].concat()).expect("write docs/drop-in.md");
    } else {
        assert_eq!(found.trim(), table().trim(), "NSINIT_WRITE=1 cargo test writes it");
    }
}
