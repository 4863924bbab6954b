//! Terminals: job control, and a pty of the command.

pub mod job;
pub mod pty;
