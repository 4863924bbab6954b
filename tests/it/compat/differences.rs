//! Where nsinit does otherwise than the originals, on purpose. The table of docs/drop-in.md is this one.

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
        why: "the caller's disposition is not CMD's business",
    },
    Difference {
        names: ALL,
        what: "a signal right after the start",
        original: "may be lost: half of them by dumb-init, 30 % with -c; a quarter by tini -g, some by catatonit -g",
        ours: "reaches CMD",
        why: "a stop that comes early is still a stop",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "ILL TRAP ABRT BUS FPE SEGV SYS, sent by someone",
        original: "kill it; as PID 1 nothing happens",
        ours: "forwarded",
        why: "ABRT and QUIT are how people ask for a dump",
    },
    Difference {
        names: ALL,
        what: "signals 32 and 33",
        original: "kill it; as PID 1 nothing happens",
        ours: "forwarded",
        why: "they are glibc's own; a CMD with another libc may use them",
    },
    Difference {
        names: &["tini"],
        what: "TTIN and TTOU, sent by someone",
        original: "ignored",
        ours: "forwarded",
        why: "all is forwarded",
    },
    Difference {
        names: &["catatonit"],
        what: "TSTP, TTIN and TTOU, sent by someone",
        original: "ignored",
        ours: "forwarded",
        why: "all is forwarded",
    },
    Difference {
        names: ALL,
        what: "the value of a queued signal",
        original: "lost",
        ours: "kept (but not for a group: no call has both)",
        why: "real-time signals are sent for it",
    },
    Difference {
        names: ALL,
        what: "TERM, HUP, INT or QUIT for a stopped CMD",
        original: "stays pending until someone continues CMD",
        ours: "CONT follows",
        why: "a paused job can be ended",
    },
    Difference {
        names: &["tini"],
        what: "stdin closed",
        original: "CMD is not run: `tcsetpgrp failed: Bad file descriptor`, 1",
        ours: "CMD is run",
        why: "dumb-init and catatonit run it too",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "started in the background of a terminal",
        original: "takes the terminal from the shell",
        ours: "leaves it",
        why: "only who is in the foreground may give it away",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "^Z",
        original: "stops CMD and not the job (tini), or nothing (catatonit): the shell does not come back",
        ours: "stops the job; fg resumes it",
        why: "job control",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "the terminal after CMD's end",
        original: "stays with a group that is no more: the caller's next read fails",
        ours: "given back",
        why: "the caller is not always a shell with job control",
    },
    Difference {
        names: &["catatonit"],
        what: "CMD's blocked signals",
        original: "the caller's, and TSTP, TTIN and TTOU",
        ours: "the caller's",
        why: "CMD could not be stopped",
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
        what: "signals 32 and 33, blocked or not by the caller",
        original: "not blocked in CMD by tini and catatonit; blocked by dumb-init, though all others are not",
        ours: "as they were",
        why: "as all others",
    },
    Difference {
        names: &["tini"],
        what: "idle",
        original: "wakes up every second",
        ours: "sleeps",
        why: "battery, and the scheduler of whoever runs a thousand of them",
    },
    Difference {
        names: &["tini", "dumb-init"],
        what: "inherited descriptors in the init itself",
        original: "stay open",
        ours: "closed from 3 up; CMD has them",
        why: "the reader of a pipe waits for every writer",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "the init's own directory",
        original: "the caller's",
        ours: "`/`; CMD's is the caller's",
        why: "it would keep a file system from being unmounted",
    },
    Difference {
        names: &["tini", "dumb-init"],
        what: "LISTEN_PID that names the init",
        original: "left as it is: CMD takes no sockets",
        ours: "rewritten to CMD's, as catatonit does",
        why: "socket activation works",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "options and `--` behind CMD",
        original: "taken as its own (with glibc; Alpine's tini does not): `tini sh -c …` is refused, `tini ls -l` prints a licence, `--` is dropped",
        ours: "CMD's: options end at the first word that is none",
        why: "as Alpine's tini, dumb-init and every other wrapper",
    },
    Difference {
        names: ALL,
        what: "a directory of PATH that may not be searched, CMD nowhere",
        original: "`Permission denied` (tini: 126)",
        ours: "`No such file or directory` (as tini: 127)",
        why: "CMD was not found",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "the licence: `-l`, `-L`",
        original: "its own",
        ours: "nsinit's",
        why: "it is another program",
    },
    Difference {
        names: &["tini"],
        what: "`--version`",
        original: "Debian's has no commit: `tini version 0.19.0`",
        ours: "`tini version V - git.C`, as docker's",
        why: "docker info parses it",
    },
    Difference {
        names: &["catatonit"],
        what: "ILL TRAP ABRT BUS FPE SEGV SYS, 32, 33 in pause mode",
        original: "kill it; as PID 1 nothing happens",
        ours: "nothing happens",
        why: "a pause ends on TERM and INT only",
    },
    Difference {
        names: ALL,
        what: "its own failures",
        original: "`fork failed: …`, `Unable to setsid (errno=N …). Exiting.`, `failed to create process group`",
        ours: "in the same form and with the same status: what failed, and why",
        why: "they name what nsinit does",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "before or behind a pipe, in the foreground of a terminal",
        original: "takes the terminal from whoever else in the pipeline reads it",
        ours: "CMD gets it when it asks for it",
        why: "`init CMD | less`",
    },
    Difference {
        names: &["tini", "catatonit"],
        what: "what `-v` and its like tell",
        original: "signals in words, and tini's `TRACE` lines; catatonit's warnings of its own calls",
        ours: "signals by number; the rest in the same lines",
        why: "the rest is about how they are made",
    },
    Difference {
        names: &["dumb-init"],
        what: "a beginning that several long options have",
        original: "`option '--ver' is ambiguous; …`",
        ours: "`unrecognized option '--ver'`",
        why: "the status is the same",
    },
    Difference {
        names: &["bwrap"],
        what: "TERM, HUP, INT and their like for bwrap",
        original: "end it; CMD goes on",
        ours: "forwarded to CMD",
        why: "who ends the launcher means CMD",
    },
    Difference {
        names: &["bwrap"],
        what: "TERM for process 1, from inside",
        original: "nothing happens",
        ours: "forwarded to CMD",
        why: "it is an init",
    },
    Difference {
        names: &["bwrap"],
        what: "a descriptor that is not open",
        original: "told late, in many words; ignored (`--sync-fd`, `--block-fd`); or its child waits for ever (`--info-fd`)",
        ours: "`Invalid fd: N`, before anything is done",
        why: "a number that leads nowhere is a mistake",
    },
    Difference {
        names: &["bwrap"],
        what: "`--chmod` of a symbolic link",
        original: "follows it",
        ours: "refused",
        why: "who made the link would choose what is changed",
    },
    Difference {
        names: &["bwrap"],
        what: "a word that is no option, or `--`, in `--args` data",
        original: "what follows is left out, without a word",
        ours: "an error, but for a `--` at the end",
        why: "what is left out could be what confines",
    },
    Difference {
        names: &["bwrap"],
        what: "more than 9000 words in `--args` data",
        original: "refused",
        ours: "taken",
        why: "there is no reason for a limit",
    },
    Difference {
        names: &["bwrap"],
        what: "`--cap-add ALL --cap-drop X` by root that has not all",
        original: "X is not dropped",
        ours: "X is dropped",
        why: "it was to be",
    },
    Difference {
        names: &["bwrap"],
        what: "capabilities without `CAP_`",
        original: "unknown",
        ours: "known",
        why: "`CHOWN` can mean nothing else",
    },
    Difference {
        names: &["bwrap"],
        what: "options between `--perms`, `--size` or `--overlay-src` and the operation",
        original: "refused",
        ours: "allowed",
        why: "they say nothing of files",
    },
    Difference {
        names: &["bwrap"],
        what: "`--disable-userns` with a user namespace that is implied or tried",
        original: "refused",
        ours: "works, or fails if there is none",
        why: "it is there",
    },
    Difference {
        names: &["bwrap"],
        what: "the owner of `/dev/pts` where 0 is not mapped",
        original: "CMD's user",
        ours: "65534, nobody",
        why: "one user namespace instead of two",
    },
    Difference {
        names: &["bwrap"],
        what: "`/proc/self/exe` as a SRC, by root",
        original: "bwrap's file",
        ours: "nothing is there",
        why: "nobody inside gets at the file that the launcher runs from (CVE-2019-5736)",
    },
    Difference {
        names: &["bwrap"],
        what: "modes and times of the devices in a fresh /dev",
        original: "root changes the host's",
        ours: "read-only; the devices themselves can be written to",
        why: "they are files of the host's",
    },
    Difference {
        names: &["bwrap"],
        what: "the caller's environment in /proc/1/environ",
        original: "there, also with `--clearenv`",
        ours: "never there, nor bwrap's arguments in /proc/1/cmdline",
        why: "what was not to be passed on is not to be found",
    },
    Difference {
        names: &["bwrap"],
        what: "what its messages say",
        original: "names of its own making (`/newroot/…`, `mount table`), and of one thing in several words",
        ours: "the same beginnings; then the user's own word, and why",
        why: "the user knows his own words",
    },
];

