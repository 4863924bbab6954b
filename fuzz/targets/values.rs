//! The values of single options, and the file of `--env-file`. The first byte of the input chooses the parser.
#![no_main]

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::LazyLock;

use engine::cgroup::values;
use engine::confine::{caps, limits};
use engine::spec::{Limited, Sysctl};
use engine::text::{self, Text};
use libfuzzer_sys::fuzz_target;
use nsinit_fuzz::cli::fuzz;
use nsinit_fuzz::{in_arena, words};

/// Options whose values have a form of their own, and that need no other option.
const OPTIONS: [&str; 20] = [
    "--grace", "--stop-timeout", "--rewrite", "--remap", "--restart", "--uid", "--gid", "--groups", "--net", "--net-device",
    "--resolv-conf", "--memory", "--pids", "--cpu", "--rlimit", "--name", "--map-uid", "--setenv", "--pass-env", "--join-net",
];

/// A file without a name.
static FILE: LazyLock<File> = LazyLock::new(|| {
    let path = std::env::temp_dir().join(format!("nsinit-fuzz.{}", std::process::id()));
    let file = File::options().read(true).write(true).create(true).truncate(true).open(&path).expect("make a file");
    std::fs::remove_file(&path).expect("remove its name");
    file
});

/// Reads a command line with one option.
fn launch(option: &str, value: &[u8]) {
    let line = [format!("--root\n/\n{option}\n").as_bytes(), value, b"\n--\ntrue\n"].concat();
    in_arena(&line, |line| {
        let _ = fuzz::of_words(c"nsinit", words(line), b"");
    });
}

fuzz_target!(|input: &[u8]| {
    let Some((kind, word)) = input.split_first() else { return };
    match kind % 12 {
        0 => {
            if let Ok(Limited::Resource(number, [soft, hard])) = limits::resource(word) {
                assert!(number < 16 && soft <= hard);
            }
        }
        1 => {
            let mut set = [0; (limits::PROCESSORS / usize::BITS) as usize];
            let is_list = limits::processors(word, &mut set);
            assert!(!is_list || set.iter().any(|bits| *bits != 0));
        }
        2 => {
            let _ = limits::securebits(word);
        }
        3 => {
            let number = limits::signed(word, 1000);
            assert!(number.is_none_or(|number| (-1000..=1000).contains(&number)));
        }
        4 => {
            let mut text = word.to_vec();
            text.push(0);
            let setting = Sysctl(CStr::from_bytes_until_nul(&text).expect("it ends with a NUL"));
            let mut path = Text::new();
            setting.push_path(&mut path);
            if setting.is_name() {
                let path = std::str::from_utf8(path.bytes()).unwrap_or("sys/x");
                assert!(path.starts_with("sys/") && path.split('/').all(|part| !["", ".", ".."].contains(&part)));
                let _ = setting.owner();
            }
        }
        5 => {
            assert!(values::size(word).is_none_or(|bytes| bytes <= i64::MAX as u64));
            assert!(values::processors(word).is_none_or(|parts| parts >= 1000));
        }
        6 => {
            let _ = (values::is_size(word, 1), values::is_count(word, 10_000, true));
            let _ = (values::is_list(word), values::is_device_number(word));
        }
        7 => {
            if let Some((device, mut limits)) = values::device(word) {
                assert!(!device.is_empty());
                let before = limits.len();
                while let Some(rate) = values::next_rate(&mut limits) {
                    let Ok((name, _)) = rate else { break };
                    assert!(limits.len() < before && !name.is_empty());
                }
            }
        }
        8 => {
            if let Some((file, _)) = values::setting(word) {
                assert!(!file.is_empty() && !file.contains(&b'/') && !file.starts_with(b"."));
                assert!(!file.starts_with(b"cgroup.") || file.starts_with(b"cgroup.max."));
            }
        }
        9 => {
            FILE.set_len(0).and_then(|()| FILE.write_all_at(word, 0)).expect("write to the file");
            launch("--env-file", format!("/proc/self/fd/{}", FILE.as_raw_fd()).as_bytes());
        }
        10 => {
            if let Some((option, value)) = word.split_first() {
                launch(OPTIONS[usize::from(*option) % OPTIONS.len()], value);
            }
        }
        _ => {
            let _ = (caps::by_name(word), text::number(word), text::octal(word), text::leading_number(word));
        }
    }
});
