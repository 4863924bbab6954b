//! The devices of a machine that its first process serves.

use core::ffi::CStr;

/// What is asked of the devices.
#[cfg(feature = "hardware")]
#[derive(Clone, Copy)]
pub struct Hardware<'a> {
    /// `--no-power-button`.
    pub ignores_button: bool,
    /// `--watchdog SECONDS`.
    pub watchdog: Option<u32>,
    /// `--seed FILE`.
    pub seed: Option<&'a CStr>,
    /// `--clock-epoch FILE`.
    pub clock: Option<&'a CStr>,
    /// `--exit-port PORT`.
    pub exit_port: Option<u16>,
    /// `--exit-vsock CID:PORT`.
    pub exit_vsock: Option<(u32, u32)>,
}

#[cfg(feature = "hardware")]
impl<'a> Hardware<'a> {
    pub const NONE: Hardware<'static> =
        Hardware { ignores_button: false, watchdog: None, seed: None, clock: None, exit_port: None, exit_vsock: None };

    /// Whether an option of them is given.
    #[must_use]
    pub const fn is_asked_for(&self) -> bool {
        self.ignores_button
            || self.watchdog.is_some()
            || self.seed.is_some()
            || self.clock.is_some()
            || self.exit_port.is_some()
            || self.exit_vsock.is_some()
    }

    #[must_use]
    pub const fn seed_file(&self) -> Option<&'a CStr> {
        self.seed
    }

    #[must_use]
    pub const fn clock_file(&self) -> Option<&'a CStr> {
        self.clock
    }
}

/// No option of this build asks for one.
#[cfg(not(feature = "hardware"))]
#[derive(Clone, Copy)]
pub struct Hardware<'a>(core::marker::PhantomData<&'a CStr>);

#[cfg(not(feature = "hardware"))]
impl<'a> Hardware<'a> {
    pub const NONE: Hardware<'static> = Hardware(core::marker::PhantomData);

    #[must_use]
    pub const fn is_asked_for(&self) -> bool {
        false
    }

    #[must_use]
    pub const fn seed_file(&self) -> Option<&'a CStr> {
        None
    }

    #[must_use]
    pub const fn clock_file(&self) -> Option<&'a CStr> {
        None
    }
}
