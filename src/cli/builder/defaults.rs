//! Defaults, and consequences of the options: the mode, the namespaces, the ids, the capabilities.

use core::mem::take;

use engine::say;
use engine::spec::{Capabilities, End, Ids, Kind, Masks, Mode, Range, rooms};
use engine::sys::{self, FdSlot};
use engine::text::Say;
use engine::tty::job;
use linux_raw_sys::general as raw;
use rustix::process::{Pid, getegid, geteuid, getpid};

#[cfg(any(feature = "probe", feature = "stats", feature = "enter"))]
use super::Asked;
use super::Draft;

#[cfg(not(feature = "cgroup"))]
impl Draft {
    /// This build has no such option.
    const fn settle_systemd(&self) -> Result<(), Say> {
        Ok(())
    }
}

#[cfg(not(feature = "stats"))]
impl Draft {
    /// No option needs a cgroup without a limit.
    const fn settle_cgroup(&self) -> Result<(), Say> {
        Ok(())
    }
}

impl Draft {
    /// Completes the Spec with the defaults. A container without a command gets a shell.
    ///
    /// # Errors
    /// The message: options cannot be combined, or an option needs another one after it.
    pub fn finish(&mut self) -> Result<(), Say> {
        self.check_leftovers()?;
        #[cfg(any(feature = "probe", feature = "stats", feature = "enter"))]
        self.check_alone()?;
        let allowed = u32::from(self.spec.root.image);
        if rooms::BOOT && self.spec.machine.switch_root.is_some() && self.containing > allowed {
            return Err(say!(
                "--switch-root makes no container: of the options of a container it takes --image, --volatile, --overlay-root, --overlay-device and the operations on the root"
            ));
        }
        self.contained = self.is_contained();
        if self.contained && !rooms::CONTAINER {
            return Err(say!("this build makes no containers (use --init to run CMD in place)"));
        }
        self.settle_cgroup()?;
        self.spec.cgroup.settings = take(&mut self.settings).leak();
        self.spec.net.links = take(&mut self.links).leak();
        self.spec.cgroup.old = take(&mut self.old_cgroups).leak();
        let sandbox = self.contained && self.spec.root.directory.is_empty() && self.spec.target.is_none();
        if sandbox && !rooms::BWRAP {
            return Err(say!("this build makes no sandboxes (use --root, or --init to run CMD in place)"));
        }
        let own = (geteuid().as_raw(), getegid().as_raw());
        self.choose_mode(own.0 != 0);
        let root = self.spec.has_preset();
        if rooms::CONTAINER {
            let presumed = self.presume(own);
            self.settle_systemd()?;
            self.name();
            self.confine(presumed, own);
        }
        let makes = self.makes_container();
        let spec = &mut self.spec;
        spec.life.end = self.end.unwrap_or(spec.life.end);
        spec.life.process_1 =
            if makes { spec.unshares(raw::CLONE_NEWPID) } else { getpid() == Pid::INIT && !spec.boots() };
        self.make_env(root);
        self.place(root);
        let spec = &mut self.spec;
        spec.exec.command = spec.exec.argv.command();
        if let Some(name) = self.argv_0 {
            spec.exec.argv.rename(name);
        }
        spec.machine.services = take(&mut self.services).leak();
        spec.machine.consoles = take(&mut self.consoles).leak();
        spec.machine.after = take(&mut self.after).leak();
        spec.confine.landlock.rules = take(&mut self.rules).leak();
        spec.confine.limits = take(&mut self.limits).leak();
        spec.namespaces.sysctls = take(&mut self.sysctls).leak();
        spec.life.rewrite = take(&mut self.rewrite).leak();
        spec.life.remap = take(&mut self.remap).leak();
        spec.exec.keep_fds = take(&mut self.keep_fds).leak();
        Ok(())
    }

