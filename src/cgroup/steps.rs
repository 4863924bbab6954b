//! The steps of the launcher and of process 1.

use crate::cgroup::{delegate, limit, make, old};
use crate::ns::limits;
use crate::say;
use crate::spec::Object;
use crate::state::Process;
use crate::step::Step;

/// The caller's cgroups are those of its own namespaces.
#[must_use]
pub const fn make_cgroup<P: Process>() -> Step<P> {
    Step::new(make::MAKE, |process: &mut P| make::make_own(process.launch()))
        .on(Object::Cgroup)
        .when(|spec| spec.has_cgroup())
}

/// The controllers are enabled for the cgroup inside, before the limits are written to both.
#[must_use]
pub const fn delegate_cgroup<P: Process>() -> Step<P> {
    Step::new(say!("delegate the container's cgroup"), |process: &mut P| delegate::delegate(process.launch()))
        .when(|spec| spec.delegates())
}

/// The limits.
#[must_use]
pub const fn limit_cgroup<P: Process>() -> Step<P> {
    Step::new(say!("limit the cgroup of the container"), |process: &mut P| limit::write_all(process.launch(), false))
        .when(|spec| spec.has_cgroup())
}

/// Before a mount namespace is joined: the paths are the caller's.
#[must_use]
pub const fn open_old<P: Process>() -> Step<P> {
    Step::new(say!("open the cgroups of version 1"), |process: &mut P| old::open_all(process.launch()))
        .when(|spec| spec.joins_old_cgroups())
}

/// The step of process 1, before it makes a cgroup namespace.
#[must_use]
pub const fn join_old<P: Process>() -> Step<P> {
    Step::new(say!("join the cgroups of version 1"), |process: &mut P| old::join_all(process.launch()))
        .when(|spec| spec.joins_old_cgroups())
}

/// The step of process 1 in a cgroup of its own: that becomes the root of the namespace.
#[must_use]
pub const fn make_namespace<P: Process>() -> Step<P> {
    Step::new(say!("make a cgroup namespace"), |process: &mut P| {
        let launch = process.launch();
        limits::make_cgroup_namespace(&launch.spec, launch.proc.get()?)
    })
    .when(|spec| spec.makes_cgroup_namespace())
}
