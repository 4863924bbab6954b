//! Waiting for signals and processes, job control, and the end.

pub mod descendants;
pub mod job_control;
pub mod machine;
pub mod power;
pub mod relay;
pub mod shutdown;
pub mod teardown;
pub mod wait;
