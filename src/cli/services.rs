//! The services of a machine: their files, and the options in them.

use core::ffi::CStr;

use engine::report::message::{blame, failed, warn};
use engine::say;
use engine::spec::Spec;
use engine::supervise::services::{STATUS, Service};
use engine::sys::files;
use engine::sys::{self, Failure, Standard, Start};
use engine::text::Say;
use rustix::fs::OFlags;

use super::builder::Asked;
use super::dialects::NATIVE;
use super::words;
use super::{CommandLine, args_file};

/// Each file in it is a service.
const DIRECTORY: &[u8] = b"/etc/nsinit.d/";

/// All services of a machine: those of [`DIRECTORY`] by name, those of --service, and one for each terminal of --console. A
/// service with a mistake is left out, after a message.
pub fn all(spec: &Spec<'static>, start: &'static Start) -> &'static mut [Service] {
    let mut list = Vec::new();
    if spec.machine.switch_root.is_some() {
        return list.leak();
    }
    let paths: Vec<&'static CStr> = names().into_iter().chain(spec.machine.services.iter().copied()).collect();
    for path in paths {
        let name = sys::tail(path, path.count_bytes() - words::base(path).len());
        match request(path, start) {
            Some(spec) => list.push(Service::new(name, spec, None)),
            None => warn(say!("start service"), name, Failure::INVAL, say!("see the line before")),
        }
    }
    for service in &list {
        for name in service.spec.machine.after {
            if !list.iter().any(|other| other.name == *name) {
                let what = [service.name.to_bytes(), b" wait for ", name.to_bytes_with_nul()].concat();
                warn(say!("have service"), sys::c_str(&what), Failure::NOENT, Say::NOTHING);
            }
        }
    }
    if !spec.machine.consoles.is_empty() {
        let command: &'static Spec<'static> = Box::leak(Box::new(*spec));
        list.extend(spec.machine.consoles.iter().map(|device| Service::new(device, command, Some(device))));
    }
    list.leak()
}

/// The paths of the files in [`DIRECTORY`], but for hidden ones and copies of editors.
fn names() -> Vec<&'static CStr> {
    let mut paths = Vec::new();
    let opened = files::open_path(c"/etc/nsinit.d", OFlags::RDONLY | OFlags::DIRECTORY);
    let Ok(directory) = opened else { return paths };
    files::each_name(directory, &mut |name| {
        if !matches!(name.to_bytes(), [] | [b'.', ..] | [.., b'~']) {
            paths.push(sys::c_str([DIRECTORY, name.to_bytes_with_nul()].concat().leak()));
        }
    });
    paths.sort_unstable();
    paths
}

/// The request in the file of a service. `None`, after a message: there is a mistake in it.
#[inline(never)]
fn request(path: &'static CStr, start: &'static Start) -> Option<&'static Spec<'static>> {
    let mut text = Vec::new();
    match args_file::words(path, &mut text) {
        Some(true) => {}
        Some(false) => return None,
        None => {
            blame(say!("open"), path, Failure::NOENT);
            return None;
        }
    }
    let mut line = CommandLine::new(NATIVE, c"", start);
    let machine = &mut line.draft.spec.machine;
    (machine.boots, machine.is_service) = (true, true);
    line.read(words::of_text(text.leak()), start);
    if line.command.is_ok_and(|command| command.is_none()) && line.draft.asked == Asked::Run {
        let _ = line.complain_of_no_command();
        return None;
    }
    line.is_meant(start).then(|| &*Box::leak(Box::new(line.draft.spec)))
}

/// `--service-status`. Returns the exit status.
pub fn print() -> i32 {
    let text = files::open_path(STATUS, OFlags::RDONLY).and_then(args_file::content);
    match text {
        Ok(text) => {
            sys::write(Standard::Output, text);
            0
        }
        Err(why) => {
            blame(say!("read"), STATUS, why);
            failed()
        }
    }
}
