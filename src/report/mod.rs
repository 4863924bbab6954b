//! Messages to the user: errnos, hints and wording. One message is one write(2).

pub mod errno;
pub mod exit;
pub mod hint;
pub mod message;
pub mod wording;
