//! CMD's exit status, for a program on the host of a virtual machine.

use crate::report::message::warn;
use crate::say;
use crate::spec::Hardware;
use crate::sys::files;
use crate::sys::{self, Done, Polled, READABLE, Time};
use crate::text::{Say, Short};

/// So long the host may take to read.
const PATIENCE: Time = Time { seconds: 1, nanos: 0 };
/// qemu's isa-debug-exit exits with 2 * N + 1, of which a host sees 8 bits.
const HIGHEST: u8 = 127;

/// Sends the status by `--exit-vsock`.
pub fn send(hardware: &Hardware<'_>, status: u8) {
    if let Some(to) = hardware.exit_vsock
        && let Err(why) = send_line(to, status)
    {
        warn(say!("send CMD's status by"), c"vsock", why, Say::NOTHING);
    }
}

fn send_line((context, port): (u32, u32), status: u8) -> Done {
    let socket = sys::connect_vsock(context, port)?;
    let mut line = Short::new();
    let line = line.push(b"EXIT_STATUS=").push_number(status.into()).byte(b'\n');
    files::write(socket, line.bytes())?;
    // The end of the machine could come before the line. A reader that is done closes its end.
    let _ = sys::poll(&mut [Polled::new(socket, READABLE)], Some(PATIENCE));
    sys::close(socket);
    Ok(())
}

/// Writes the status to the port of `--exit-port`. With a device of qemu there, the machine ends in this instruction.
pub fn end_by_port(hardware: &Hardware<'_>, status: u8) {
    if let Some(port) = hardware.exit_port
        && let Err(why) = sys::write_port(port, status.min(HIGHEST))
    {
        warn(say!("write CMD's status to"), c"the port", why, Say::NOTHING);
    }
}
