//! Facts about a network with a way out that follow from a Spec.

#[cfg(feature = "net")]
use linux_raw_sys::general::{CLONE_NEWNET, CLONE_NEWUSER};

use super::{Spec, rooms};
#[cfg(feature = "net")]
use crate::say;
use crate::text::Say;

impl Spec<'_> {
    /// Whether the launcher puts interfaces into the new network namespace.
    #[must_use]
    pub const fn has_links(&self) -> bool {
        rooms::NET && !self.net.links.is_empty()
    }

    /// Whether pasta(1) connects the new network namespace to the caller's network.
    #[must_use]
    pub const fn has_pasta(&self) -> bool {
        rooms::NET && self.net.pasta.is_some()
    }

    /// Whether the new network namespace has a way out.
    #[must_use]
    pub const fn is_connected(&self) -> bool {
        self.has_links() || self.has_pasta()
    }

    /// The options that ask for a network that this launch cannot have, and why.
    #[cfg(feature = "net")]
    #[must_use]
    pub fn wrong_network(&self) -> Option<(Say, Say)> {
        const LINKS: Say = say!("--net-device, and veth:, macvlan: and ipvlan: of --net,");
        const PASTA: Say = say!("--net pasta");
        let (rootless, is_new) = (self.ids.rootless, self.unshares(CLONE_NEWNET));
        match () {
            () if self.has_links() && rootless => Some((LINKS, say!("need root (an ordinary user has --net pasta)"))),
            () if self.has_links() && (!is_new || self.joins_user()) => {
                let why = say!("need a new network (without --net host, --share-net, --join-net and --join-user)");
                Some((LINKS, why))
            }
            () if self.has_pasta() && !rootless => {
                Some((PASTA, say!("is for ordinary users (root has --net veth:NAME,bridge=BR,ip=...)")))
            }
            () if self.has_pasta() && !(is_new && self.unshares(CLONE_NEWUSER)) => {
                let why = say!("needs a new user namespace and a new network (without --share-net and --join-user)");
                Some((PASTA, why))
            }
            () => None,
        }
    }

    /// No option of this build asks for one.
    #[cfg(not(feature = "net"))]
    #[must_use]
    pub const fn wrong_network(&self) -> Option<(Say, Say)> {
        None
    }
}