    #[cfg(any(feature = "probe", feature = "stats", feature = "enter"))]
    fn check_alone(&self) -> Result<(), Say> {
        let json = u32::from(self.json);
        let timeout = u32::from(self.spec.life.stop_timeout.is_some());
        let of_running = self.spec.cgroup.stats && self.spec.target.is_some();
        let (count, why) = match self.asked {
            Asked::List | Asked::Freeze | Asked::Thaw if rooms::ENTER => {
                (1, say!("--list, --freeze and --thaw go alone, and without a command"))
            }
            Asked::Stop if rooms::ENTER => {
                (1 + timeout, say!("--stop goes with --stop-timeout only, and without a command"))
            }
            Asked::Probe if rooms::PROBE => (1 + json, say!("--probe goes with --json only, and without a command")),
            _ if rooms::STATS && of_running => {
                (2 + json, say!("--enter and --stats go with --json only, and without a command"))
            }
            _ if self.json => return Err(say!("--json needs --probe, or --enter and --stats")),
            _ => return Ok(()),
        };
        if self.given == count && self.spec.exec.argv.is_none() { Ok(()) } else { Err(why) }
    }

    /// Sets the ids and the capabilities of the command, from the options and the defaults.
    fn confine(&mut self, (ids, capabilities): ((u32, u32), u64), own: (u32, u32)) {
        let spec = &mut self.spec;
        let root = spec.has_preset();
        (spec.ids.uid, spec.ids.gid) = (self.uid.unwrap_or(ids.0), self.gid.unwrap_or(ids.1));
        spec.ids.chosen = self.uid.is_some() || self.gid.is_some();
        (spec.ids.other_uid, spec.ids.other_gid) = (spec.ids.uid != own.0, spec.ids.gid != own.1);
        let wanted = capabilities & !self.cap_drop | self.cap_add;
        let changed = self.cap_add | self.cap_drop != 0;
        spec.confine.capabilities = if root {
            // A command that is not root has only the capabilities of --cap-add.
            let is_root = matches!(spec.ids.uid, 0 | Ids::OF_TARGET);
            let ambient = if is_root { 0 } else { self.cap_add };
            Capabilities { bounding: wanted, held: if is_root { wanted } else { ambient }, ambient }
        } else if !self.contained {
            // Another user than root keeps what is ambient alone (capabilities(7)).
            let held = if spec.ids.uid == 0 || !spec.ids.other_uid { wanted } else { self.cap_add };
            let ambient = if spec.ids.rootless && changed { held } else { self.cap_add };
            Capabilities { bounding: !self.cap_drop, held, ambient }
        } else {
            let bounding = if spec.in_user_namespace() { wanted } else { Capabilities::ALL };
            Capabilities { bounding, held: wanted, ambient: if changed { wanted } else { 0 } }
        };
        if spec.shows_through_map() {
            let binds = self.ops.iter_mut().filter(|op| op.is_bind_of_files());
            binds.for_each(|op| op.tree = Some(Box::leak(Box::new(FdSlot::new()))));
        }
        spec.confine.filtered = self.filtered.unwrap_or(root);
        // The mounts of the user come first: one may be /run, and the path lead there.
        if let Some(at) = self.ops.iter().position(|op| op.kind == Kind::ResolvConf) {
            let last = self.ops.remove(at);
            self.ops.push(last);
        }
        spec.root.ops = take(&mut self.ops).leak();
        spec.life.locks = take(&mut self.locks).leak();
        if let Some(sync) = spec.channels.sync {
            // With --as-pid-1 nsinit itself becomes the command, which keeps the descriptor open.
            let _ = sys::close_on_exec(sync, spec.supervises());
        }
    }

    fn choose_mode(&mut self, rootless: bool) {
        let spec = &mut self.spec;
        spec.ids.rootless = rootless;
        spec.mode = if rooms::ENTER && spec.target.is_some() {
            Mode::Enter
        } else if !rooms::CONTAINER || !self.contained {
            Mode::Init
        } else if spec.root.directory.is_empty() {
            Mode::Sandbox
        } else {
            Mode::Root
        };
    }

