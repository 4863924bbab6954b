//! The answers of the program to each call, machine by machine: `tests/it/filter` has a line for each number with nsinit's answer, and for
//! comparison those of the default profiles of Docker and podman.
#[cfg(test)]
extern crate std;

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::program::Program;
use super::tables::{self, ALL, COUNT, Table};
use crate::spec::{Capabilities, Mode, Spec};

/// Runs the program as the kernel's BPF machine does. Returns the answer, and whether it depends on arguments.
fn run(program: &Program, number: u32, arch: u32, arguments: [u64; 6]) -> (u32, bool) {
    let mut data = Vec::from(number.to_ne_bytes());
    data.extend(arch.to_ne_bytes());
    data.extend([0u8; 8]);
    arguments.iter().for_each(|argument| data.extend(argument.to_ne_bytes()));
    let word = |at: usize| u32::from_ne_bytes(data[at..at + 4].try_into().unwrap());
    let code: Vec<&[u8]> = program.bytes().chunks(8).collect();
    let (mut a, mut at, mut depends) = (0, 0, false);
    loop {
        let &[low, high, then, otherwise, ref operand @ ..] = code[at] else { panic!("half an instruction") };
        let k = u32::from_ne_bytes(operand.try_into().unwrap());
        at += 1;
        let jump = match u16::from_ne_bytes([low, high]) {
            0x20 => {
                a = word(k as usize);
                depends |= k >= 16;
                continue;
            }
            0x06 => return (k, depends),
            0x05 => {
                at += k as usize;
                continue;
            }
            0x15 => a == k,
            0x35 => a >= k,
            0x45 => a & k != 0,
            other => panic!("an instruction that the kernel may not know: {other:#x}"),
        };
        at += usize::from(if jump { then } else { otherwise });
    }
}

const ALLOW: u32 = 0x7fff_0000;
const EPERM: u32 = 0x0005_0001;
const EINVAL: u32 = 0x0005_0016;
const ENOSYS: u32 = 0x0005_0026;

fn preset() -> Spec<'static> {
    Spec { mode: Mode::Root, ..Spec::PRESET }
}

fn with(capabilities: u64) -> Spec<'static> {
    let mut spec = preset();
    spec.confine.capabilities = Capabilities { bounding: capabilities, held: capabilities, ambient: 0 };
    spec
}

fn nesting() -> Spec<'static> {
    let mut spec = preset();
    spec.namespaces.allow_nesting = true;
    spec
}

fn keyring() -> Spec<'static> {
    let mut spec = preset();
    spec.confine.keep_keyring = true;
    spec
}

fn pair(table: &Table) -> Vec<Table> {
    let machines: &[&str] = match table.machine.name {
        "X86_64" | "I386" => &["X86_64", "I386"],
        "ARM" | "AARCH64" => &["AARCH64", "ARM"],
        _ => &["RISCV64"],
    };
    ALL.iter().filter(|other| machines.contains(&other.machine.name)).copied().collect()
}

/// What permits a call that the preset refuses, one thing at a time.
fn permissions() -> Vec<(String, Spec<'static>)> {
    const NAMES: &[(u32, &str)] = &[
        (2, "DAC_READ_SEARCH"),
        (16, "SYS_MODULE"),
        (17, "SYS_RAWIO"),
        (19, "SYS_PTRACE"),
        (20, "SYS_PACCT"),
        (21, "SYS_ADMIN"),
        (22, "SYS_BOOT"),
        (23, "SYS_NICE"),
        (25, "SYS_TIME"),
        (26, "SYS_TTY_CONFIG"),
        (34, "SYSLOG"),
        (38, "PERFMON"),
        (39, "BPF"),
    ];
    let name = |number| NAMES.iter().find(|(known, _)| *known == number).map(|(_, name)| *name);
    let mut all: Vec<_> = (0..41)
        .map(|number| {
            let name = name(number).map_or_else(|| format!("capability {number}"), str::to_string);
            (name, with(Capabilities::USUAL | 1 << number))
        })
        .collect();
    all.push(("--allow-nesting".into(), nesting()));
    all.push(("--keep-keyring".into(), keyring()));
    all
}

fn word((answer, depends): (u32, bool)) -> &'static str {
    match answer {
        _ if depends => "arguments",
        ALLOW => "allow",
        EPERM => "EPERM",
        ENOSYS => "ENOSYS",
        _ => panic!("an unexpected answer: {answer:#x}"),
    }
}

