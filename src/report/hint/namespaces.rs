//! Why processes and namespaces cannot be made, and why existing namespaces cannot be joined.

use core::ffi::CStr;

use linux_raw_sys::general as raw;
use rustix::thread::no_new_privs;

use crate::spec::{Spec, kinds};
use crate::sys::{self, Failure};
use crate::text::{self, Short};

use super::facts::{
    begins_with_digit, first_of, is_admin, is_cgroup_full, is_chroot, is_confined, is_filtered, is_missing,
    limits_users, maps_all_ids, may_map_ids, own_profile, restricts_users,
};
use super::{Cause, of_call, of_errno};

/// Why clone(2) made no process.
#[must_use]
pub fn of_fork(why: Failure) -> Cause {
    if why != Failure::AGAIN {
        return of_call(why);
    }
    if is_cgroup_full() {
        return Cause::CgroupsProcesses;
    }
    let mut content = [0u8; 64];
    let mut load = first_of(c"/proc/loadavg", &mut content);
    // "0.20 0.18 0.12 1/80 11206": the fourth and fifth numbers are the threads that run and all threads (proc_loadavg(5)).
    for separator in b"   /" {
        let _ = text::word(&mut load, *separator);
    }
    let threads = text::word(&mut load, b' ');
    match (threads.and_then(text::number), sys::limit_of(raw::RLIMIT_NPROC)) {
        (Some(threads), Ok([limit, _])) if !is_admin() && u64::from(threads) >= limit => Cause::UsersProcesses,
        _ => Cause::Processes,
    }
}

/// Why clone(2) made no process in new namespaces; or, `inside`, why unshare(2) in process 1 made no more of them. Process 1 is in its
/// user namespace by then, and the helper for the network may have set the limit in there.
#[must_use]
pub fn of_namespaces(spec: &Spec<'_>, inside: bool, why: Failure) -> Cause {
    find(spec, inside, spec.unshares(raw::CLONE_NEWUSER) && !inside, why)
}

/// Why unshare(2) made no user namespace in one of a container.
#[cfg(feature = "probe")]
#[must_use]
pub fn of_nested_users(spec: &Spec<'_>, why: Failure) -> Cause {
    find(spec, true, true, why)
}

/// `users`: a user namespace is one of those that were not made.
fn find(spec: &Spec<'_>, inside: bool, users: bool, why: Failure) -> Cause {
    let with_user = spec.unshares(raw::CLONE_NEWUSER);
    match why {
        Failure::NOSPC | Failure::USERS if users && limits_users() => Cause::UserNamespacesForbidden,
        // Root of a container: the launch has been tried without a user namespace.
        Failure::PERM if (users || !is_admin()) && limits_users() => Cause::UserNamespacesForbidden,
        Failure::NOSPC | Failure::USERS => Cause::NamespaceLimit,
        Failure::INVAL if users && is_missing(c"/proc/self/ns/user") => Cause::NoUserNamespaces,
        Failure::INVAL if lacks_a_kind(spec) => Cause::NoSuchNamespaces,
        Failure::PERM | Failure::ACCESS | Failure::NOSYS => Facts {
            with_user,
            rootless: spec.ids.rootless,
            has_root: spec.has_root(),
            // In its new user namespace, process 1 of an ordinary user has all capabilities, as far as AppArmor leaves them.
            admin: is_admin() && !(inside && spec.ids.rootless),
            filtered: is_filtered(),
            chroot: is_chroot(),
            switched_off: begins_with_digit(c"/proc/sys/kernel/unprivileged_userns_clone", b'0'),
            restricted: restricts_users(),
            confined: is_confined(&own_profile()),
        }
        .cause(why),
        _ => of_fork(why),
    }
}

/// Whether the kernel was built without a kind of namespace that is to be made.
fn lacks_a_kind(spec: &Spec<'_>) -> bool {
    let is_missing = |path: &CStr| is_missing(Short::new().push(b"/proc/self/").push(path.to_bytes()).c_str());
    !is_missing(c"ns/mnt") && kinds::all().any(|(kind, path)| spec.unshares(kind) && is_missing(path))
}

/// The facts that the cause follows from.
#[derive(Clone, Copy)]
struct Facts {
    /// A user namespace is to be made too.
    with_user: bool,
    rootless: bool,
    has_root: bool,
    /// nsinit has CAP_SYS_ADMIN, if only in its own user namespace.
    admin: bool,
    filtered: bool,
    chroot: bool,
    switched_off: bool,
    restricted: bool,
    confined: bool,
}

impl Facts {
    /// The cause. A certain one precedes a likely one.
    fn cause(self, why: Failure) -> Cause {
        match self {
            // In the kernel: create_user_ns, current_chrooted.
            Facts { with_user: true, chroot: true, .. } if why == Failure::PERM => Cause::Chroot,
            Facts { with_user: true, switched_off: true, admin: false, .. } if why == Failure::PERM => {
                Cause::NoUnprivilegedUsers
            }
            Facts { filtered: true, .. } if why != Failure::ACCESS => Cause::NamespaceFilter,
            Facts { with_user: true, restricted: true, admin: false, .. } => Cause::AppArmorUsers,
            Facts { confined: true, .. } => Cause::AppArmorProfile,
            Facts { with_user: false, admin: false, rootless, .. } if why == Failure::PERM => {
                if rootless {
                    Cause::NeedsUserNamespace
                } else {
                    Cause::NeedsAdmin
                }
            }
            Facts { with_user: true, admin: true, has_root: true, rootless: false, .. } => {
                Cause::RootWithoutUserNamespace
            }
            _ if why == Failure::NOSYS => Cause::Unknown,
            _ => Cause::Forbidden,
        }
    }
}

