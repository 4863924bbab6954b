//! The limits are written, and the controllers for them are enabled.

use rustix::fs::{FileType, OFlags, major, minor, stat};

use crate::cgroup::make;
use crate::cgroup::tree::{CONTROL, CONTROLLERS};
use crate::ns::target::read_whole;
use crate::report::hint;
use crate::report::message::blame_hint;
use crate::say;
use crate::spec::{Setting, rooms};
use crate::state::{Cgroup, Launch};
use crate::sys::files::{self, Fd, write};
use crate::sys::{self, Done, Failure, c_str};
use crate::text::{self, PATH, Say, Short, Text, verb};

const ENABLE: Say = say!("enable cgroup controller");
const LOOK_UP: Say = say!("look up device");

/// The controller whose limits are written when process 1 is in the cgroup. A process that is born there is not limited by a cpuset
/// (clone(2), before Linux 6.3); a write limits all processes that are there.
pub const CPUSET: &[u8] = b"cpuset";

/// Writes the settings. If one fails, the launch ends, and the cgroup is removed. `late`: process 1 is in the cgroup, and waits.
///
/// # Errors
/// Reported, with the file, the controller or the device.
pub fn write_all(launch: &mut Launch, late: bool) -> Done {
    let settings = launch.spec.cgroup.settings;
    let mut now = settings.iter().filter(|setting| (setting.controller() == CPUSET) == late);
    now.try_for_each(|setting| {
        let own = launch.cgroup.get()?.own;
        if rooms::STATS && setting.value.is_empty() {
            wish_for(launch, setting.controller());
            return Ok(());
        }
        let file = match open(own, setting) {
            // The file is there as soon as its controller is enabled in the cgroup above.
            Err(Failure::NOENT) => enable(launch, setting.controller()).and_then(|()| open(own, setting)),
            file => file,
        };
        let mut done = file.and_then(|file| put(file, setting));
        // Programs look there, and may raise it; the limit of the cgroup above holds.
        if let (Ok(()), Some(inner)) = (done, launch.cgroup.get()?.inner) {
            done = open(inner, setting).and_then(|file| put(file, setting));
        }
        done.map_err(|why| blame_hint(verb::WRITE, setting.file, why, hint::of_setting(why).hint()))
    })
}

fn open(cgroup: Fd, setting: &Setting<'_>) -> Result<Fd, Failure> {
    files::open(cgroup, setting.file, OFlags::WRONLY)
}

fn put(file: Fd, setting: &Setting<'_>) -> Done {
    let mut text = Text::new();
    if let Some(device) = setting.device {
        let number = match stat(device) {
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::BlockDevice => found.st_rdev,
            found => {
                let why = found.map_or_else(Failure::from, |_| Failure::NOTBLK);
                return Err(blame_hint(LOOK_UP, device, why, Say::NOTHING));
            }
        };
        text.push_number(major(number)).byte(b':').push_number(minor(number)).byte(b' ');
    }
    write(file, text.push(setting.value.to_bytes()).bytes())?;
    sys::close(file);
    Ok(())
}

/// Enables a controller that the cgroup above has. If that fails, the container goes without it.
fn wish_for(launch: &mut Launch, controller: &[u8]) {
    let Ok(cgroup) = launch.cgroup.get() else { return };
    let mut list = [0u8; PATH];
    let there = read_whole(cgroup.parent, CONTROLLERS, &mut list).is_ok()
        && text::place(text::first(c_str(&list).to_bytes(), b'\n'), controller).is_some();
    if there {
        let _ = switch_on(launch, controller, false);
    }
}

fn is_limit_on_processes(setting: &Setting<'_>) -> bool {
    setting.file == c"pids.max" && !setting.value.is_empty()
}

/// Sets the limit on processes to `value`, or again to that of the settings. Returns whether there is one.
///
/// # Errors
/// See write(2).
pub fn set_processes(launch: &Launch, value: Option<&[u8]>) -> Result<bool, Failure> {
    let Cgroup { own, inner, .. } = launch.cgroup.get()?;
    let mut some = false;
    for setting in launch.spec.cgroup.settings.iter().filter(|setting| is_limit_on_processes(setting)) {
        for cgroup in [Some(own), inner].into_iter().flatten() {
            let file = open(cgroup, setting)?;
            write(file, value.unwrap_or(setting.value.to_bytes()))?;
            sys::close(file);
        }
        some = true;
    }
    Ok(some)
}

/// Enables a controller for the children of the cgroup above, which every cgroup of version 2 there then has.
fn enable(launch: &mut Launch, controller: &[u8]) -> Done {
    // Every cgroup has the files of this name.
    if controller == b"cgroup" {
        return Ok(());
    }
    switch_on(launch, controller, true).map_err(|why| {
        let mut name = Short::new();
        blame_hint(ENABLE, name.push(controller).c_str(), why, hint::of_controller(controller, why).hint())
    })
}

fn switch_on(launch: &mut Launch, controller: &[u8], with_others: bool) -> Done {
    make::leave_parent(launch, with_others)?;
    let file = files::open(launch.cgroup.get()?.parent, CONTROL, OFlags::WRONLY)?;
    let written = write(file, Short::new().byte(b'+').push(controller).bytes());
    sys::close(file);
    written.map(|_| ())
}
