//! What the user is told: errnos, hints and wording; one message, one write.

pub mod errno;
pub mod exit;
pub mod hint;
pub mod message;
pub mod wording;
