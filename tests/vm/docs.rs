//! The commands of the documents that need a machine: blocks with `vm` in README.md and docs/. `tests/it/docs.rs` runs the others.

#[path = "../it/docs/blocks.rs"]
mod blocks;

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use blocks::{Block, By, Content, blocks, documents, fits};

use super::harness::{Image, Kernel, kernels};

/// qemu as the documents start it, without a screen, a keyboard, or hardware that may not work here. The interrupts of an emulated
/// timer come late on a loaded machine: "IO-APIC + timer doesn't work!" is a panic.
const QEMU: &str = "#!/bin/bash\n\
    PATH=/usr/local/bin:/usr/bin:/bin exec qemu-system-x86_64 -accel tcg \"${@//quiet/quiet panic=-1 no_timer_check}\" </dev/null\n";

#[test]
fn machines_of_the_documents_print_what_is_shown() {
    for kernel in kernels(&[Kernel::V6_1]) {
        for (name, text) in documents() {
            let blocks = blocks(&name, &text);
            let mine: Vec<&Block> = blocks.iter().filter(|block| block.by == By::Machine).collect();
            if !mine.is_empty() {
                run(kernel, &mine);
            }
        }
    }
}

/// In a directory with nsinit, a static busybox, a kernel, and the scripts.
fn run(kernel: Kernel, blocks: &[&Block]) {
    let place = Image::empty(kernel);
    place.nsinit("nsinit");
    place.busybox_alone("busybox");
    place.file("bin/qemu-system-x86_64", QEMU);
    let vmlinuz = kernel.directory().expect("it was asked for before").join("vmlinuz");
    symlink(vmlinuz, place.at("vmlinuz")).expect("link the kernel");
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    symlink(scripts, place.at("scripts")).expect("link the scripts");
    for block in blocks {
        match &block.content {
            Content::Script(script) => {
                let (success, text) = bash(&place, &format!("set -eu\n{script}"));
                assert!(success, "{}: {script}\n{text}", block.place);
            }
            Content::Session(session) => {
                for (command, expected) in session {
                    let (_, text) = bash(&place, command);
                    // A kernel that prints nothing at first leaves the cursor behind the firmware's last line.
                    let text = text.replace("Booting from ROM..", "Booting from ROM..\n");
                    // What else the kernel prints differs from machine to machine.
                    let shown = |line: &&str| !line.starts_with('[') || line.contains("reboot:");
                    let got: Vec<&str> = text.lines().filter(shown).collect();
                    assert!(fits(expected, &got), "{}: {command}\n{text}\nis shown as:\n{expected:#?}", block.place);
                }
            }
        }
    }
}

/// Whether it ended with 0, and what it printed.
fn bash(place: &Image, text: &str) -> (bool, String) {
    let path = format!("{}:{}", place.at("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut bash = Command::new("timeout");
    bash.args(["180", "bash", "-c", &format!("exec 2>&1\n{text}")]).current_dir(place.at(""));
    bash.env("PATH", path).env("NSINIT_BIN", place.at("nsinit")).stdin(Stdio::null());
    let out = bash.output().expect("start bash");
    (out.status.success(), without_escapes(&String::from_utf8_lossy(&out.stdout).replace('\r', "")))
}

/// The machine's firmware clears the screen before it starts the kernel: ESC c, ESC [ ? 7 l, ESC [ 2 J.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split('\x1b');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.strip_prefix('[') {
        Some(part) => text + part.trim_start_matches(|c: char| !c.is_alphabetic()).get(1..).unwrap_or_default(),
        None => text + part.get(1..).unwrap_or_default(),
    })
}
