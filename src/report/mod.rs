//! Messages to the user: errnos, hints and wording. One message is one write(2).

pub mod errno;
pub mod exit;
#[cfg(feature = "hints")]
pub mod hint;
#[cfg(feature = "boot")]
pub mod kernel_log;
pub mod message;
#[cfg(not(feature = "hints"))]
pub mod no_hint;
#[cfg(not(feature = "boot"))]
pub mod no_kernel_log;
pub mod wording;

#[cfg(not(feature = "hints"))]
pub use no_hint as hint;
#[cfg(not(feature = "boot"))]
pub use no_kernel_log as kernel_log;
