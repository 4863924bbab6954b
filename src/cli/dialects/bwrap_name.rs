//! bubblewrap, under its own name: its wording and its exit statuses. Its options are in [`bwrap`].

use core::ffi::CStr;

use engine::report::message;
use engine::report::wording::{Hints, Wording};
use engine::say;
use engine::spec::validate::Misuse;
use engine::sys::{self, Failure, Standard};
use engine::text::{Say, Text, verb};

use super::super::builder::Asked;
use super::super::complaint::{Complaint, How, Kind};
use super::super::rows::Vocabulary;
use super::super::texts::{self, Texts};
use super::super::usage;
use super::bwrap::{self, OPTIONS};

pub static BWRAP: Vocabulary = Vocabulary {
    names: "bwrap ",
    wording: &WORDING,
    begin: |draft| {
        draft.contained = true;
        draft.is_bwrap = true;
        Ok(())
    },
    rows: bwrap::ROWS,
    helps: bwrap::HELPS,
    groups: bwrap::GROUPS,
    once: bwrap::ONCE_ONLY,
    act: bwrap::act,
    complain,
    print,
    texts: Texts { version: say!("bubblewrap 0.13.1\n"), ..Texts::NONE },
    makes_containers: true,
    abbreviates: false,
    joins_values: false,
    ..Vocabulary::WITHOUT_TEXTS
};

static WORDING: Wording = Wording {
    prefix: say!("bwrap: "),
    cannot: say!("Can't "),
    verbs: VERBS,
    failure,
    misuse,
    names_mount_points: true,
    hints: Hints::None,
    execute: say!("execvp &"),
    ..Wording::OTHER
};

static VERBS: &[(Say, Say)] = &[
    (verb::COPY_MOUNT, say!("Can't find source path")),
    (verb::MAKE_DIRECTORY, say!("Can't mkdir")),
    (verb::MAKE_FILE, say!("Can't create file")),
    (verb::MAKE_SYMLINK, say!("Can't make symlink at")),
    (verb::CHANGE_MODE, say!("Can't chmod")),
    (verb::MAKE_READ_ONLY, say!("Can't remount readonly on")),
    (verb::ENTER_DIRECTORY, say!("Can't chdir to")),
    (verb::CREATE_NAMESPACES, say!("Creating new namespace failed")),
    (verb::WRITE_SETGROUPS, say!("error writing to setgroups")),
    (verb::WRITE_UID_MAP, say!("setting up uid map")),
    (verb::WRITE_GID_MAP, say!("setting up gid map")),
    (verb::WRITE, say!("Write to")),
    (verb::MAKE_SLAVE, say!("Failed to make / slave")),
    (verb::LOCK, say!("Unable to lock file")),
    (verb::OPEN_LOCK_FILE, say!("Unable to open lock file")),
    (verb::OPEN_DIRECTORY, say!("Can't find source path")),
    (verb::MOUNT_OVERLAY, say!("Can't make overlay mount on")),
    (verb::FILTER_CALLS, say!("Unable to set up system call filtering as requested")),
    (verb::JOIN_USER, say!("Joining the specified user namespace failed:")),
    (verb::JOIN_PID, say!("Setting pidns failed:")),
];

/// Messages that programs look for, such as bubblewrap's own tests.
fn failure(says: Say, why: Failure) -> Say {
    match why {
        Failure::SYMLINK if says != verb::MAKE_FILE && says != verb::CHANGE_MODE => {
            say!("Can't mount on symlink destination")
        }
        Failure::NO_DIRECTORY => say!("Destination is not a directory"),
        Failure::NO_FILE => say!("Destination is not a file"),
        Failure::PERM if says == verb::CREATE_NAMESPACES => say!(
            "No permissions to create a new namespace, likely because the kernel does not allow non-privileged user namespaces."
        ),
        _ => Say::NOTHING,
    }
}

fn misuse(misuse: Misuse) -> Say {
    match misuse {
        Misuse::Other => Say::NOTHING,
        Misuse::HostnameWithoutUts => say!("Specifying --hostname requires --unshare-uts"),
        Misuse::Pid1WithoutPids => say!("Specifying --as-pid-1 requires --unshare-pid"),
        Misuse::Pid1WithLocks => say!("Specifying --as-pid-1 and --lock-file is not permitted"),
        Misuse::UidWithoutUsers => say!("Specifying --uid requires --unshare-user or --userns"),
        Misuse::GidWithoutUsers => say!("Specifying --gid requires --unshare-user or --userns"),
        Misuse::UsersTwice => say!("--userns not compatible --unshare-user"),
        Misuse::NoMoreUsersWithoutUsers => say!("--disable-userns requires --unshare-user"),
        Misuse::MapsWithoutUsers => say!("--userns-block-fd requires --unshare-user"),
        Misuse::MapsWithoutInfo => say!("--userns-block-fd requires --info-fd"),
        Misuse::OverlayWithoutLayers => say!("--overlay requires at least one --overlay-src"),
        Misuse::TmpOverlayWithoutLayers => say!("--tmp-overlay requires at least one --overlay-src"),
        Misuse::ReadOnlyOverlayWithoutLayers => say!("--ro-overlay requires at least two --overlay-src"),
    }
}

fn complain(_: &Texts, complaint: &Complaint, program: &CStr) -> i32 {
    let form = complaint.form;
    let mut line = Text::new();
    match complaint.kind {
        Kind::CommandMissing => {
            list(Standard::Error, program);
            return message::failed();
        }
        Kind::ValueMissing => {
            line.push(form.name()).say(match form.count() {
                1 => say!(" takes an argument"),
                2 => say!(" takes two arguments"),
                _ => say!(" takes three arguments"),
            });
        }
        Kind::ValueWrong => match complaint.why.how() {
            How::Sentence => {
                line.say(complaint.why.why());
            }
            How::Option => {
                line.push(form.name()).byte(b' ').say(complaint.why.why());
            }
            How::Capability => {
                line.say(say!("unknown cap: ")).push_printable(complaint.word.to_bytes());
            }
            How::Variable => {
                line.push(form.name().get(2..).unwrap_or_default()).push(b" failed");
            }
            How::Value => {
                line.say(say!("Invalid "));
                form.value().iter().for_each(|byte| {
                    line.byte(byte.to_ascii_lowercase());
                });
                line.push(b": ").push_printable(complaint.word.to_bytes());
            }
        },
        _ => {
            line.say(say!("Unknown option ")).push_printable(complaint.word.to_bytes());
        }
    }
    message::fatal(&line)
}

fn print(texts: &Texts, asked: Asked, program: &CStr) {
    if asked == Asked::Version {
        texts::print(texts, asked, program);
    } else {
        list(Standard::Output, program);
    }
}

/// Prints the options.
fn list(to: Standard, program: &CStr) {
    let mut line = Text::new();
    line.say(say!("usage: ")).push(program.to_bytes()).say(say!(" [OPTIONS...] [--] COMMAND [ARGS...]\n\n"));
    sys::write(to, line.bytes());
    usage::rows(&OPTIONS, false, &mut |line| {
        sys::write(to, line.bytes());
    });
}
