//! Facts about the keeper that follow from a Spec.

use super::{AtEnd, Spec, rooms};
#[cfg(feature = "keeper")]
use super::{Channels, Kind};
#[cfg(feature = "keeper")]
use crate::say;
use crate::sys::Signal;
use crate::text::Say;

impl Spec<'_> {
    /// Whether a keeper stays above the launcher.
    #[must_use]
    pub const fn has_keeper(&self) -> bool {
        let keeper = &self.keeper;
        let asked = keeper.restarts() || keeper.log.is_some() || keeper.notify.is_some() || keeper.pid_file.is_some();
        rooms::KEEPER && asked && !keeper.is_kept
    }

    /// Whether restarts are limited, and there are none.
    #[must_use]
    pub fn limits_no_restart(&self) -> bool {
        self.machine.most.is_some() && self.machine.at_end != AtEnd::Respawn && !self.keeper.restarts()
    }

    /// Whether this is the request for a launcher below a keeper.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        rooms::KEEPER && self.keeper.is_kept
    }

    /// Whether the keeper reaps process 1 if the launcher was killed. Without a pid namespace, orphans that CMD has left behind would
    /// become its children too.
    #[must_use]
    pub fn is_reaped_by_keeper(&self) -> bool {
        self.has_keeper() && self.makes_container() && self.life.process_1
    }

    /// Whether CMD gets a socket for sd_notify(3).
    #[must_use]
    pub fn gives_socket(&self) -> bool {
        rooms::KEEPER && self.keeper.listens && self.keeper.notify.is_some() && self.has_root()
    }

    /// Whether a process waits for the exit status of the launcher as long as the command has not been executed.
    #[must_use]
    pub const fn is_awaited(&self) -> bool {
        self.detaches() || self.is_kept()
    }

    /// The request that the launcher carries out: below a keeper, the rest of it.
    #[must_use]
    pub fn of_launcher(&self) -> Self {
        let mut own = *self;
        if self.has_keeper() {
            own.keeper.is_kept = true;
            (own.channels.detach, own.channels.ready) = (false, None);
            own.life.die_with_parent = Some(Signal::KILL);
        }
        own
    }

    /// Why the options of the keeper do not go together with the others.
    #[cfg(feature = "keeper")]
    #[must_use]
    pub fn wrong_keeper(&self) -> Option<(Say, Say)> {
        let Channels { info, block, sync, maps, .. } = self.channels;
        let used_up =
            [info, block, sync, maps].iter().any(Option::is_some) || self.does(Kind::File) || self.does(Kind::BindData);
        Some(match () {
            () if self.has_keeper() && self.is_empty() => (
                say!("--restart, --log, --notify and --keeper-pid-file"),
                say!("need --root, --image or the options of a sandbox"),
            ),
            () if self.keeper.restarts() && used_up => (
                say!("--restart"),
                say!(
                    "excludes descriptors that serve one start: --info-fd, --block-fd, --sync-fd, --userns-block-fd, --file, --bind-data and --ro-bind-data"
                ),
            ),
            () if self.keeper.listens && !self.has_root() => (say!("--notify-ready"), say!("needs --root or --image")),
            () => return None,
        })
    }

    /// No option of this build asks for one.
    #[cfg(not(feature = "keeper"))]
    #[must_use]
    pub const fn wrong_keeper(&self) -> Option<(Say, Say)> {
        None
    }
}
