//! nsinit's own vocabulary. It includes all of bubblewrap's options.

use core::ffi::CStr;

#[cfg(feature = "container")]
use engine::fs::staging::FILES;
use engine::report::message;
use engine::report::wording::{Event, Wording};
use engine::say;
#[cfg(feature = "boot")]
use engine::spec::AtEnd;
use engine::spec::{Audience, End, rooms};
#[cfg(feature = "container")]
use engine::spec::{Kind as Op, Writes};
use engine::text::{Say, Text};
#[cfg(feature = "container")]
use linux_raw_sys::general as raw;

#[cfg(feature = "env")]
use super::super::builder::EnvOp;
#[cfg(feature = "ids")]
use super::super::builder::ids;
use super::super::builder::{Asked, Context, Draft};
use super::super::complaint::{Complaint, How, Kind, Wrong};
use super::super::nearest;
use super::super::rows::{Group, Values, Vocabulary, rows, title};
use super::super::texts::Texts;
use super::super::values;
#[cfg(not(any(feature = "cgroup", feature = "keeper", feature = "landlock", feature = "limits")))]
use super::bwrap::OPTIONS as MORE;
#[cfg(all(feature = "cgroup", not(feature = "keeper")))]
use super::cgroup::CGROUP as MORE;
#[cfg(all(any(feature = "landlock", feature = "limits"), not(any(feature = "cgroup", feature = "keeper"))))]
use super::confine::CONFINE as MORE;
#[cfg(feature = "keeper")]
use super::keeper::KEEPER as MORE;
use super::native_texts;

pub static NATIVE: Vocabulary = Vocabulary {
    names: "nsinit ",
    wording: &WORDING,
    rows: ROWS,
    helps: HELPS,
    groups: GROUPS,
    more: Some(&MORE),
    act,
    complain,
    print: |_, asked, _| native_texts::print(&NATIVE, asked),
    makes_containers: true,
    needs_command: false,
    takes_dashes: false,
    takes_pairs: true,
    abbreviates: false,
    ..Vocabulary::WITHOUT_TEXTS
};

static WORDING: Wording = Wording {
    event: |event| match event {
        Event::Started => say!("nsinit: CMD is process %"),
        Event::Forwarded => say!("nsinit: forward signal %"),
        Event::Exited => say!("nsinit: process % ended with status ^"),
        Event::Killed => say!("nsinit: process % died of signal ^"),
        Event::Ended => say!("nsinit: CMD ended with status %"),
        Event::Died => say!("nsinit: CMD died of signal %"),
        Event::Again => say!("nsinit: CMD starts again in % s"),
        _ => Say::NOTHING,
    },
    ..Wording::NSINIT
};