fn table_of(name: &str) -> (&'static str, String) {
    let name = name.to_lowercase();
    let path = format!("{}/tests/it/filter/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    (text.leak(), path)
}

/// One row of a table: the number, the name, and three answers.
fn rows(text: &'static str) -> impl Iterator<Item = (u16, Vec<&'static str>)> {
    text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        (words[0].parse().unwrap(), words)
    })
}

#[test]
fn every_call_has_the_answer_of_its_table() {
    for table in ALL {
        let tables = pair(table);
        let programs: Vec<(String, Program)> =
            permissions().into_iter().map(|(name, spec)| (name, Program::new(&spec, &tables))).collect();
        let usual = Program::new(&preset(), &tables);
        let (text, path) = table_of(table.machine.name);
        let mut written: String =
            text.lines().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        for (number, words) in rows(text) {
            let answer = |program| run(program, number.into(), table.arch, [0; 6]);
            let mut own = word(answer(&usual)).to_string();
            let more: Vec<&str> = programs
                .iter()
                .filter(|(_, program)| answer(program) != answer(&usual))
                .inspect(|(_, program)| assert_eq!(answer(program), (ALLOW, false)))
                .map(|(name, _)| name.as_str())
                .collect();
            if !more.is_empty() {
                own = format!("{own}/{}", more.join("+"));
            }
            if let Some(name) = tables::name(&table.machine, number) {
                assert_eq!(name, words[1], "{} {number}", table.machine.name);
            }
            written += format!("{number:3} {:23} {own:35} {:21} {}", words[1], words[3], words[4]).trim_end();
            written += "\n";
        }
        if std::env::var_os("NSINIT_WRITE").is_some() {
            std::fs::write(path, written).unwrap();
        } else {
            assert!(text == written, "NSINIT_WRITE=1 cargo test writes {path} anew; read the difference");
        }
    }
}

/// Numbers that no call has: of another machine (x32 sets bit 30), and of a Linux that is not written yet.
#[test]
fn other_numbers_and_machines_are_unknown() {
    for table in ALL {
        let program = Program::new(&with(Capabilities::ALL), &pair(table));
        let answer = |number, arch| run(&program, number, arch, [0; 6]).0;
        let arm = table.machine.name == "ARM";
        for number in (COUNT as u32..5000).chain([0x4000_0000, 0x4000_003b, 0x000f_0000, 0x000f_0007, 0x0090_0000, !0])
        {
            assert_eq!(answer(number, table.arch), ENOSYS, "{} {number:#x}", table.machine.name);
        }
        for number in 0x000f_0001..=0x000f_0006 {
            assert_eq!(answer(number, table.arch), if arm { ALLOW } else { ENOSYS });
        }
        for other in [0, 0x8000_0016, !table.arch] {
            assert_eq!(answer(0, other), ENOSYS);
        }
    }
}

/// The lower half of an argument decides, as it does in the kernel.
#[test]
fn arguments_are_checked() {
    const HIGH: u64 = 0xdead_beef << 32;
    let number = |table: &Table, name: &str| {
        rows(table_of(table.machine.name).0).find(|(_, words)| words[1] == name).expect("a call of that name").0.into()
    };
    for table in ALL {
        let tables = pair(table);
        let usual = Program::new(&preset(), &tables);
        let ask = |program: &Program, name, arguments: [u64; 3]| {
            let [a, b, c] = arguments;
            [0, HIGH]
                .map(|high| run(program, number(table, name), table.arch, [a | high, b | high, c | high, 0, 0, 0]).0)
        };
        let both = |answer| [answer; 2];
        for (request, answer) in [(0x5412, EPERM), (0x541c, EPERM), (0x5413, ALLOW), (0x5401, ALLOW), (0, ALLOW)] {
            assert_eq!(ask(&usual, "ioctl", [0, request, 0]), both(answer), "{request:#x}");
        }
        let kinds = [0x80, 0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000];
        for kind in kinds {
            assert_eq!(ask(&usual, "clone", [kind | 17, 0, 0]), both(EPERM), "{kind:#x}");
            assert_eq!(ask(&usual, "unshare", [kind, 0, 0]), both(EPERM), "{kind:#x}");
            let open = Program::new(&nesting(), &tables);
            assert_eq!(ask(&open, "clone", [kind | 17, 0, 0]), both(ALLOW), "{kind:#x}");
        }
        // A thread, a child of vfork(2), and the flags of unshare(2) that are no namespaces.
        for flags in [0x3d_0f00, 0x4111, 17, 0x8000_0000] {
            assert_eq!(ask(&usual, "clone", [flags, 0, 0]), both(ALLOW), "{flags:#x}");
        }
        for flags in [0x200, 0x400, 0x4_0000, 0x700] {
            assert_eq!(ask(&usual, "unshare", [flags, 0, 0]), both(ALLOW), "{flags:#x}");
        }
        for value in [0, 8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
            assert_eq!(ask(&usual, "personality", [value, 0, 0]), both(ALLOW), "{value:#x}");
        }
        for value in [1, 4, 0x4_0000, 0x40_0000, 0x800_0000, 0xffff_fffe, 0x4_0008] {
            assert_eq!(ask(&usual, "personality", [value, 0, 0]), both(EPERM), "{value:#x}");
        }
        const NET_RAW: u64 = 1 << 13;
        const AUDIT_WRITE: u64 = 1 << 29;
        let more = Program::new(&with(Capabilities::USUAL | NET_RAW | AUDIT_WRITE), &tables);
        for (family, protocol, without, answer) in [
            (1, 0, ALLOW, ALLOW),
            (2, 6, ALLOW, ALLOW),
            (10, 17, ALLOW, ALLOW),
            (16, 0, ALLOW, ALLOW),
            (16, 9, EINVAL, ALLOW),
            (2, 9, ALLOW, ALLOW),
            (17, 3, EPERM, ALLOW),
            (44, 0, EPERM, ALLOW),
            (38, 0, EPERM, EPERM),
            (40, 0, EPERM, EPERM),
            (39, 0, ALLOW, ALLOW),
            (45, 0, ALLOW, ALLOW),
        ] {
            assert_eq!(ask(&usual, "socket", [family, 3, protocol]), both(without), "{family} {protocol}");
            assert_eq!(ask(&more, "socket", [family, 3, protocol]), both(answer), "{family} {protocol}");
        }
    }
}

