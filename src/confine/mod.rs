//! What the command may do: capabilities, keyrings, and the program file that it must not reach.

pub mod caps;
pub mod keyring;
pub mod rights;
pub mod self_exe;
