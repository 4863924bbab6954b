//! Defaults, and consequences of the options: the mode, the namespaces, the ids, the capabilities.

use core::mem::take;

use engine::say;
use engine::spec::{Capabilities, End, Ids, Masks, Mode};
use engine::sys;
use engine::text::Say;
use engine::tty::job;
use linux_raw_sys::general as raw;
use rustix::process::{Pid, getegid, geteuid, getpid};

use super::Draft;

impl Draft {
    /// Completes the Spec with the defaults. A container without a command gets a shell.
    ///
    /// # Errors
    /// The message: options cannot be combined, or an option needs another one after it.
    pub fn finish(&mut self) -> Result<(), Say> {
        self.check_leftovers()?;
        if self.spec.machine.switch_root.is_some() {
            if self.containing > u32::from(self.spec.root.image) {
                return Err(say!(
                    "--switch-root makes no container: the only container option that can be combined with it is --image"
                ));
            }
            (self.contained, self.finds) = (false, false);
        }
        self.contained = self.is_contained();
        let own = (geteuid().as_raw(), getegid().as_raw());
        self.choose_mode(own.0 != 0);
        let root = self.spec.has_preset();
        let (ids, capabilities) = self.presume(own);
        self.name();
        let spec = &mut self.spec;
        (spec.ids.uid, spec.ids.gid) = (self.uid.unwrap_or(ids.0), self.gid.unwrap_or(ids.1));
        (spec.ids.other_uid, spec.ids.other_gid) = (spec.ids.uid != own.0, spec.ids.gid != own.1);
        let wanted = capabilities & !self.cap_drop | self.cap_add;
        let changed = self.cap_add | self.cap_drop != 0;
        spec.confine.capabilities = if root {
            // A command that is not root has only the capabilities of --cap-add.
            let is_root = matches!(spec.ids.uid, 0 | Ids::OF_TARGET);
            let ambient = if is_root { 0 } else { self.cap_add };
            Capabilities { bounding: wanted, held: if is_root { wanted } else { ambient }, ambient }
        } else {
            let bounding = if spec.in_user_namespace() { wanted } else { Capabilities::ALL };
            Capabilities { bounding, held: wanted, ambient: if changed { wanted } else { 0 } }
        };
        spec.life.end = self.end.unwrap_or(spec.life.end);
        spec.life.process_1 = if self.contained {
            spec.unshares(raw::CLONE_NEWPID)
        } else {
            getpid() == Pid::INIT && !spec.machine.boots
        };
        self.make_env(root);
        self.place(root);
        let spec = &mut self.spec;
        spec.exec.command = spec.exec.argv.command();
        if let Some(name) = self.argv_0 {
            spec.exec.argv.rename(name);
        }
        spec.life.rewrite = take(&mut self.rewrite).leak();
        spec.life.remap = take(&mut self.remap).leak();
        spec.root.ops = take(&mut self.ops).leak();
        spec.exec.keep_fds = take(&mut self.keep_fds).leak();
        spec.life.locks = take(&mut self.locks).leak();
        if let Some(sync) = spec.channels.sync {
            // With --as-pid-1 nsinit itself becomes the command, which keeps the descriptor open.
            let _ = sys::close_on_exec(sync, spec.supervises());
        }
        Ok(())
    }

    fn choose_mode(&mut self, rootless: bool) {
        let spec = &mut self.spec;
        spec.ids.rootless = rootless;
        spec.mode = if spec.target.is_some() {
            Mode::Enter
        } else if !self.contained {
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
        spec.namespaces.joins.named = take(&mut self.joins).leak();
        let joined = spec.namespaces.joins.named.iter().fold(0, |all, (kind, _)| all | kind);
        let presumed = if spec.has_preset() {
            spec.namespaces.optional =
                if spec.ids.rootless { 0 } else { raw::CLONE_NEWUSER & !(self.unshared & !self.optional) };
            spec.ids.own_only = spec.ids.rootless || joined & raw::CLONE_NEWUSER != 0;
            spec.life.die_together = true;
            // The user namespace of the target may not map 0.
            let id = if spec.mode == Mode::Enter { Ids::OF_TARGET } else { 0 };
            ((id, id), Capabilities::USUAL)
        } else {
            if self.contained {
                let user = spec.ids.rootless && !spec.joins_user();
                spec.namespaces.new = raw::CLONE_NEWNS | if user { raw::CLONE_NEWUSER } else { 0 };
                spec.ids.own_only = true;
                spec.life.own_group = false;
                spec.life.end = End::Leave;
                spec.root.masks = Masks::ReadOnly;
                spec.exec.keep_all_fds = self.keep_fds.is_empty();
            }
            spec.namespaces.optional = self.optional;
            // The creator of a user namespace has all capabilities in it; an ordinary user's command keeps none of them.
            (own, if spec.ids.rootless { 0 } else { sys::capget().unwrap_or_default() })
        };
        if spec.has_preset() && !spec.terminal.pty && !spec.terminal.share {
            spec.terminal.pty = !spec.channels.detach && job::is_all_standard();
            spec.terminal.withheld = !spec.terminal.pty;
            // With --as-pid-1 and --enter there is no process 1 of nsinit's above the command: the command leads the session.
            let leads = spec.life.as_pid_1 || spec.mode == Mode::Enter;
            spec.terminal.session_if_any = spec.terminal.withheld && leads && !spec.life.new_session;
            spec.life.new_session |= spec.terminal.session_if_any;
        }
        if spec.terminal.pty {
            // The pty has a session of its own, whose leader outlives the command.
            spec.life.new_session = false;
            spec.life.own_group = true;
        }
        if !self.masks {
            spec.root.masks = Masks::None;
        }
        spec.namespaces.new =
            if self.contained { (spec.namespaces.new & !self.shared | self.unshared) & !joined } else { 0 };
        if spec.mode == Mode::Enter {
            spec.namespaces.new = 0;
            // Processes that the command leaves running belong to the container.
            spec.life.end = End::AtOnce;
            // The target's directory.
            spec.exec.directory = Some(c".");
        }
        presumed
    }
}
