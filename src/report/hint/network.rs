//! Why network interfaces, addresses and routes are refused (rtnetlink(7)).

use crate::spec::{Ip, LinkKind};
use crate::sys::Failure;

use super::{Cause, of_call, of_errno};

/// Why an interface is refused.
#[must_use]
pub fn of_link(why: Failure) -> Cause {
    match why {
        Failure::PERM => Cause::NeedsNetAdmin,
        _ => of_call(why),
    }
}

/// Why pasta(1) cannot be executed.
#[must_use]
pub fn of_pasta(why: Failure) -> Cause {
    if why == Failure::NOENT { Cause::NoPasta } else { of_call(why) }
}

/// Why an interface cannot be created, or a device not moved.
#[must_use]
pub fn of_new_link(kind: LinkKind, why: Failure) -> Cause {
    match why {
        Failure::EXIST => Cause::NameInUse,
        Failure::INVAL if kind == LinkKind::Device => Cause::FixedDevice,
        Failure::OPNOTSUPP => Cause::NoSuchLinks,
        Failure::BUSY if kind != LinkKind::Device => Cause::BusyParent,
        _ => of_link(why),
    }
}

/// Why an interface cannot be attached to a bridge.
#[must_use]
pub fn of_bridge(why: Failure) -> Cause {
    match why {
        Failure::OPNOTSUPP | Failure::INVAL => Cause::NoBridge,
        _ => of_link(why),
    }
}

/// Why an address is refused.
#[must_use]
pub fn of_address(ip: &Ip, why: Failure) -> Cause {
    match (why, ip) {
        (Failure::EXIST, _) => Cause::TwiceOnLink,
        (Failure::ACCESS | Failure::OPNOTSUPP, Ip::V6(_)) => Cause::NoIpv6,
        _ => of_errno(why),
    }
}

/// Why a route is refused.
#[must_use]
pub fn of_route(to: &Ip, why: Failure) -> Cause {
    match why {
        Failure::NETUNREACH | Failure::HOSTUNREACH => Cause::FarGateway,
        _ => of_address(to, why),
    }
}
