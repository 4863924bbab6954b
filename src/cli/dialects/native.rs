//! nsinit's own vocabulary. It includes all of bubblewrap's options.

use core::ffi::CStr;

use engine::fs::staging::FILES;
use engine::report::exit;
use engine::report::message;
use engine::report::wording::{Event, Wording};
use engine::say;
use engine::spec::{AtEnd, Audience, End, Kind as Op, Writes};
use engine::sys::{self, Standard};
use engine::text::{self, Say, Text};
use linux_raw_sys::general as raw;

use super::super::builder::{Asked, Context, Draft, EnvOp};
use super::super::complaint::{Complaint, How, Kind, Wrong};
use super::super::rows::{Group, Values, Vocabulary, rows};
use super::super::texts::Texts;
use super::super::{usage, values};
use super::bwrap::BWRAP;

pub static NATIVE: Vocabulary = Vocabulary {
    names: "nsinit ",
    wording: &WORDING,
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    more: Some(&BWRAP),
    act,
    complain,
    print,
    makes_containers: true,
    needs_command: false,
    takes_dashes: false,
    abbreviates: false,
    ..Vocabulary::GETOPT
};

static WORDING: Wording = Wording {
    event: |event| match event {
        Event::Started => say!("nsinit: CMD is process %"),
        Event::Forwarded => say!("nsinit: forward signal %"),
        Event::Exited => say!("nsinit: process % ended with status ^"),
        Event::Killed => say!("nsinit: process % died of signal ^"),
        Event::Ended => say!("nsinit: CMD ended with status %"),
        Event::Died => say!("nsinit: CMD died of signal %"),
        _ => Say::NOTHING,
    },
    ..Wording::NSINIT
};

