//! One feature that is tried: the process that tries it, and its line of the output.

use linux_raw_sys::general as raw;
use rustix::mount::MountPropagationFlags;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, getegid, geteuid};

use crate::fs::procfs;
use crate::ns::usermap;
use crate::process::{clone, connect};
use crate::report::hint::{self, Cause};
use crate::report::message::{blame, push_reason, write_line};
use crate::say;
use crate::spec::Spec;
use crate::state::Pipe;
use crate::sys::files::{read, write};
use crate::sys::{self, Change, Done, Failure, Fork, Signal, Standard, Start};
use crate::text::{Say, Text};

/// The exit status of a process that has printed `yes`.
pub const YES: i32 = 0;
/// The exit status of a process that has printed `no`.
pub const NO: i32 = 1;
/// The exit status of a process that could not print its line.
const FAILED: i32 = 2;

/// The namespaces that the clone of process 1 makes in any case. Process 1 or a helper makes the others.
const CLONED: u32 = raw::CLONE_NEWUSER | raw::CLONE_NEWPID | raw::CLONE_NEWCGROUP;

/// One feature.
pub struct Row {
    /// Its name. In JSON each blank is an underscore: names must not change.
    pub name: Say,
    /// The new namespaces (CLONE_NEW*) that it is tried in.
    pub inside: u32,
    /// Tries it, in a process of its own.
    pub attempt: fn(&mut Trial<'_>) -> Done,
    /// Why that failed.
    pub ask: Ask,
    /// A failure that has a cause of its own.
    pub special: (Failure, Cause),
}

/// The function that finds the cause of a failure.
#[cfg_attr(not(feature = "whole"), allow(dead_code, reason = "the rows of some features ask"))]
#[derive(Clone, Copy)]
pub enum Ask {
    Feature,
    Idmap,
    Mount,
    Namespaces,
    Overlay,
    Proc,
    Sys,
}

impl Row {
    fn cause(&self, spec: &Spec<'_>, why: Failure) -> Cause {
        let (special, cause) = self.special;
        match self.ask {
            _ if why == special => cause,
            Ask::Feature => hint::of_feature(why),
            Ask::Idmap => hint::of_idmap(why),
            Ask::Mount => hint::of_mount(why),
            Ask::Namespaces => hint::of_nested_users(spec, why),
            Ask::Overlay => hint::of_overlay(spec, why),
            Ask::Proc => hint::of_proc(spec, why),
            Ask::Sys => hint::of_sys(spec, why),
        }
    }
}

/// A feature that is tried.
pub struct Trial<'a> {
    pub row: &'static Row,
    /// That of a container with these namespaces.
    pub spec: &'a mut Spec<'static>,
    pub start: &'static Start,
    /// What is printed behind `yes`, or instead of a reason.
    pub detail: Text,
    /// The beginning of the line, in JSON; empty for text.
    pub json: &'static [u8],
}

