//! Waiting for signals and processes, job control, and the end.

pub mod descendants;
#[cfg(feature = "hardware")]
pub mod hardware;
pub mod job_control;
#[cfg(feature = "boot")]
pub mod machine;
#[cfg(all(feature = "boot", not(feature = "hardware")))]
pub mod no_hardware;
#[cfg(not(feature = "pty"))]
pub mod no_relay;
#[cfg(all(feature = "boot", not(feature = "services")))]
pub mod no_services;
#[cfg(feature = "boot")]
pub mod power;
#[cfg(feature = "pty")]
pub mod relay;
#[cfg(feature = "boot")]
pub mod restarts;
#[cfg(feature = "services")]
pub mod services;
pub mod shutdown;
#[cfg(feature = "boot")]
pub mod storage;
pub mod teardown;
pub mod wait;

#[cfg(all(feature = "boot", not(feature = "hardware")))]
pub use no_hardware as hardware;
#[cfg(not(feature = "pty"))]
pub use no_relay as relay;
#[cfg(all(feature = "boot", not(feature = "services")))]
pub use no_services as services;
