//! Takes the place of `services` in a build without that feature: there are none.

use core::marker::PhantomData;

use rustix::process::Pid;

use crate::spec::AtEnd;
use crate::sys::{Change, Failure, Time};

/// No service.
pub struct Service;

/// No services.
pub struct Services<'a> {
    pub asked: Option<AtEnd>,
    nothing: PhantomData<&'a ()>,
}

impl<'a> Services<'a> {
    pub const fn new(_: &'a mut [Service], _: &'a dyn Fn(&Service) -> Result<Pid, Failure>) -> Services<'a> {
        Services { asked: None, nothing: PhantomData }
    }

    /// Yes.
    #[must_use]
    pub const fn are_over(&self) -> bool {
        true
    }

    /// Nothing to do.
    pub const fn start(&mut self) -> Option<Time> {
        None
    }

    /// Nothing to do.
    pub const fn note(&mut self, _: Pid, _: Change) {}

    /// None.
    pub const fn take_last(&mut self) -> Option<Pid> {
        None
    }
}
