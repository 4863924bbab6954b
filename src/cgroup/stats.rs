//! What a container has used: the numbers of its cgroup (cgroups(7)), as lines for people or as JSON. A number that the kernel does not
//! count is left out, and named.

use core::ffi::CStr;

use rustix::fs::OFlags;

use crate::cgroup::running;
use crate::lines;
use crate::ns::target::{line_after, read_whole};
use crate::report::hint;
use crate::report::message::{blame_hint, failed};
use crate::report::wording::{self, Level};
use crate::say;
use crate::spec::Spec;
use crate::state::{Launch, write_to_anybody};
use crate::sys::files::{self, Fd, HERE};
use crate::sys::{self, Standard};
use crate::text::{self, PATH, Short, Text};

/// When a number is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Always,
    /// While the container runs.
    Running,
    /// As JSON; to people only if it is not 0.
    NotZero,
}

/// A number of the cgroup.
struct Row {
    file: &'static CStr,
    /// The beginning of its line.
    key: &'static [u8],
    /// Its name in JSON, which must not change, and with blanks for people. Its end is the unit: `-usec`, `-bytes`, or none.
    name: &'static [u8],
    when: When,
}

const fn row(file: &'static CStr, key: &'static [u8], name: &'static [u8], when: When) -> Row {
    Row { file, key, name, when }
}

/// cpu.stat has the first three without its controller. memory.peak is there since Linux 5.19, pids.peak since 6.1.
static ROWS: &[Row] = &[
    row(c"cpu.stat", b"usage_usec ", b"cpu-time-usec", When::Always),
    row(c"cpu.stat", b"user_usec ", b"cpu-user-usec", When::Always),
    row(c"cpu.stat", b"system_usec ", b"cpu-system-usec", When::Always),
    row(c"cpu.stat", b"throttled_usec ", b"cpu-throttled-usec", When::NotZero),
    row(c"memory.current", b"", b"memory-in-use-bytes", When::Running),
    row(c"memory.peak", b"", b"memory-peak-bytes", When::Always),
    row(c"memory.events", b"oom_kill ", b"oom-kills", When::NotZero),
    row(c"pids.current", b"", b"pids", When::Running),
    row(c"pids.peak", b"", b"pids-peak", When::Always),
];

/// The names of the numbers of each device in io.stat.
const IO: &[u8] = b"rbytes rios wbytes wios";

/// The column of the numbers.
const COLUMN: usize = 20;

/// At the container's end: a block of lines on standard error, or a line of JSON to --status-fd.
pub fn report(launch: &Launch) {
    let (spec, Some(cgroup)) = (&launch.spec, launch.cgroup.known()) else { return };
    let time = sys::now().since(cgroup.begun);
    let wall = time.seconds.cast_unsigned() * 1_000_000 + time.nanos.cast_unsigned() / 1000;
    match spec.channels.status.filter(|_| spec.channels.tells_signal) {
        Some(status) => {
            let put = |bytes: &[u8]| {
                // A reader that has ended needs no report.
                let _ = write_to_anybody(sys::given(status), bytes);
            };
            let mut sheet = Sheet::new(true, false, &put);
            sheet.line.push(b"{ \"stats\": ");
            sheet.fill(cgroup.own, wall, b" }");
        }
        None => {
            let put = |bytes: &[u8]| sys::write(Standard::Error, bytes);
            let mut sheet = Sheet::new(false, false, &put);
            wording::chosen().begin(&mut sheet.line, Level::Failure);
            sheet.line.say(say!("the container used:\n"));
            sheet.fill(cgroup.own, wall, b"");
        }
    }
}

/// `--enter TARGET --stats`: prints what the container has used up to now. Returns the exit status, after the message if there is one.
#[must_use]
pub fn print(spec: &Spec<'_>, json: bool) -> i32 {
    let named = spec.target.unwrap_or_default();
    let found = running::find(named).and_then(|container| {
        let age = container.process.age()?;
        let put = |bytes: &[u8]| sys::write(Standard::Output, bytes);
        Sheet::new(json, true, &put).fill(container.cgroup, age * 10_000, b"");
        Ok(())
    });
    let says = say!("report what is used by");
    match found.map_err(|why| blame_hint(says, named, why, hint::of_running(spec, why).hint())) {
        Ok(()) => 0,
        Err(_) => failed(),
    }
}

/// The report that is written.
struct Sheet<'a> {
    json: bool,
    /// The container still runs.
    running: bool,
    /// What is not written yet.
    line: Text,
    put: &'a dyn Fn(&[u8]),
    /// A member of the object is written already.
    more: bool,
    /// The names of the numbers that the kernel does not count.
    lacking: Short,
}

