//! Confinement of the command: capabilities, the session keyring, and the program file of nsinit.

pub mod caps;
pub mod keyring;
pub mod rights;
pub mod self_exe;