#[test]
fn chroot_needs_its_capability_or_nesting() {
    for table in ALL {
        let number = rows(table_of(table.machine.name).0).find(|(_, words)| words[1] == "chroot").unwrap().0.into();
        let without = with(Capabilities::USUAL & !(1 << 18));
        let mut nested = without;
        nested.namespaces.allow_nesting = true;
        for (spec, answer) in [(preset(), ALLOW), (without, EPERM), (nested, ALLOW)] {
            assert_eq!(run(&Program::new(&spec, &pair(table)), number, table.arch, [0; 6]).0, answer);
        }
    }
}

/// Why nsinit allows a call that podman's profile refuses.
const WEAKER_THAN_PODMAN: &[(&str, &[&str])] = &[
    (
        "younger than podman's profile, harmless, and allowed by Docker's",
        &[
            "cachestat",
            "fchmodat2",
            "futex_requeue",
            "futex_wait",
            "futex_waitv",
            "futex_wake",
            "getxattrat",
            "listmount",
            "listxattrat",
            "map_shadow_stack",
            "mseal",
            "removexattrat",
            "setxattrat",
            "statmount",
            "uretprobe",
            "riscv_flush_icache",
            "riscv_hwprobe",
            "io_pgetevents",
            "io_pgetevents_time64",
        ],
    ),
    ("the kernel's own trampoline: a filter that refused it would end programs that are traced", &["uprobe"]),
    (
        "no Linux that nsinit runs on has it",
        &[
            "break",
            "ftime",
            "gtty",
            "idle",
            "lock",
            "mpx",
            "prof",
            "profil",
            "stty",
            "ulimit",
            "getpmsg",
            "putpmsg",
            "afs_syscall",
            "tuxcall",
            "security",
            "vserver",
            "-",
        ],
    ),
];

/// Why nsinit refuses a call, or looks at its arguments, where Docker's profile does not.
const STRICTER_THAN_DOCKER: &[(&str, &[&str])] =
    &[("podman's refuses it", &["vmsplice"]), ("TIOCSTI and TIOCLINUX", &["ioctl"])];

#[test]
fn differences_from_other_engines_have_a_reason() {
    let is_listed = |list: &[(&str, &[&str])], name: &str| list.iter().any(|(_, names)| names.contains(&name));
    let openness = |answer: &str| match answer.split('/').next() {
        Some("allow") => 2,
        Some("arguments") => 1,
        _ => 0,
    };
    let mut wrong = Vec::new();
    for table in ALL {
        for (_, words) in rows(table_of(table.machine.name).0) {
            let [own, docker, podman] = [2, 3, 4].map(|column| openness(words[column]));
            if own > podman && !is_listed(WEAKER_THAN_PODMAN, words[1]) {
                wrong.push(format!("{}: weaker than podman: {words:?}", table.machine.name));
            }
            if own < docker && !is_listed(STRICTER_THAN_DOCKER, words[1]) {
                wrong.push(format!("{}: stricter than Docker: {words:?}", table.machine.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
