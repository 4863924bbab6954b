//! The values of the options, as the kernel's files take them.

use crate::text;

/// No limit.
const MAX: &[u8] = b"max";

/// A number of bytes: decimal, with K, M, G or T for powers of 1024.
#[must_use]
pub fn size(word: &[u8]) -> Option<u64> {
    let (digits, shift) = text::without_unit(word);
    // The kernel would read octal after a 0.
    let number = text::long_number(digits).filter(|_| digits.len() == 1 || digits.first() != Some(&b'0'))?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes <= i64::MAX as u64)
}

/// Whether it is a limit in bytes that the kernel takes as it is written: a size of at least `least`, or `max`.
#[must_use]
pub fn is_size(word: &[u8], least: u64) -> bool {
    word == MAX || size(word).is_some_and(|bytes| bytes >= least)
}

/// Whether it is a number from 1 to `most`, or, with `max`, `max`.
#[must_use]
pub fn is_count(word: &[u8], most: u32, max: bool) -> bool {
    max && word == MAX || text::number(word).is_some_and(|count| (1..=most).contains(&count))
}

/// The most processors that a kernel can be built for (CONFIG_NR_CPUS).
const PROCESSORS: u32 = 8192;

/// `--cpu`: processors in units of 0.00001, from 0.01, the least that the kernel takes: `0.5` is 50,000.
#[must_use]
pub fn processors(word: &[u8]) -> Option<u32> {
    let mut fraction = word;
    let whole = text::word(&mut fraction, b'.')?;
    let whole = text::number(whole).filter(|whole| *whole <= PROCESSORS)?;
    let parts = match fraction {
        // A dot needs digits behind it.
        [] if text::has(word, b'.') => return None,
        [] => 0,
        digits if digits.len() > 5 => return None,
        digits => text::number(digits)? * [10_000, 1000, 100, 10, 1].get(digits.len() - 1)?,
    };
    Some(whole * 100_000 + parts).filter(|parts| *parts >= 1000)
}

/// Whether it has the form of a list of processors, `0-3,6`.
#[must_use]
pub fn is_list(word: &[u8]) -> bool {
    let mut rest = word;
    while let Some(range) = text::word(&mut rest, b',') {
        let mut last = range;
        let first = text::word(&mut last, b'-').and_then(text::number);
        let last = if text::has(range, b'-') { text::number(last) } else { first };
        if first.is_none() || last < first {
            return false;
        }
    }
    !matches!(word, [] | [.., b','])
}

/// Splits `DEV:rbps=N,...` at the last colon: a path and a number MAJ:MIN may have colons.
#[must_use]
pub fn device(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = word.iter().rposition(|byte| *byte == b':')?;
    let (device, limits) = word.split_at_checked(colon)?;
    Some((device, limits.get(1..)?)).filter(|_| !device.is_empty())
}

/// Whether it is the number of a device, `MAJ:MIN`.
#[must_use]
pub fn is_device_number(word: &[u8]) -> bool {
    let mut minor = word;
    let major = text::word(&mut minor, b':').and_then(text::number);
    major.is_some() && text::number(minor).is_some()
}

/// The next limit of `rbps=1M,wiops=max`: its name, and its number; `None` for `max`. An error: it is none.
///
/// # Errors
/// What is left is no such list.
pub fn next_rate<'w>(rest: &mut &'w [u8]) -> Option<Result<(&'w [u8], Option<u64>), ()>> {
    let mut value = text::word(rest, b',')?;
    let name = text::word(&mut value, b'=').unwrap_or_default();
    let known = text::place(b"rbps wbps riops wiops", name).is_some();
    Some(match (known, value, size(value)) {
        (true, MAX, _) => Ok((name, None)),
        (true, _, Some(number @ 1..)) => Ok((name, Some(number))),
        _ => Err(()),
    })
}

