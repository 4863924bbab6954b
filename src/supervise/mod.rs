//! Waiting for processes and ending them.

pub mod descendants;
pub mod power;