    /// Sets the defaults. Returns the default ids and capabilities of the command.
    fn presume(&mut self, own: (u32, u32)) -> ((u32, u32), u64) {
        let spec = &mut self.spec;
        // It is new, unless an option says otherwise, which is refused then.
        if spec.is_connected() {
            self.unshared |= raw::CLONE_NEWNET & !self.shared;
        }
        spec.namespaces.joins.named = take(&mut self.joins).leak();
        let joined = spec.namespaces.joins.named.iter().fold(0, |all, (kind, _)| all | kind);
        let presumed = if spec.has_preset() {
            spec.namespaces.optional =
                if spec.ids.rootless { 0 } else { raw::CLONE_NEWUSER & !(self.unshared & !self.optional) };
            spec.ids.own_only = spec.ids.rootless || joined & raw::CLONE_NEWUSER != 0;
            spec.life.die_together = true;
            // The user namespace of the target may not map 0.
            let id = if spec.enters() { Ids::OF_TARGET } else { 0 };
            ((id, id), Capabilities::USUAL)
        } else {
            if self.contained {
                let user = spec.ids.rootless && !spec.joins_user();
                spec.namespaces.new = raw::CLONE_NEWNS | if user { raw::CLONE_NEWUSER } else { 0 };
                spec.ids.own_only = true;
                spec.life.own_group = false;
                // A container with a cgroup or a way out ends with its launcher, which removes these.
                let ends = spec.has_cgroup() || spec.is_connected();
                // So does one below a keeper, which may start another one in its place.
                spec.life.die_together |= ends || spec.has_keeper();
                spec.life.end = if ends || spec.keeper.restarts() { spec.life.end } else { End::Leave };
                spec.root.masks = Masks::ReadOnly;
                spec.exec.keep_all_fds = self.keep_fds.is_empty();
            }
            spec.namespaces.optional = self.optional;
            // The creator of a user namespace has all capabilities in it; an ordinary user's command keeps none of them.
            let own =
                if spec.maps_ranges() { (inside(spec.ids.users, own.0), inside(spec.ids.members, own.1)) } else { own };
            let none = spec.ids.rootless && self.contained;
            (own, if none { 0 } else { sys::capget().unwrap_or_default() })
        };
        if spec.maps_ranges() {
            spec.ids.own_only = false;
            // CMD must not run with other ids than was asked for.
            spec.namespaces.optional &= !raw::CLONE_NEWUSER;
        }
        if spec.has_preset() && !spec.terminal.pty && !spec.terminal.share {
            spec.terminal.pty = rooms::PTY && !spec.detaches() && job::is_all_standard();
            spec.terminal.withheld = !spec.terminal.pty;
            // With --as-pid-1 and --enter there is no process 1 of nsinit's above the command: the command leads the session.
            let leads = spec.life.as_pid_1 || spec.enters();
            spec.terminal.session_if_any = spec.terminal.withheld && leads && !spec.life.new_session;
            spec.life.new_session |= spec.terminal.session_if_any;
        }
        if spec.has_pty() {
            // The pty has a session of its own, whose leader outlives the command.
            spec.life.new_session = false;
            spec.life.own_group = true;
        }
        if !self.masks {
            spec.root.masks = Masks::None;
        }
        spec.namespaces.new =
            if self.contained { (spec.namespaces.new & !self.shared | self.unshared) & !joined } else { 0 };
        if spec.enters() {
            spec.namespaces.new = 0;
            // Processes that the command leaves running belong to the container.
            spec.life.end = End::AtOnce;
            // The target's directory.
            spec.exec.directory = Some(c".");
        }
        presumed
    }
}

/// The id inside of an id of the caller; 0 if it is not mapped.
fn inside(ranges: &[Range], own: u32) -> u32 {
    ranges.iter().find_map(|range| range.inside_of(own)).unwrap_or(0)
}
