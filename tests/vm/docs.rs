//! The commands of the documents that need a machine: blocks with `vm` in README.md and docs/. `scenarios` runs those with `scenario`,
//! `tests/it/docs.rs` the others.

#[path = "../it/docs/blocks.rs"]
pub mod blocks;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blocks::{Block, By, Content, blocks, documents, fits};

use super::harness::{Image, Kernel, Machine, kernels};

/// qemu as the documents start it, without a screen, a keyboard, or hardware that may not work here. The interrupts of an emulated
/// timer come late on a loaded machine: "IO-APIC + timer doesn't work!" is a panic.
const QEMU: &str = "#!/bin/bash\n\
    PATH=/usr/local/bin:/usr/bin:/bin exec qemu-system-x86_64 -accel tcg \"${@//quiet/quiet panic=-1 no_timer_check}\"\n";

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

fn run(kernel: Kernel, blocks: &[&Block]) {
    let place = Place::new(kernel);
    blocks.iter().for_each(|block| place.run(block));
}

/// The blocks of a section that are run as a scenario.
pub fn scenario(document: &str, section: &str) -> Vec<Block> {
    let (_, text) = documents().into_iter().find(|(name, _)| name == document).expect("the document exists");
    let of = |block: &Block| block.by == By::Scenario && block.section == section;
    let blocks: Vec<Block> = blocks(document, &text).into_iter().filter(of).collect();
    assert!(!blocks.is_empty(), "{document} has no scenario {section:?}");
    blocks
}

/// The sections that have scenarios.
pub fn scenarios() -> Vec<String> {
    let mut found = Vec::new();
    for (name, text) in documents() {
        found.extend(
            blocks(&name, &text).into_iter().filter(|block| block.by == By::Scenario).map(|block| block.section),
        );
    }
    found.dedup();
    found
}

/// A directory with nsinit, a static busybox, a kernel with its modules, and the scripts.
pub struct Place(Image);

impl Place {
    pub fn new(kernel: Kernel) -> Self {
        let place = Image::empty(kernel);
        place.nsinit("nsinit");
        place.busybox_alone("busybox");
        // Another process writes the copy: a child of another test may have this file open, and then it cannot be executed.
        place.file("qemu", QEMU);
        place.put(&place.at("qemu"), "bin/qemu-system-x86_64");
        let directory = kernel.directory().expect("it was asked for before");
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        for (from, name) in
            [(directory.join("vmlinuz"), "vmlinuz"), (directory.join("modules"), "modules"), (scripts, "scripts")]
        {
            symlink(from, place.at(name)).expect("link a file of the place");
        }
        Self(place)
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.0.at(path)
    }

    /// Runs the commands of a block, which must print what is shown.
    pub fn run(&self, block: &Block) {
        match &block.content {
            Content::Script(script) => {
                let (success, text) = self.bash(&format!("set -eu\n{script}"));
                assert!(success, "{}: {script}\n{text}", block.place);
            }
            Content::Session(session) => {
                for (command, expected) in session {
                    let (_, text) = self.bash(command);
                    // A kernel that prints nothing at first leaves the cursor behind the firmware's last line, of whose three dots the
                    // last is sometimes lost.
                    const FIRMWARE: &str = "Booting from ROM..";
                    let text = text.replace(&format!("{FIRMWARE}."), FIRMWARE).replace(FIRMWARE, "Booting from ROM\n");
                    // What else the kernel prints differs from machine to machine.
                    let shown = |line: &&str| !line.starts_with('[') || line.contains("reboot:");
                    let got: Vec<&str> = text.lines().filter(shown).collect();
                    assert!(fits(expected, &got), "{}: {command}\n{text}\nis shown as:\n{expected:#?}", block.place);
                }
            }
        }
    }

    /// Starts the machine of a command, for a test that types.
    pub fn start(&self, command: &str) -> Machine {
        Machine::of(self.command("bash").args(["-c", &format!("exec {command}")]), command)
    }

    /// Whether it ended with 0, and what it printed.
    pub fn bash(&self, text: &str) -> (bool, String) {
        let mut bash = self.command("timeout");
        bash.args(["900", "bash", "-c", &format!("exec 2>&1\n{text}")]).stdin(Stdio::null());
        let out = bash.output().expect("start bash");
        (out.status.success(), without_escapes(&String::from_utf8_lossy(&out.stdout).replace('\r', "")))
    }

    fn command(&self, program: &str) -> Command {
        let path = format!("{}:{}", self.at("bin").display(), std::env::var("PATH").unwrap_or_default());
        let mut command = Command::new(program);
        command.current_dir(self.at("")).env("PATH", path).env("NSINIT_BIN", self.at("nsinit"));
        command
    }
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