/// For a test that asserts one: there must be such a row.
#[track_caller]
pub fn differs(name: &str, what: &str) {
    let told = DIFFERENCES.iter().any(|d| d.what == what && d.names.contains(&name));
    assert!(told || name == "nsinit", "{name}: {what}: not among the differences");
}

pub fn table() -> String {
    let mut text = String::from("| of | when | it | nsinit | because |\n|---|---|---|---|---|\n");
    for Difference { names, what, original, ours, why } in &DIFFERENCES {
        writeln!(text, "| {} | {what} | {original} | {ours} | {why} |", names.join(", ")).expect("write to a string");
    }
    text
}

/// Every row is asserted by some test, for every original that it names.
#[test]
fn every_difference_has_its_test() {
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
        "compat_bwrap/newer.rs",
        "compat_bwrap/place.rs",
        "compat_bwrap/processes.rs",
        "compat_bwrap/texts.rs",
    ];
    let text: String = names.iter().map(|name| fs::read_to_string(here.join(name)).expect("read a test")).collect();
    for row in &DIFFERENCES {
        assert!(text.contains(&format!("\"{}\"", row.what)), "no test has {:?}", row.what);
    }
}

const BEGIN: &str = "<!-- differences -->\n";
const END: &str = "<!-- /differences -->";

/// Between the marks docs/drop-in.md has exactly the table: `NSINIT_WRITE=1 cargo test` writes it.
#[test]
fn drop_in_document_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/drop-in.md");
    let document = fs::read_to_string(&path).expect("read docs/drop-in.md");
    let (before, rest) = document.split_once(BEGIN).expect("the table's beginning");
    let (found, after) = rest.split_once(END).expect("the table's end");
    if std::env::var_os("NSINIT_WRITE").is_some() {
        fs::write(path, [before, BEGIN, &table(), END, after].concat()).expect("write docs/drop-in.md");
    } else {
        assert_eq!(found.trim(), table().trim(), "NSINIT_WRITE=1 cargo test writes it anew");
    }
}