/// Why the kernel refuses an id map (user_namespaces(7)).
#[must_use]
pub fn of_map(why: Failure) -> Cause {
    match why {
        Failure::PERM | Failure::ACCESS if restricts_users() && !is_admin() => Cause::AppArmorUsers,
        Failure::PERM if is_confined(&own_profile()) => Cause::AppArmorProfile,
        Failure::PERM if may_map_ids() && !maps_all_ids() => Cause::OutsideNotMapped,
        Failure::PERM => Cause::Forbidden,
        _ => of_errno(why),
    }
}

/// Why newuidmap(1) or newgidmap(1) has not written a map.
#[must_use]
pub fn of_map_helper(why: Failure) -> Cause {
    match why {
        Failure::NOENT => Cause::NoMapHelper,
        Failure::HELPER if no_new_privs() == Ok(true) => Cause::HelperWithoutPrivileges,
        Failure::HELPER => Cause::HelperFailed,
        _ => of_call(why),
    }
}

/// Why unshare(2) made no network namespace.
#[must_use]
pub fn of_network(why: Failure) -> Cause {
    if matches!(why, Failure::NOSPC | Failure::USERS) { Cause::NetworkLimit } else { of_call(why) }
}

/// Why setns(2) fails. `with_user`: a user namespace is joined too.
#[must_use]
pub fn of_join(with_user: bool, why: Failure) -> Cause {
    match why {
        Failure::PERM if !with_user && !is_filtered() => Cause::ForeignNamespace,
        Failure::INVAL => Cause::OtherKind,
        _ => of_call(why),
    }
}

/// Why a process cannot be inspected.
#[must_use]
pub fn of_look(spec: &Spec<'_>, why: Failure) -> Cause {
    match why {
        Failure::PERM | Failure::ACCESS if spec.ids.rootless => Cause::Hidden,
        Failure::NO_CONTAINER => Cause::NoContainer,
        _ => of_call(why),
    }
}

/// Why setresuid(2) or setresgid(2) fails.
#[must_use]
pub fn of_own_id(why: Failure) -> Cause {
    if why == Failure::INVAL { Cause::NotMapped } else { of_errno(why) }
}

/// Why keyctl(2) joins no new session keyring.
#[must_use]
pub fn of_keyring(why: Failure) -> Cause {
    if why == Failure::DQUOT { Cause::KeyQuota } else { Cause::NoKeyring }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ordinary user that may make user namespaces, and root.
    const USER: Facts = Facts {
        with_user: true,
        rootless: true,
        has_root: true,
        admin: false,
        filtered: false,
        chroot: false,
        switched_off: false,
        restricted: false,
        confined: false,
    };
    const ROOT: Facts = Facts { rootless: false, admin: true, ..USER };

    #[test]
    fn cause_of_missing_namespaces_follows_from_the_facts() {
        use Failure as F;
        let rows = [
            (USER, F::PERM, Cause::Forbidden),
            (USER, F::ACCESS, Cause::Forbidden),
            (Facts { filtered: true, ..USER }, F::PERM, Cause::NamespaceFilter),
            (Facts { filtered: true, ..USER }, F::NOSYS, Cause::NamespaceFilter),
            // No known filter answers EACCES.
            (Facts { filtered: true, ..USER }, F::ACCESS, Cause::Forbidden),
            (Facts { chroot: true, ..USER }, F::PERM, Cause::Chroot),
            (Facts { chroot: true, filtered: true, ..ROOT }, F::PERM, Cause::Chroot),
            (Facts { chroot: true, with_user: false, ..USER }, F::PERM, Cause::NeedsUserNamespace),
            (Facts { switched_off: true, ..USER }, F::PERM, Cause::NoUnprivilegedUsers),
            (Facts { switched_off: true, ..ROOT }, F::PERM, Cause::RootWithoutUserNamespace),
            (Facts { restricted: true, ..USER }, F::ACCESS, Cause::AppArmorUsers),
            (Facts { restricted: true, ..ROOT }, F::ACCESS, Cause::RootWithoutUserNamespace),
            (Facts { confined: true, ..ROOT }, F::ACCESS, Cause::AppArmorProfile),
            (ROOT, F::PERM, Cause::RootWithoutUserNamespace),
            // Neither --share-user nor --unshare-user helps under a filter.
            (Facts { filtered: true, ..ROOT }, F::PERM, Cause::NamespaceFilter),
            (Facts { filtered: true, with_user: false, admin: false, ..ROOT }, F::PERM, Cause::NamespaceFilter),
            (Facts { with_user: false, admin: false, ..ROOT }, F::PERM, Cause::NeedsAdmin),
            (Facts { has_root: false, ..ROOT }, F::PERM, Cause::Forbidden),
            (USER, F::NOSYS, Cause::Unknown),
        ];
        for (index, (facts, why, cause)) in rows.into_iter().enumerate() {
            assert_eq!(facts.cause(why), cause, "row {index}");
        }
    }
}
