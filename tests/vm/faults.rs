//! Boots in which randomly chosen system calls fail: a machine ends as requested, or a message says why not, and the
//! kernel never panics.

use std::time::Duration;

use super::harness::{End, Image, Kernel, NATIVE, kernels};

/// Calls that no program can do without (execve, exit, exit_group, write, mmap, munmap, brk, arch_prctl), that never
/// fail (getpid, geteuid, getegid), and that this test's own shell needs (read, rt_sigreturn).
const BASIC: [u64; 13] = [59, 60, 231, 1, 9, 11, 12, 158, 39, 107, 108, 0, 15];
/// The last system call of x86_64.
const LAST: u64 = 470;
const ERRNOS: [u64; 8] = [1, 2, 12, 16, 19, 22, 28, 38];

/// A random number generator whose numbers a seed reproduces.
pub struct Lot(pub u64);

impl Lot {
    /// A number from 0 to below `end`: a step of splitmix64.
    pub fn draw(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

#[test]
fn kernel_never_panics_when_system_calls_fail() {
    let boots: u64 = std::env::var("NSINIT_BOOTS").ok().and_then(|text| text.parse().ok()).unwrap_or(24);
    let kernels = kernels(&NATIVE);
    let all = || (0..boots).zip(kernels.iter().cycle());
    // Two machines at a time.
    std::thread::scope(|scope| {
        for half in 0..2 {
            let own = all().filter(move |(number, _)| number / 4 % 2 == half);
            scope.spawn(move || own.for_each(|(number, kernel)| boot(*kernel, number)));
        }
    });
}

/// The value of NSINIT_FAULTS: system calls with the errnos that they fail with.
pub fn faults(lot: &mut Lot) -> String {
    let faults: Vec<String> = (0..1 + lot.draw(6))
        .map(|_| {
            loop {
                let call = lot.draw(LAST);
                if !BASIC.contains(&call) {
                    break format!("{call}:{}", ERRNOS[lot.draw(ERRNOS.len() as u64) as usize]);
                }
            }
        })
        .collect();
    faults.join(",")
}

fn boot(kernel: Kernel, number: u64) {
    let mut lot = Lot(number);
    let mut image = Image::new(kernel);
    image.program("vm/faulty", "bin/faulty");
    let missing: Vec<&str> =
        ["proc", "sys", "run", "etc", "tmp", "box/proc"].into_iter().filter(|_| lot.draw(4) == 0).collect();
    let read_only = lot.draw(3) == 0;
    let remount = if read_only { "mount -o remount,ro none /\n" } else { "" };
    let made: String =
        ["proc", "sys", "run"].iter().filter(|name| !missing.contains(name)).map(|name| format!(" /{name}")).collect();
    image.script(&format!("#!/bin/sh\n[ -z '{made}' ] || mkdir{made}\n{remount}exec /bin/faulty\n"));
    let faults = faults(&mut lot);
    let command =
        ["echo ran", "--root /box -- echo ran", "--root /box --volatile -- sh -c 'kill -9 1; sleep 9'", "nosuch"];
    let command = command[lot.draw(command.len() as u64) as usize];
    let line = format!("nsinit.grace=1 NSINIT_FAULTS={faults} -- {command}");
    // A machine whose reboot(2) fails prints a message and stops, as does one that can never fork again.
    let told = ["nsinit: cannot switch the power off: ", "nsinit: cannot fork: "];
    let mut machine = image.start(&line);
    machine.prints_or_ends(&told);
    let boot = machine.finish_within(Duration::from_secs(60));
    let stands = boot.end == End::Killed && told.iter().any(|text| boot.log.contains(text));
    assert!(boot.end == End::Off || stands, "boot {number}: {boot}");
}