rows! { draft, values, first:
    #[cfg(feature = "container")]
    say!("Root"), Making => {
        "--root DIR", say!("run CMD in a new container whose root is DIR, with safe defaults") => {
            draft.spec.root.image = false;
            draft.spec.root.directory = values::path(first)?;
        },
        #[cfg(feature = "image")]
        "--image FILE", say!("use an image (erofs, squashfs, ext4) as the root, read-only; needs root") => {
            draft.spec.root.image = true;
            draft.spec.root.directory = values::path(first)?;
        },
        "--read-only", say!("forbid all writes to the root") => draft.spec.root.writes = Writes::Refused,
        #[cfg(feature = "cgroup")]
        "--systemd", say!("boot systemd (CMD: /sbin/init) as process 1, with own cgroups, /run, /tmp") =>
            draft.boot_systemd(),
        "--no-masks", say!("do not mask sensitive files in /proc and /sys (as root: exposes the host)") =>
            draft.masks = false,
        "--no-proc", say!("do not mount /proc") => draft.spec.root.proc = false,
        "--no-sys", say!("do not mount /sys") => draft.spec.root.sys = false,
        "--sys DEST", say!("mount sysfs at DEST, read-only") => draft.op(Op::Sys, FILES, values)?,
        #[cfg(feature = "files")]
        "--cgroup2 DEST", say!("mount the cgroup v2 tree at DEST") => draft.op(Op::Cgroup, FILES, values)?,
    }
    #[cfg(feature = "container")]
    say!("Root of a container, or of --switch-root"), Placing => {
        #[cfg(feature = "overlay")]
        "--volatile", say!("discard all writes to the root at exit (overlay on a tmpfs)") =>
            draft.spec.root.writes = Writes::Forgotten,
        #[cfg(feature = "overlay")]
        "--overlay-root UPPER WORK", say!("keep writes to the root in UPPER; WORK: empty, on the same fs (overlay)") =>
            (draft.spec.root.upper, draft.spec.root.work) = (values::path(first)?, values::path(values[1])?),
        "--noexec", say!("forbid execution in the next mount") => draft.noexec = Some(true),
        "--exec", say!("allow execution in the next mount even if SRC is noexec") => draft.noexec = Some(false),
    }
    #[cfg(feature = "container")]
    say!("Namespaces (--root makes a new one of each kind except time)"), Making => {
        #[cfg(feature = "net")]
        "--net NETWORK", say!("none, host, pasta, one to join, veth:, macvlan:, ipvlan: (docs/network.md)") =>
            draft.network(first)?,
        #[cfg(feature = "net")]
        "--net-device DEV", say!("move the host's network device DEV to the container; needs root") =>
            draft.device(first)?,
        #[cfg(feature = "net")]
        "--resolv-conf SOURCE", say!("copy the host's /etc/resolv.conf (host), a file, or use servers ADDR,ADDR") =>
            draft.name_servers(first)?,
        #[cfg(all(feature = "join", not(feature = "net")))]
        "--net NETWORK", say!("none, host, or one to join: a name of ip-netns(8), a path or process id") =>
            draft.network(first)?,
        #[cfg(not(feature = "join"))]
        "--net NETWORK", say!("none (new and empty) or host") => draft.network(first)?,
        "--share-ipc", say!("use the host's System V and POSIX IPC") => draft.share(raw::CLONE_NEWIPC),
        "--share-pid", say!("use the host's process ids, and see its processes") => draft.share(raw::CLONE_NEWPID),
        "--share-uts", say!("use the host's host name") => draft.share(raw::CLONE_NEWUTS),
        "--share-cgroup", say!("see the host's whole cgroup tree") => draft.share(raw::CLONE_NEWCGROUP),
        "--share-user", say!("no user namespace: root inside is root outside; needs root") =>
            draft.share(raw::CLONE_NEWUSER),
        "--unshare-time", say!("make a time namespace (own boot and monotonic clocks)") =>
            draft.unshare(raw::CLONE_NEWTIME),
        #[cfg(feature = "ids")]
        "--map-uid IN:OUT:COUNT", say!("make COUNT user ids, from OUT on, the ids inside from IN on; repeatable") =>
            ids::add(&mut draft.users, first)?,
        #[cfg(feature = "ids")]
        "--map-gid IN:OUT:COUNT", say!("make COUNT group ids, from OUT on, the ids inside from IN on; repeatable") =>
            ids::add(&mut draft.members, first)?,
        #[cfg(feature = "ids")]
        "--map-auto", say!("map the ids that /etc/subuid and /etc/subgid grant to the caller") => draft.map_auto = true,
        #[cfg(feature = "idmap")]
        "--idmap", say!("files in DIR and SRC keep their owners on disk (idmapped); needs root") =>
            draft.spec.ids.idmap = true,
        #[cfg(feature = "join")]
        "--join-user TARGET", say!("join the user namespace of a process id, a pid file, fd:N or a path") =>
            draft.join(raw::CLONE_NEWUSER, first)?,
        #[cfg(feature = "join")]
        "--join-net TARGET", say!("join a network namespace, for example one of ip-netns(8)") =>
            draft.join(raw::CLONE_NEWNET, first)?,
        #[cfg(feature = "join")]
        "--join-ipc TARGET", say!("join an IPC namespace") => draft.join(raw::CLONE_NEWIPC, first)?,
        #[cfg(feature = "join")]
        "--join-uts TARGET", say!("join a UTS namespace (host name)") => draft.join(raw::CLONE_NEWUTS, first)?,
        #[cfg(feature = "join")]
        "--join-pid TARGET", say!("join a pid namespace") => draft.join(raw::CLONE_NEWPID, first)?,
        #[cfg(feature = "join")]
        "--join-mount TARGET", say!("join a mount namespace, and use its root") => draft.join(raw::CLONE_NEWNS, first)?,
        #[cfg(feature = "join")]
        "--join-cgroup TARGET", say!("join a cgroup namespace") => draft.join(raw::CLONE_NEWCGROUP, first)?,
        #[cfg(feature = "join")]
        "--join-time TARGET", say!("join a time namespace") => draft.join(raw::CLONE_NEWTIME, first)?,
    }
    #[cfg(feature = "container")]
    say!("Privileges of CMD, with or without a container"), Anywhere => {
        "--no-new-privs", say!("disable set-id bits and file capabilities (default in a container)") => {
            draft.spec.confine.no_new_privs = true;
            draft.spec.confine.asks_no_new_privs = true;
        },
    }
    #[cfg(feature = "container")]
    say!("Privileges and descriptors of CMD in a container"), Container => {
        "--allow-new-privs", say!("let set-id programs and file capabilities take effect") =>
            draft.spec.confine.no_new_privs = false,
        "--allow-nesting", say!("let CMD make namespaces and mounts (containers in the container)") =>
            draft.spec.namespaces.allow_nesting = true,
        "--seccomp-profile PROFILE", say!("filter CMD's system calls: default (set by --root and --enter) or none") =>
            draft.filtered = Some(values::profile(first)?),
        "--keep-keyring", say!("let CMD use the caller's session keyring (keyrings(7))") =>
            draft.spec.confine.keep_keyring = true,
        "--keep-fd N", say!("pass descriptor N to CMD, and no other above 2") =>
            draft.keep_fds.push(values::fd(first)?),
    }
    #[cfg(feature = "env")]
    say!("Environment, umask and groups of CMD"), Finds => {
        "--pass-env NAME", say!("pass the caller's variable NAME to CMD") =>
            draft.env_ops.push(EnvOp::Pass(Some(values::variable(first)?))),
        "--keep-env", say!("pass all of the caller's variables to CMD") => draft.env_ops.push(EnvOp::Pass(None)),
        "--umask OCTAL", say!("set the file mode creation mask of CMD (default: the caller's)") =>
            draft.spec.exec.umask = Some(values::umask(first)?),
        #[cfg(feature = "forms")]
        "--env-file FILE", say!("set the variables in FILE: NAME=VALUE lines; NAME passes the caller's") =>
            draft.env_ops.push(EnvOp::File(values::path(first)?)),
        #[cfg(all(feature = "ids", not(feature = "forms")))]
        "--groups GIDS", say!("set the supplementary groups of CMD, as in 27,44 (default: none)") =>
            draft.set_groups(first)?,
        #[cfg(all(feature = "ids", feature = "forms"))]
        "--groups GIDS", say!("set the supplementary groups of CMD, as in 27,video (default: none)") =>
            draft.set_groups(first)?,
    }
    say!("Signals and exit"), Anywhere => {
        "-h", say!("") => draft.asked = Asked::Common,
        "-V", say!("") => draft.asked = Asked::Version,
        "--init", say!("run CMD in place, without a container, and be its init") => draft.spec.parsed.in_place = true,
        "--group", say!("forward signals to CMD's process group") => draft.spec.life.audience = Audience::Group,
        "--all", say!("forward signals to every process (if not process 1: to every child)") =>
            draft.spec.life.audience = Audience::All,
        #[cfg(not(feature = "forms"))]
        "--rewrite A:B", say!("forward signal A as signal B; do not forward it if B is 0") => {
            let why = Wrong::value(say!("not a pair A:B of signal numbers"));
            draft.rewrite.insert(0, values::signals(first).ok_or(why)?);
        },
        #[cfg(feature = "forms")]
        "--rewrite A:B", say!("forward signal A as signal B, as in TERM:INT; drop it if B is 0") => {
            let why = Wrong::value(say!("not a pair of signals, by names or numbers, such as TERM:INT or 15:2"));
            draft.rewrite.insert(0, values::signals(first).ok_or(why)?);
        },
        #[cfg(not(feature = "forms"))]
        "--grace SECONDS", say!("after CMD's exit, kill other processes SECONDS after SIGTERM (default: 2)") =>
            draft.end = Some(End::Grace(values::time(first)?)),
        #[cfg(feature = "forms")]
        "--grace SECONDS", say!("after CMD's exit, time from SIGTERM to SIGKILL: 2 (default), 500ms, 1m30s") =>
            draft.end = Some(End::Grace(values::time(first)?)),
        "--wait-all", say!("after CMD's exit, wait until all other processes have ended") =>
            draft.end = Some(End::Wait),
        "--stop-timeout SECONDS", say!("kill CMD if it still runs SECONDS after a signal to end") =>
            draft.spec.life.stop_timeout = Some(values::time(first)?),
        "--remap N:M", say!("exit with M if CMD exits with N; without :M, exit with 0") => {
            let pair = values::pair(first, 255);
            let why = Wrong::value(say!("not N or N:M, exit statuses from 0 to 255"));
            draft.remap.insert(0, pair.ok_or(why)?);
        },
        "--propagate-signal", say!("if a signal kills CMD, die of the same signal") =>
            draft.spec.life.propagate = true,
        "--verbose", say!("report CMD's start and end; twice: signals too; three times: orphans too") =>
            draft.spec.life.verbose = draft.spec.life.verbose.saturating_add(1),
        #[cfg(feature = "explain")]
        "--explain", say!("print the steps, process by process, and run nothing") =>
            draft.asked = if draft.asked == Asked::Run { Asked::Explain } else { draft.asked },
        #[cfg(feature = "probe")]
        "--probe", say!("print which features work here, or why not; status 1 if --root does not") =>
            draft.asked = Asked::Probe,
        #[cfg(any(feature = "probe", all(feature = "stats", feature = "enter")))]
        "--json", say!("with --probe, or --enter and --stats: print a JSON object") => draft.json = true,
    }
    #[cfg(any(feature = "container", feature = "detach"))]
    say!("Running containers"), Anywhere => {
        #[cfg(feature = "enter")]
        "--enter TARGET", say!("run CMD in a container: its name, a process id in it, a pid file or fd:N") =>
            draft.spec.target = Some(draft.process(first)?),
        #[cfg(feature = "enter")]
        "--list", say!("print the running containers: name, id of process 1, age, program") => draft.asked = Asked::List,
        #[cfg(feature = "enter")]
        "--stop TARGET", say!("end a container with SIGTERM, and with --stop-timeout SIGKILL") =>
            draft.act_on(first, Asked::Stop)?,
        #[cfg(all(feature = "stats", feature = "enter"))]
        "--freeze TARGET", say!("stop all processes of the container of TARGET (needs a cgroup of its own)") =>
            draft.act_on(first, Asked::Freeze)?,
        #[cfg(all(feature = "stats", feature = "enter"))]
        "--thaw TARGET", say!("let the processes of a frozen container go on") =>
            draft.act_on(first, Asked::Thaw)?,
        #[cfg(feature = "pty")]
        "--pty", say!("give CMD a terminal of its own, even if the caller has none") => draft.spec.terminal.pty = true,
        #[cfg(feature = "container")]
        "--share-terminal", say!("let CMD use the caller's terminal, and read what is typed there") =>
            draft.spec.terminal.share = true,
        #[cfg(feature = "detach")]
        "--detach", say!("exit with 0 as soon as CMD runs, and leave it running") => draft.spec.channels.detach = true,
        #[cfg(feature = "detach")]
        "--pid-file PATH", say!("create PATH with the id of process 1 in it, and remove it at the end") =>
            draft.spec.channels.pid_file = Some(values::path(first)?),
        #[cfg(feature = "detach")]
        "--ready-fd N", say!("write a newline to descriptor N as soon as CMD runs") =>
            draft.store_fd(first, |draft| &mut draft.spec.channels.ready)?,
        #[cfg(feature = "status")]
        "--status-fd N", say!("write JSON lines to fd N: the container's process 1, then CMD's exit") => {
            draft.store_fd(first, |draft| &mut draft.spec.channels.status)?;
            draft.spec.channels.tells_signal = true;
        },
        #[cfg(feature = "container")]
        "--name NAME", say!("show NAME in ps, and use it as host name if none is given") => {
            draft.name = first;
            if first.is_empty() || first.count_bytes() > values::HOSTNAME_MAX {
                return Err(Wrong::value(say!("not 1 to 64 bytes long")));
            }
        },
    }
    #[cfg(feature = "boot")]
    say!("First process of a machine (/init: options go after -- on the kernel's command line)"), Anywhere => {
        "--boot", say!("prepare the machine, run CMD, shut the machine down; needs process 1") =>
            draft.spec.machine.boots = true,
        "--on-exit ACTION", say!("when CMD ends: poweroff (default), reboot, halt, shell or respawn") =>
            draft.spec.machine.at_end = values::at_end(first)?,
        "--respawn", say!("start CMD again each time it ends") => draft.spec.machine.at_end = AtEnd::Respawn,
        "--max-restarts N/SECONDS", say!("--respawn and --restart fail after N restarts in that time") =>
            draft.spec.machine.most = Some(values::most(first)?),
        "--on-failure HOW", say!("when CMD fails: poweroff, reboot, halt or shell") =>
            draft.spec.machine.on_failure = Some(values::on_failure(first)?),
        "--switch-root DIR", say!("make the mount point DIR the root, and become CMD there (/sbin/init)") => {
            draft.spec.machine.boots = true;
            draft.spec.machine.switch_root = Some(values::path(first)?);
        },
        #[cfg(feature = "hardware")]
        "--watchdog SECONDS", say!("start /dev/watchdog, which restarts a machine whose process 1 hangs") =>
            draft.spec.hardware.watchdog = Some(values::some_seconds(first)?),
        #[cfg(feature = "hardware")]
        "--seed FILE", say!("start the kernel's random numbers from FILE, and save new bytes there") =>
            draft.spec.hardware.seed = Some(values::path(first)?),
        #[cfg(feature = "hardware")]
        "--clock-epoch FILE", say!("set a clock that is behind to FILE's time, which is renewed at the end") =>
            draft.spec.hardware.clock = Some(values::path(first)?),
        #[cfg(feature = "hardware")]
        "--exit-port PORT", say!("at power-off, write CMD's status to a port of x86 (qemu's isa-debug-exit)") =>
            draft.spec.hardware.exit_port = Some(values::port(first)?),
        #[cfg(feature = "hardware")]
        "--exit-vsock CID:PORT", say!("at the end, send EXIT_STATUS=N by vsock; CID 2 is the host") =>
            draft.spec.hardware.exit_vsock = Some(values::vsock(first)?),
        #[cfg(feature = "hardware")]
        "--no-power-button", say!("do not power off when the power button is pressed") =>
            draft.spec.hardware.ignores_button = true,
        #[cfg(feature = "root-device")]
        "--wait-device SECONDS", say!("wait at most SECONDS for a device (default here: 10)") =>
            draft.spec.machine.wait_device = Some(values::seconds(first)?),
        #[cfg(all(feature = "root-device", feature = "overlay"))]
        "--overlay-device DEVICE", say!("keep writes to the root of --switch-root on the disk DEVICE (overlay)") =>
            draft.spec.machine.overlay_device = values::path(first)?,
        #[cfg(feature = "services")]
        "--console DEV", say!("run CMD, or a shell, on this terminal (repeatable)") =>
            draft.consoles.push(values::path(first)?),
        #[cfg(feature = "services")]
        "--service FILE", say!("start the service in FILE too (always: those in /etc/nsinit.d)") =>
            draft.services.push(values::path(first)?),
        #[cfg(feature = "services")]
        "--after NAME", say!("in a service's file: start it after the service NAME") => draft.after.push(first),
        #[cfg(feature = "services")]
        "--service-status", say!("print the services: name, state, process, starts, last end") =>
            draft.asked = Asked::Services,
    }
}

fn complain(_: &Texts, complaint: &Complaint, _: &CStr) -> i32 {
    let form = complaint.form;
    let mut line = Text::new();
    match complaint.kind {
        Kind::Unknown | Kind::UnknownLetter(_) => {
            line.say(say!("unknown option '")).push_printable(complaint.word.to_bytes());
            if !nearest::propose(&NATIVE, complaint.word.to_bytes(), &mut line) {
                line.say(UNKNOWN);
            }
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

/// After the name of an option that is unknown.
const UNKNOWN: Say =
    if rooms::ALL { say!("' (see nsinit --help)") } else { say!("' in this build (see nsinit --version and --help)") };