impl Trial<'_> {
    /// Tries it in a child, whatever ends that. Returns the child's exit status.
    pub fn run(&mut self) -> i32 {
        match connect::plain_fork() {
            Ok(Fork::Child) => sys::exit(self.examine()),
            Ok(Fork::Parent(child)) => self.await_end(child),
            Err(_) => FAILED,
        }
    }

    /// Waits for a child that prints the line. If it was killed before, prints the line here.
    fn await_end(&mut self, child: Pid) -> i32 {
        loop {
            match sys::wait4(Some(child), true) {
                Ok(Some((_, Change::Exited(status)))) => return status.into(),
                Ok(Some((_, Change::Killed(signal)))) => return self.was_killed(signal),
                Ok(_) | Err(Failure::INTR) => {}
                Err(why) => {
                    blame(say!("wait for a process"), c"", why);
                    return FAILED;
                }
            }
        }
    }

    fn was_killed(&mut self, signal: Signal) -> i32 {
        self.detail.truncate(0);
        if signal == Signal::SYS {
            self.detail.say(say!("a seccomp filter killed the process (SIGSYS)"));
        } else {
            self.detail
                .say(say!("signal "))
                .push_number(signal.number().cast_unsigned())
                .say(say!(" killed the process"));
        }
        self.no(Failure::REPORTED, Cause::Unknown)
    }

    /// Tries it in a process that has the namespaces of the row.
    fn examine(&mut self) -> i32 {
        let kinds = self.spec.namespaces.new;
        if kinds == 0 {
            return self.attempt();
        }
        let forked = Pipe::new(PipeFlags::empty()).and_then(|pipe| Ok((pipe, clone::fork_plain(kinds & CLONED)?)));
        match forked {
            Ok((pipe, Fork::Child)) => {
                sys::close(pipe.write);
                // The end of the file: the ids are not mapped.
                sys::exit(if read(pipe.read, &mut [0u8]) == Ok(1) {
                    self.examine_inside(kinds & !CLONED)
                } else {
                    FAILED
                })
            }
            Ok((pipe, Fork::Parent(child))) => {
                let mapped = if kinds & raw::CLONE_NEWUSER != 0 { self.map_ids(child) } else { Ok(()) };
                if let Err(why) = mapped {
                    return self.no(why, hint::of_map(why));
                }
                let _ = write(pipe.write, b"!");
                self.await_end(child)
            }
            Err(why) => self.no(why, hint::of_namespaces(self.spec, false, why)),
        }
    }

    /// Maps the ids of a process in a new user namespace, as the launcher does.
    ///
    /// # Errors
    /// EPERM, EACCES: the kernel or a security module refuses it.
    pub fn map_ids(&self, process: Pid) -> Done {
        let process = procfs::process(procfs::open()?, process)?;
        if self.spec.ids.own_only {
            usermap::deny_setgroups(process)?;
        }
        usermap::write_map(process, c"uid_map", self.spec, 0, geteuid().as_raw())?;
        usermap::write_map(process, c"gid_map", self.spec, 0, getegid().as_raw())
    }

    fn examine_inside(&mut self, kinds: u32) -> i32 {
        if kinds != 0
            && let Err(why) = sys::unshare(kinds)
        {
            return self.no(why, hint::of_namespaces(self.spec, true, why));
        }
        // What is mounted must not come to the caller's mount namespace.
        const ALONE: MountPropagationFlags = MountPropagationFlags::PRIVATE.union(MountPropagationFlags::REC);
        if kinds & raw::CLONE_NEWNS != 0
            && let Err(why) = sys::mount_change(c"/", ALONE)
        {
            return self.no(why, hint::of_mount(why));
        }
        self.attempt()
    }

    fn attempt(&mut self) -> i32 {
        match (self.row.attempt)(self) {
            Ok(()) => self.yes(),
            Err(why) => self.no(why, self.row.cause(self.spec, why)),
        }
    }

    /// Prints that it works.
    fn yes(&self) -> i32 {
        let detail = self.detail.bytes();
        let mut line = Text::new();
        self.begin(&mut line, say!(": yes"), say!("\":{\"works\":true"));
        if self.json.is_empty() {
            if !detail.is_empty() {
                line.push(b" (").push_printable(detail).byte(b')');
            }
        } else {
            push_member(&mut line, say!(",\"detail\":\""), detail);
        }
        self.end(line, YES)
    }

    /// Prints that it does not work, and why.
    fn no(&self, why: Failure, cause: Cause) -> i32 {
        let (mut line, mut reason, mut hint) = (Text::new(), Text::new(), Text::new());
        self.begin(&mut line, say!(": no: "), say!("\":{\"works\":false"));
        reason.push(self.detail.bytes());
        if reason.bytes().is_empty() {
            push_reason(&mut reason, why);
        }
        hint.say(cause.hint());
        if self.json.is_empty() {
            line.push_printable(reason.bytes());
            if !hint.bytes().is_empty() {
                line.push(b" (").push(hint.bytes()).byte(b')');
            }
        } else {
            push_member(&mut line, say!(",\"reason\":\""), reason.bytes());
            push_member(&mut line, say!(",\"hint\":\""), hint.bytes());
        }
        self.end(line, NO)
    }

    fn begin(&self, line: &mut Text, text: Say, json: Say) {
        if self.json.is_empty() {
            line.say(self.row.name).say(text);
        } else {
            line.push(self.json);
            self.row.name.each(&mut |byte| {
                line.byte(if byte == b' ' { b'_' } else { byte });
            });
            line.say(json);
        }
    }

    fn end(&self, mut line: Text, status: i32) -> i32 {
        if !self.json.is_empty() {
            line.byte(b'}');
        }
        write_line(Standard::Output, &mut line);
        if let Some(why) = sys::unwritten() {
            blame(say!("write to"), c"standard output", why);
            return FAILED;
        }
        status
    }
}

/// A member of a JSON object with a string; none for an empty one. Only the bytes of ASCII that are printed are in the string.
fn push_member(line: &mut Text, name: Say, value: &[u8]) {
    if value.is_empty() {
        return;
    }
    line.say(name);
    for &byte in value {
        match byte {
            b'"' | b'\\' => line.byte(b'\\').byte(byte),
            b' '..=b'~' => line.byte(byte),
            _ => line.byte(b'?'),
        };
    }
    line.byte(b'"');
}