/// The file and the value of `FILE=VALUE`. The file is one of a controller, or a limit on cgroups below: other files of the name
/// `cgroup.*` move, freeze or kill processes.
#[must_use]
pub fn setting(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut value = word;
    let file = text::word(&mut value, b'=')?;
    let safe = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let good = file.iter().all(safe)
        && file.first().is_some_and(u8::is_ascii_alphabetic)
        && text::has(file, b'.')
        && (text::after(file, b"cgroup.").is_none() || text::after(file, b"cgroup.max.").is_some());
    Some((file, value)).filter(|_| good && !value.is_empty())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_are_decimal_with_binary_units() {
        for (word, bytes) in [
            ("0", Some(0)),
            ("1", Some(1)),
            ("4k", Some(4096)),
            ("64M", Some(64 << 20)),
            ("2g", Some(2 << 30)),
            ("8388607T", Some(8_388_607 << 40)),
            ("8388608T", None),
            ("9223372036854775807", Some(i64::MAX as u64)),
            ("9223372036854775808", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(size(word.as_bytes()), bytes, "{word}");
        }
        for bad in ["", "M", " 1", "1 ", "-1", "+1", "0x10", "010", "00", "1.5G", "1MB", "1MiB", "1KK", "max", "1P"] {
            assert_eq!(size(bad.as_bytes()), None, "{bad:?}");
        }
        assert!(
            is_size(b"max", 1) && is_size(b"0", 0) && !is_size(b"0", 1) && !is_size(b"0K", 1) && !is_size(b"MAX", 1)
        );
    }

    #[test]
    fn counts_have_bounds() {
        assert!(is_count(b"1", 10, false) && is_count(b"10", 10, false) && is_count(b"max", 10, true));
        for bad in ["0", "11", "max", "", "1 ", "-1"] {
            assert!(!is_count(bad.as_bytes(), 10, false), "{bad:?}");
        }
    }

    #[test]
    fn processors_have_a_fraction() {
        for (word, expected) in [
            ("1", 100_000),
            ("0.5", 50_000),
            ("0.01", 1000),
            ("1.25", 125_000),
            ("2.00001", 200_001),
            ("8192", 819_200_000),
            ("00.5", 50_000),
        ] {
            assert_eq!(processors(word.as_bytes()), Some(expected), "{word}");
        }
        for bad in ["", "0", "0.0", "0.009", ".5", "1.", "1.2.3", "1,5", "-1", "1.000001", "8193", "max", "1.x", "1e3"]
        {
            assert_eq!(processors(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn lists_of_processors_have_numbers_and_ranges() {
        for good in ["0", "0-3", "0-3,6", "5,4"] {
            assert!(is_list(good.as_bytes()), "{good}");
        }
        for bad in ["", ",", "0,", "3-0", "-3", "0-", "a", "0-3-5", "0 1"] {
            assert!(!is_list(bad.as_bytes()), "{bad:?}");
        }
    }

    fn rates(word: &str) -> Result<Vec<(String, Option<u64>)>, ()> {
        let mut rest = word.as_bytes();
        let mut found = Vec::new();
        while let Some(rate) = next_rate(&mut rest) {
            let (name, number) = rate?;
            found.push((String::from_utf8_lossy(name).into_owned(), number));
        }
        Ok(found)
    }

    #[test]
    fn device_ends_at_the_last_colon() {
        assert_eq!(device(b"8:0:rbps=1"), Some((&b"8:0"[..], &b"rbps=1"[..])));
        assert_eq!(device(b"/dev/sda:wiops=max"), Some((&b"/dev/sda"[..], &b"wiops=max"[..])));
        assert_eq!((device(b"/dev/sda"), device(b":rbps=1")), (None, None));
        assert!(
            is_device_number(b"8:16")
                && !is_device_number(b"8:")
                && !is_device_number(b"8")
                && !is_device_number(b"a:1")
        );
        assert_eq!(
            rates("rbps=1M,wiops=max"),
            Ok([("rbps".to_string(), Some(1 << 20)), ("wiops".to_string(), None)].into())
        );
        for bad in ["rbps", "rbps=", "rbps=0", "bps=1", "rbps=1,,", "=1", "rbps=x"] {
            assert_eq!(rates(bad), Err(()), "{bad}");
        }
    }

    #[test]
    fn files_that_act_on_processes_are_refused() {
        for good in ["memory.max=1", "io.max=8:0 rbps=1", "hugetlb.2MB.max=0", "cgroup.max.depth=1", "pids.max=a=b"] {
            assert!(setting(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "cgroup.procs=1",
            "cgroup.threads=1",
            "cgroup.kill=1",
            "cgroup.freeze=1",
            "cgroup.type=threaded",
            "cgroup.subtree_control=+memory",
            "../memory.max=1",
            "a/memory.max=1",
            "..=1",
            ".memory=1",
            "memory=1",
            "memory.max",
            "memory.max=",
            "=1",
            "",
        ] {
            assert_eq!(setting(bad.as_bytes()), None, "{bad:?}");
        }
    }

    proptest! {
        /// Whatever is accepted, the kernel (memparse) reads the same number from it.
        #[test]
        fn sizes_mean_the_same_to_the_kernel(number in 0u64.., unit in "[kKmMgGtT]?") {
            let word = format!("{number}{unit}");
            let shift = match unit.to_ascii_lowercase().as_str() { "k" => 10, "m" => 20, "g" => 30, "t" => 40, _ => 0 };
            let expected = u128::from(number) << shift;
            let expected = u64::try_from(expected).ok().filter(|bytes| *bytes <= i64::MAX as u64);
            prop_assert_eq!(size(word.as_bytes()), expected);
        }

        #[test]
        fn no_word_leads_out_of_the_cgroup(word in "[./=a-z]{0,12}") {
            if let Some((file, _)) = setting(word.as_bytes()) {
                prop_assert!(!file.contains(&b'/') && !file.starts_with(b"."));
            }
        }

        #[test]
        fn processors_are_never_too_few(word in "[0-9.]{0,8}") {
            if let Some(parts) = processors(word.as_bytes()) {
                let value: f64 = word.parse().expect("a number");
                prop_assert!((value * 100_000.0 - f64::from(parts)).abs() < 0.5 && parts >= 1000);
            }
        }
    }
}
