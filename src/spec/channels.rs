//! The descriptors and files through which a process outside follows the launch.

use core::ffi::CStr;

/// The descriptors and files that report a launch. Numbers are descriptors of the caller.
#[derive(Clone, Copy)]
pub struct Channels<'a> {
    /// `--info-fd`: process 1 and its namespaces, as JSON.
    pub info: Option<u32>,
    /// `--status-fd`, `--json-status-fd`: process 1 and its namespaces, as one line of JSON; at the end, the exit status.
    pub status: Option<u32>,
    /// `--block-fd`: the command waits until something can be read.
    pub block: Option<u32>,
    /// `--userns-block-fd`: another process writes the id maps, and then writes to this descriptor.
    pub maps: Option<u32>,
    /// `--sync-fd`: open as long as any process is inside.
    pub sync: Option<u32>,
    /// `--ready-fd`: one byte, once the command has been executed.
    pub ready: Option<u32>,
    /// `status` reports the signal that killed the command.
    pub tells_signal: bool,
    /// `--pid-file`: holds the number of process 1 while the command runs.
    pub pid_file: Option<&'a CStr>,
    /// `--detach`: the caller's process ends once the command has been executed.
    pub detach: bool,
}