rows! { draft, values, first:
    say!("Root"), Making => {
        "--root DIR", say!("run CMD in a new container whose root is DIR, with safe defaults") => {
            draft.spec.root.image = false;
            draft.spec.root.directory = values::path(first)?;
        },
        "--image FILE", say!("use an image (erofs, squashfs, ext4) as the root, read-only; needs root") => {
            draft.spec.root.image = true;
            draft.spec.root.directory = values::path(first)?;
        },
        "--read-only", say!("forbid all writes to the root") => draft.spec.root.writes = Writes::Refused,
        "--volatile", say!("discard all writes to the root at exit (overlay on a tmpfs)") =>
            draft.spec.root.writes = Writes::Forgotten,
        "--no-masks", say!("do not mask sensitive files in /proc and /sys (as root: exposes the host)") =>
            draft.masks = false,
        "--no-proc", say!("do not mount /proc") => draft.spec.root.proc = false,
        "--no-sys", say!("do not mount /sys") => draft.spec.root.sys = false,
        "--sys DEST", say!("mount sysfs at DEST, read-only") => draft.op(Op::Sys, FILES, values)?,
        "--cgroup2 DEST", say!("mount the cgroup v2 tree at DEST") => draft.op(Op::Cgroup, FILES, values)?,
        "--noexec", say!("forbid execution in the next mount") => draft.noexec = Some(true),
        "--exec", say!("allow execution in the next mount even if SRC is noexec") => draft.noexec = Some(false),
    }
    say!("Namespaces (--root makes a new one of each kind except time)"), Making => {
        "--share-ipc", say!("use the host's System V and POSIX IPC") => draft.share(raw::CLONE_NEWIPC),
        "--share-pid", say!("use the host's process ids, and see its processes") => draft.share(raw::CLONE_NEWPID),
        "--share-uts", say!("use the host's host name") => draft.share(raw::CLONE_NEWUTS),
        "--share-cgroup", say!("see the host's whole cgroup tree") => draft.share(raw::CLONE_NEWCGROUP),
        "--share-user", say!("no user namespace: root inside is root outside; needs root") =>
            draft.share(raw::CLONE_NEWUSER),
        "--allow-nesting", say!("let CMD make user and cgroup namespaces (containers in the container)") =>
            draft.spec.namespaces.allow_nesting = true,
        "--unshare-time", say!("make a time namespace (own boot and monotonic clocks)") =>
            draft.unshare(raw::CLONE_NEWTIME),
        "--join-user TARGET", say!("join the user namespace of a process id, a pid file, fd:N or a path") =>
            draft.join(raw::CLONE_NEWUSER, first)?,
        "--join-net TARGET", say!("join a network namespace, for example one of ip-netns(8)") =>
            draft.join(raw::CLONE_NEWNET, first)?,
        "--join-ipc TARGET", say!("join an IPC namespace") => draft.join(raw::CLONE_NEWIPC, first)?,
        "--join-uts TARGET", say!("join a UTS namespace (host name)") => draft.join(raw::CLONE_NEWUTS, first)?,
        "--join-pid TARGET", say!("join a pid namespace") => draft.join(raw::CLONE_NEWPID, first)?,
        "--join-mount TARGET", say!("join a mount namespace, and use its root") => draft.join(raw::CLONE_NEWNS, first)?,
        "--join-cgroup TARGET", say!("join a cgroup namespace") => draft.join(raw::CLONE_NEWCGROUP, first)?,
        "--join-time TARGET", say!("join a time namespace") => draft.join(raw::CLONE_NEWTIME, first)?,
    }
    say!("Privileges and descriptors of CMD"), Container => {
        "--allow-new-privs", say!("let set-id programs and file capabilities take effect") =>
            draft.spec.confine.no_new_privs = false,
        "--keep-keyring", say!("let CMD use the caller's session keyring (keyrings(7))") =>
            draft.spec.confine.keep_keyring = true,
        "--keep-fd N", say!("pass descriptor N to CMD, and no other above 2") =>
            draft.keep_fds.push(values::fd(first)?),
    }
    say!("Environment and umask of CMD"), Finds => {
        "--pass-env NAME", say!("pass the caller's variable NAME to CMD") =>
            draft.env_ops.push(EnvOp::Pass(Some(values::variable(first)?))),
        "--keep-env", say!("pass all of the caller's variables to CMD") => draft.env_ops.push(EnvOp::Pass(None)),
        "--umask OCTAL", say!("set the file mode creation mask of CMD (default: the caller's)") =>
            draft.spec.exec.umask = Some(values::umask(first)?),
    }
    say!("Signals and exit"), Anywhere => {
        "--init", say!("run CMD in place, without a container, and be its init") => draft.spec.parsed.in_place = true,
        "--group", say!("forward signals to CMD's process group") => draft.spec.life.audience = Audience::Group,
        "--all", say!("forward signals to every process (if not process 1: to every child)") =>
            draft.spec.life.audience = Audience::All,
        "--rewrite A:B", say!("forward signal A as signal B; do not forward it if B is 0") => {
            let pair = values::pair(first, 64).filter(|(from, _)| *from != 0 && text::has(first.to_bytes(), b':'));
            draft.rewrite.insert(0, pair.ok_or(Wrong::value(say!("not a pair A:B of signal numbers")))?);
        },
        "--grace SECONDS", say!("after CMD's exit, kill other processes SECONDS after SIGTERM (default: 2)") =>
            draft.end = Some(End::Grace(values::seconds(first)?)),
        "--wait-all", say!("after CMD's exit, wait until all other processes have ended") =>
            draft.end = Some(End::Wait),
        "--stop-timeout SECONDS", say!("kill CMD if it still runs SECONDS after a signal to end") =>
            draft.spec.life.stop_timeout = Some(values::seconds(first)?),
        "--remap N:M", say!("exit with M if CMD exits with N; without :M, exit with 0") => {
            let pair = values::pair(first, 255);
            let why = Wrong::value(say!("not N or N:M, exit statuses from 0 to 255"));
            draft.remap.insert(0, pair.ok_or(why)?);
        },
        "--propagate-signal", say!("if a signal kills CMD, die of the same signal") =>
            draft.spec.life.propagate = true,
        "--verbose", say!("report CMD's start and end; twice: signals too; three times: orphans too") =>
            draft.spec.life.verbose = draft.spec.life.verbose.saturating_add(1),
        "--explain", say!("print the steps, process by process, and run nothing") => draft.asked = Asked::Explain,
    }
    say!("Running containers"), Anywhere => {
        "--enter TARGET", say!("run CMD in the container of TARGET: a process id, a pid file or fd:N") =>
            draft.spec.target = Some(draft.process(first)?),
        "--pty", say!("give CMD a terminal of its own, even if the caller has none") => draft.spec.terminal.pty = true,
        "--share-terminal", say!("let CMD use the caller's terminal, and read what is typed there") =>
            draft.spec.terminal.share = true,
        "--detach", say!("exit with 0 as soon as CMD runs, and leave it running") => draft.spec.channels.detach = true,
        "--pid-file PATH", say!("create PATH with the id of process 1 in it, and remove it at the end") =>
            draft.spec.channels.pid_file = Some(values::path(first)?),
        "--ready-fd N", say!("write a newline to descriptor N as soon as CMD runs") =>
            draft.spec.channels.ready = Some(draft.fd(first)?),
        "--status-fd N", say!("write JSON lines to fd N: the container's process 1, then CMD's exit") => {
            draft.spec.channels.status = Some(draft.fd(first)?);
            draft.spec.channels.tells_signal = true;
        },
        "--name NAME", say!("show NAME in ps, and use it as host name if none is given") => {
            draft.name = first;
            if first.is_empty() || first.count_bytes() > values::HOSTNAME_MAX {
                return Err(Wrong::value(say!("not 1 to 64 bytes long")));
            }
        },
    }
    say!("First process of a machine (/init: options go after -- on the kernel's command line)"), Anywhere => {
        "--boot", say!("prepare the machine, run CMD, shut the machine down; needs process 1") =>
            draft.spec.machine.boots = true,
        "--on-exit ACTION", say!("when CMD ends: poweroff (default), reboot, halt, shell or respawn") =>
            draft.spec.machine.at_end = at_end(first)?,
        "--respawn", say!("start CMD again each time it ends") => draft.spec.machine.at_end = AtEnd::Respawn,
        "--switch-root DIR", say!("make the mount point DIR the root, and become CMD there (/sbin/init)") => {
            draft.spec.machine.boots = true;
            draft.spec.machine.switch_root = Some(values::path(first)?);
        },
    }
}

