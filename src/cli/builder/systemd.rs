//! `--systemd`: the container of an init that manages services, each in a cgroup of its own, as <https://systemd.io/CONTAINER_INTERFACE>
//! has it.

use engine::say;
use engine::spec::{Kind, Op};
use engine::text::Say;
use linux_raw_sys::general as raw;

use super::Draft;

/// SIGRTMIN+3: systemd ends all services and halts. SIGTERM and SIGHUP would load its program or its configuration again, SIGINT restart,
/// and SIGQUIT crash it (systemd(1), "Signals").
const HALT: u8 = 37;
/// SIGHUP, SIGINT, SIGQUIT, SIGTERM.
const ENDS: [u8; 4] = [1, 2, 3, 15];

impl Draft {
    pub const fn boot_systemd(&mut self) {
        self.boots_systemd = true;
        (self.spec.life.as_pid_1, self.spec.cgroup.delegated) = (true, true);
    }

    /// Adds a /run and a /tmp in memory, which the command could not mount without CAP_SYS_ADMIN, and the signal that ends it. What the
    /// user asks for comes after these mounts, and before these signals.
    ///
    /// # Errors
    /// The message: another option takes away what it needs.
    pub(super) fn settle_systemd(&mut self) -> Result<(), Say> {
        if !self.boots_systemd {
            return Ok(());
        }
        let spec = &self.spec;
        if !(spec.has_root() && spec.unshares(raw::CLONE_NEWPID) && spec.unshares(raw::CLONE_NEWCGROUP)) {
            return Err(say!("--systemd needs --root or --image, and a new pid and a new cgroup namespace"));
        }
        // The first rule for a signal counts.
        self.rewrite.extend(ENDS.map(|signal| (signal, HALT)));
        let mut mounts = [(c"/run", 0o755), (c"/run/lock", 0o1777), (c"/tmp", 0o1777)].map(|(dest, mode)| {
            let mut op = Op::new(Kind::Tmpfs, dest);
            op.mode = Some(mode);
            op
        });
        mounts[1].set |= raw::MOUNT_ATTR_NOEXEC;
        self.ops.splice(0..0, mounts);
        Ok(())
    }
}