impl<'a> Sheet<'a> {
    const fn new(json: bool, running: bool, put: &'a dyn Fn(&[u8])) -> Sheet<'a> {
        Sheet { json, running, line: Text::new(), put, more: false, lacking: Short::new() }
    }

    /// Writes all numbers, and `end`.
    fn fill(mut self, cgroup: Fd, wall: u64, end: &[u8]) {
        if self.json {
            self.line.byte(b'{');
        }
        self.number(b"wall-time-usec", wall);
        let running = self.running;
        for row in ROWS.iter().filter(|row| running || row.when != When::Running) {
            match number_of(cgroup, row) {
                Some(0) if row.when == When::NotZero && !self.json => {}
                Some(number) => self.number(row.name, number),
                None if row.when == When::Always => self.lacks(row.name),
                None => {}
            }
        }
        self.devices(cgroup);
        if self.json {
            self.line.push(b" }").push(end).byte(b'\n');
        } else if !self.lacking.bytes().is_empty() {
            self.label(b"not counted", b"");
            self.line.push(self.lacking.bytes());
            self.line.say(say!(" (the controller is not enabled, or the kernel is too old)\n"));
        }
        (self.put)(self.line.bytes());
    }

    fn number(&mut self, name: &[u8], number: u64) {
        if self.json {
            self.member(name);
            self.line.push_long_number(number);
            return;
        }
        let (label, unit) = parts(name);
        self.label(label.bytes(), b"");
        match unit {
            Unit::Time => push_time(&mut self.line, number),
            Unit::Bytes => push_size(&mut self.line, number),
            Unit::None => {
                self.line.push_long_number(number);
            }
        }
        self.line.byte(b'\n');
    }

    fn lacks(&mut self, name: &[u8]) {
        if !self.lacking.bytes().is_empty() {
            self.lacking.push(b", ");
        }
        let (label, _) = parts(name);
        self.lacking.push(label.bytes());
    }

    /// A line for each direction, or an object in a list, for each device that was used.
    fn devices(&mut self, cgroup: Fd) {
        let Ok(file) = files::open(cgroup, c"io.stat", OFlags::RDONLY) else { return self.lacks(b"io") };
        if self.json {
            self.member(b"io");
            self.line.byte(b'[');
            self.more = false;
        }
        let _ = lines::each(file, &mut |line| self.device(line));
        sys::close(file);
        if self.json {
            self.line.push(b" ]");
        }
    }

    /// `MAJ:MIN rbytes=N wbytes=N rios=N wios=N ...`; some kernels print the number alone for a device that was not used.
    fn device(&mut self, line: &[u8]) {
        let mut fields = line;
        let device = text::word(&mut fields, b' ').unwrap_or_default();
        let mut numbers = [0; 4];
        while let Some(mut field) = text::word(&mut fields, b' ') {
            let place = text::word(&mut field, b'=').and_then(|name| text::place(IO, name));
            if let Some(slot) = place.and_then(|place| numbers.get_mut(place)) {
                *slot = text::long_number(field).unwrap_or_default();
            }
        }
        if numbers == [0; 4] {
            return;
        }
        let [read, reads, written, writes] = numbers;
        if self.json {
            self.line.push(if self.more { b", { " } else { b" { " });
            self.line.push(b"\"device\": \"").push(device).byte(b'"');
            self.more = true;
            let names: [&[u8]; 4] = [b"read-bytes", b"reads", b"written-bytes", b"writes"];
            for (name, number) in names.iter().zip(numbers) {
                self.number(name, number);
            }
            self.line.push(b" }");
        } else {
            let name = name_of(device);
            let both = [(&b" read"[..], read, reads), (b" written", written, writes)];
            for (verb, bytes, requests) in both.into_iter().filter(|(_, bytes, requests)| bytes | requests != 0) {
                self.label(name.bytes(), verb);
                push_size(&mut self.line, bytes);
                self.line.say(say!(", ")).push_long_number(requests).say(say!(" requests\n"));
            }
        }
        // A machine may have more devices than the text has room for.
        if self.line.bytes().len() > PATH / 2 {
            (self.put)(self.line.bytes());
            self.line.truncate(0);
        }
    }

    /// The beginning of a member of an object.
    fn member(&mut self, name: &[u8]) {
        self.line.push(if self.more { b", \"" } else { b" \"" }).push(name).push(b"\": ");
        self.more = true;
    }

    /// The beginning of a line.
    fn label(&mut self, name: &[u8], rest: &[u8]) {
        self.line.push(b"  ").push(name).push(rest).byte(b' ');
        for _ in name.len() + rest.len() + 3..COLUMN {
            self.line.byte(b' ');
        }
    }
}

enum Unit {
    Time,
    Bytes,
    None,
}

/// The name of a number as people read it, and its unit.
fn parts(name: &[u8]) -> (Short, Unit) {
    let (words, unit) = match (text::before(name, b"-usec"), text::before(name, b"-bytes")) {
        (Some(words), _) => (words, Unit::Time),
        (_, Some(words)) => (words, Unit::Bytes),
        _ => (name, Unit::None),
    };
    let mut label = Short::new();
    for byte in words {
        label.byte(if *byte == b'-' { b' ' } else { *byte });
    }
    (label, unit)
}

fn number_of(cgroup: Fd, row: &Row) -> Option<u64> {
    let mut content = [0u8; PATH];
    read_whole(cgroup, row.file, &mut content).ok()?;
    text::long_number(line_after(&content, row.key)?)
}

/// The name of a block device; its number where /sys does not have it.
fn name_of(device: &[u8]) -> Short {
    let (mut path, mut buffer, mut name) = (Text::new(), [0u8; PATH], Short::new());
    path.push(b"/sys/dev/block/").push(device);
    let link = files::read_link(HERE, path.c_str(), &mut buffer).unwrap_or(device);
    let last = link.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.push(last);
    name
}

/// Microseconds, as in `1 h 2 min 3.456 s`.
fn push_time(line: &mut Text, micros: u64) {
    let (seconds, millis) = (micros / 1_000_000, (micros / 1000 % 1000) as u32);
    if seconds >= 3600 {
        line.push_long_number(seconds / 3600).push(b" h ");
    }
    if seconds >= 60 {
        line.push_long_number(seconds / 60 % 60).push(b" min ");
    }
    line.push_long_number(seconds % 60).byte(b'.');
    // With the zeros in front.
    line.push_number(millis / 100).push_number(millis / 10 % 10).push_number(millis % 10).push(b" s");
}

/// Bytes, as in `4.5 MiB`.
fn push_size(line: &mut Text, bytes: u64) {
    let (mut whole, mut rest, mut units) = (bytes, 0, &b"KMGTPE"[..]);
    let mut unit = None;
    while whole >= 1024
        && let Some((first, after)) = units.split_first()
    {
        (whole, rest, unit, units) = (whole / 1024, whole % 1024, Some(*first), after);
    }
    line.push_long_number(whole);
    if let Some(unit) = unit {
        line.byte(b'.').push_long_number(rest * 10 / 1024).byte(b' ').byte(unit).push(b"iB");
    } else {
        line.push(b" B");
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::cell::RefCell;
    use std::string::String;
    use std::vec::Vec;

    use super::*;

    fn text(push: impl Fn(&mut Text)) -> String {
        let mut line = Text::new();
        push(&mut line);
        String::from_utf8(line.bytes().to_vec()).expect("UTF-8")
    }

    #[test]
    fn numbers_are_for_people() {
        for (bytes, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (1 << 20, "1.0 MiB"),
            (5 << 29, "2.5 GiB"),
            (3 << 40, "3.0 TiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(text(|line| push_size(line, bytes)), expected, "{bytes}");
        }
        for (micros, expected) in [
            (0, "0.000 s"),
            (999, "0.000 s"),
            (1_002_345, "1.002 s"),
            (59_999_999, "59.999 s"),
            (60_000_000, "1 min 0.000 s"),
            (3_723_040_000, "1 h 2 min 3.040 s"),
        ] {
            assert_eq!(text(|line| push_time(line, micros)), expected, "{micros}");
        }
    }

    fn sheet(json: bool, fill: impl Fn(&mut Sheet<'_>)) -> String {
        let written = RefCell::new(Vec::new());
        let put = |bytes: &[u8]| written.borrow_mut().extend_from_slice(bytes);
        let mut sheet = Sheet::new(json, false, &put);
        fill(&mut sheet);
        let rest = sheet.line.bytes().to_vec();
        written.borrow_mut().extend(rest);
        String::from_utf8(written.into_inner()).expect("UTF-8")
    }

    #[test]
    fn devices_are_lines_or_objects() {
        let fill = |sheet: &mut Sheet<'_>| {
            sheet.device(b"999:1 rbytes=1048576 wbytes=2048 rios=3 wios=4 dbytes=5 dios=6");
            sheet.device(b"999:2");
            sheet.device(b"999:3 rbytes=0 wbytes=0 rios=0 wios=0 dbytes=0 dios=0");
            sheet.device(b"999:4 wios=1 some=thing wbytes=512");
        };
        assert_eq!(
            sheet(false, fill),
            "  999:1 read        1.0 MiB, 3 requests\n  999:1 written     2.0 KiB, 4 requests\n  \
             999:4 written     512 B, 1 requests\n"
        );
        assert_eq!(
            sheet(true, fill),
            " { \"device\": \"999:1\", \"read-bytes\": 1048576, \"reads\": 3, \"written-bytes\": 2048, \"writes\": 4 }, \
             { \"device\": \"999:4\", \"read-bytes\": 0, \"reads\": 0, \"written-bytes\": 512, \"writes\": 1 }"
        );
    }

    #[test]
    fn no_number_of_devices_is_too_many() {
        for json in [false, true] {
            let all = sheet(json, |sheet| {
                for _ in 0..500 {
                    sheet.device(b"4095:1048575 rbytes=18446744073709551615 rios=18446744073709551615 wbytes=1 wios=1");
                }
            });
            assert_eq!(all.matches("4095:1048575").count(), if json { 500 } else { 1000 }, "{json}");
        }
    }
}