fn at_end(what: &CStr) -> Result<AtEnd, Wrong> {
    match what.to_bytes() {
        b"poweroff" => Ok(AtEnd::PowerOff),
        b"reboot" => Ok(AtEnd::Reboot),
        b"halt" => Ok(AtEnd::Halt),
        b"shell" => Ok(AtEnd::Shell),
        b"respawn" => Ok(AtEnd::Respawn),
        _ => Err(Wrong::value(say!("not one of poweroff, reboot, halt, shell and respawn"))),
    }
}

fn complain(_: &Texts, complaint: &Complaint, _: &CStr) -> i32 {
    let form = complaint.form;
    let mut line = Text::new();
    match complaint.kind {
        Kind::Unknown | Kind::UnknownLetter(_) => {
            line.say(say!("unknown option '")).push_printable(complaint.word.to_bytes());
            line.say(say!("' (see nsinit --help)"));
        }
        Kind::ValueTooMuch if form.count() == 0 => {
            line.push(form.name()).say(say!(" takes no value"));
        }
        Kind::ValueMissing | Kind::ValueTooMuch => {
            line.push(form.name());
            if form.count() == 1 {
                line.say(say!(" needs a value ("));
            } else {
                line.say(say!(" needs ")).push_number(form.count() as u32).say(say!(" values ("));
            }
            line.push(form.values()).byte(b')');
        }
        Kind::ValueWrong => {
            match complaint.why.how() {
                How::Sentence => {}
                How::Option => {
                    line.push(form.name()).byte(b' ');
                }
                How::Value | How::Capability | How::Variable => {
                    message::push_object(line.push(form.name()), complaint.word);
                    line.push(b": ");
                }
            }
            line.say(complaint.why.why());
        }
        Kind::CommandMissing => {
            line.say(say!("no command given"));
        }
    }
    message::fatal(&line)
}

const USAGE: Say = say!(
    "usage: nsinit --root DIR [OPTION...] [--] [CMD [ARG...]]      run CMD in a new container
       nsinit --enter TARGET [OPTION...] [--] [CMD [ARG...]]  run CMD in a running container
       nsinit OPTION... [--] CMD [ARG...]                     run CMD in a sandbox, as bwrap does
       nsinit [--] CMD [ARG...]                               run CMD in place, and be its init
"
);

fn print(_: &Texts, asked: Asked, _: &CStr) {
    let to = if asked == Asked::Usage { Standard::Error } else { Standard::Output };
    let mut text = Text::new();
    match asked {
        Asked::Usage => text.say(USAGE),
        Asked::Version => text.push(concat!("nsinit ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        _ => {
            return help(&mut |line| {
                sys::write(to, line.bytes());
            });
        }
    };
    sys::write(to, text.bytes());
}

/// Passes the text of `--help` to `out`, line by line.
fn help(out: &mut dyn FnMut(&Text)) {
    out(Text::new().say(USAGE));
    usage::rows(&NATIVE, true, out);
    usage::rows(&BWRAP, true, out);
    out(Text::new().say(say!("\nExit status: that of CMD, or\n")));
    for status in &exit::ALL {
        let mut line = Text::new();
        line.push(b"  ").push_number(status.number.into()).say(status.more);
        while line.bytes().len() < 9 {
            line.byte(b' ');
        }
        out(line.say(status.meaning).byte(b'\n'));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_help_and_at_most_three_values() {
        let mut names = HashSet::new();
        for row in NATIVE.lines().chain(BWRAP.lines()).filter(|row| !row.is_title()) {
            let text = row.form.0.escape_ascii();
            let hidden = row.form.name() == b"--debug-opt";
            assert!(row.form.0.starts_with(b"--") && row.help.is_empty() == hidden && row.form.count() <= 3, "{text}");
            assert!(names.insert(row.form.name()), "twice: {text}");
        }
        assert!(names.len() > 40);
    }

    fn whole_help() -> String {
        let mut text = String::new();
        help(&mut |line| text += str::from_utf8(line.bytes()).expect("UTF-8"));
        text
    }

    #[test]
    fn help_fits_a_terminal() {
        for line in whole_help().lines() {
            assert!(line.len() <= 100, "{line}");
        }
    }

    /// scripts/man reads the help text: after an option that reaches the column of the help, only the capitals tell values from help.
    #[test]
    fn help_after_a_long_option_begins_in_small_letters() {
        for row in NATIVE.lines().chain(BWRAP.lines()) {
            let mut help = Text::new();
            let first = help.say(row.help).bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
            let small = first.iter().any(u8::is_ascii_lowercase);
            assert!(
                small || row.form.0.len() + 2 < usage::COLUMN || row.help.is_empty(),
                "{}",
                row.form.0.escape_ascii()
            );
        }
    }

    /// The list in docs/options.md is made from the rows: `NSINIT_WRITE=1 cargo test` writes it.
    #[test]
    fn option_list_of_the_documents_is_the_help() {
        const BEGIN: &str = "<!-- options -->\n```text\n";
        const END: &str = "```\n<!-- /options -->";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/options.md");
        let document = std::fs::read_to_string(path).expect("docs/options.md");
        let (before, rest) = document.split_once(BEGIN).expect("the list's beginning");
        let (list, after) = rest.split_once(END).expect("the list's end");
        if std::env::var_os("NSINIT_WRITE").is_some() {
            std::fs::write(path, [before, BEGIN, &whole_help(), END, after].concat())
                .expect("docs/options.md is writable");
        } else {
            assert_eq!(list, whole_help(), "NSINIT_WRITE=1 cargo test writes the list anew");
        }
    }
}
