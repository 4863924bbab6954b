//! A kernel, an image with nsinit, and a machine that boots both.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError, mpsc};
use std::time::{Duration, Instant};

/// A machine that takes longer hangs.
const DEADLINE: Duration = Duration::from_secs(300);
/// The number of machines that run at the same time.
const AT_ONCE: u32 = 2;

/// Prints to the real stderr that a test (or a part of it) did not run, and why.
pub fn skip(why: &str) {
    let name = std::thread::current().name().unwrap_or("main").to_owned();
    assert!(std::env::var_os("NSINIT_MUST_WORK").is_none_or(|v| v != "1"), "skipped: {name}: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {name}: {why}");
}

/// Runs a tool; its output, if the tool exists and succeeds.
pub fn attempt(command: &mut Command) -> Option<String> {
    let out = command.stdin(Stdio::null()).stderr(Stdio::piped()).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim_end().to_owned())
}

pub fn tool(command: &mut Command) -> String {
    attempt(command).unwrap_or_else(|| panic!("{command:?} failed"))
}

pub fn script(name: &str) -> Command {
    Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name))
}

// ---- kernels

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kernel {
    V5_10,
    V6_1,
    V6_12,
    V7,
    Arm64,
}
use Kernel::{Arm64, V5_10, V6_1, V6_12, V7};

pub const ALL: [Kernel; 5] = [V5_10, V6_1, V6_12, V7, Arm64];
/// The kernels for the architecture for which the tests can compile programs.
pub const NATIVE: [Kernel; 4] = [V5_10, V6_1, V6_12, V7];

/// The wanted kernels that are available.
pub fn kernels(wanted: &[Kernel]) -> Vec<Kernel> {
    wanted.iter().copied().filter(|kernel| kernel.directory().is_some()).collect()
}

impl Kernel {
    const fn name(self) -> &'static str {
        match self {
            V5_10 => "5.10",
            V6_1 => "6.1",
            V6_12 => "6.12",
            V7 => "7",
            Arm64 => "arm64",
        }
    }

    pub fn directory(self) -> Option<PathBuf> {
        static ONE_AFTER_THE_OTHER: Mutex<()> = Mutex::new(());
        let _guard = ONE_AFTER_THE_OTHER.lock().unwrap_or_else(PoisonError::into_inner);
        if attempt(Command::new(self.qemu()).arg("--version")).is_none() {
            skip(&format!("{} is not installed", self.qemu()));
            return None;
        }
        let path = attempt(script("kernel").arg(self.name()));
        if path.is_none() {
            skip(&format!("scripts/kernel cannot get kernel {}", self.name()));
        }
        path.map(PathBuf::from)
    }

    const fn qemu(self) -> &'static str {
        if self.is_arm64() { "qemu-system-aarch64" } else { "qemu-system-x86_64" }
    }

    pub const fn is_arm64(self) -> bool {
        matches!(self, Arm64)
    }

    const fn console(self) -> &'static str {
        if self.is_arm64() { "ttyAMA0" } else { "ttyS0" }
    }

    /// A static nsinit for that architecture.
    fn nsinit(self) -> &'static Path {
        static HOST: OnceLock<PathBuf> = OnceLock::new();
        static OTHER: OnceLock<PathBuf> = OnceLock::new();
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        if self.is_arm64() {
            OTHER.get_or_init(|| {
                build(&["aarch64"]);
                target.join("nsinit-aarch64-unknown-linux-musl")
            })
        } else {
            HOST.get_or_init(|| match std::env::var_os("NSINIT_BIN") {
                Some(path) => path.into(),
                None => {
                    build(&[]);
                    target.join("nsinit")
                }
            })
        }
    }

    fn busybox(self) -> PathBuf {
        let own = || ["/bin/busybox", "/usr/bin/busybox"].into_iter().map(PathBuf::from).find(|path| path.exists());
        if self.is_arm64() {
            self.directory().expect("the kernel was found before").join("busybox")
        } else {
            own().expect("a static busybox is installed")
        }
    }
}

/// scripts/build with these arguments, one at a time: it leaves the program where the next one does.
fn build(arguments: &[&str]) {
    static ONE: Mutex<()> = Mutex::new(());
    let _alone = ONE.lock();
    tool(script("build").args(arguments));
}

/// A static nsinit with these features only.
pub fn with_features(list: &str) -> PathBuf {
    build(&["--features", list]);
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nsinit-custom")
}

/// nsinit for armv7.
pub fn for_armv7() -> PathBuf {
    build(&["armv7"]);
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/nsinit-armv7-unknown-linux-musleabihf")
}

// ---- images

fn scratch() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("nsinit-vm.{}", std::process::id()));
        fs::create_dir_all(&dir).expect("make a scratch directory");
        // SAFETY: `remove` is an `extern "C" fn()` that lives as long as the process.
        unsafe { libc::atexit(remove) };
        dir
    })
}

extern "C" fn remove() {
    let _ = fs::remove_dir_all(scratch());
}

pub fn new_path(what: &str) -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    scratch().join(format!("{what}.{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// An initramfs: /init, a busybox in /bin, and another in /box, which is a root for containers.
pub struct Image {
    pub kernel: Kernel,
    dir: PathBuf,
    init: Option<String>,
    words: Vec<String>,
}

impl Image {
    pub fn new(kernel: Kernel) -> Self {
        let image = Self::empty(kernel);
        for bin in ["bin", "box/bin"] {
            image.busybox(bin);
        }
        for name in ["box/proc", "box/dev", "box/sys", "box/tmp", "box/etc", "tmp"] {
            image.dir(name);
        }
        image
    }

    /// An image with only /init.
    pub fn empty(kernel: Kernel) -> Self {
        let dir = new_path("image");
        fs::create_dir_all(&dir).expect("make an image's directory");
        Self { kernel, dir, init: None, words: Vec::new() }
    }

    fn busybox(&self, bin: &str) {
        static APPLETS: OnceLock<String> = OnceLock::new();
        let applets = APPLETS.get_or_init(|| tool(Command::new(V6_1.busybox()).arg("--list")));
        let bin = self.dir(bin);
        self.copy(&self.kernel.busybox(), &bin.join("busybox"));
        for name in applets.lines().filter(|name| *name != "busybox") {
            symlink("busybox", bin.join(name)).expect("link an applet");
        }
    }

    fn copy(&self, from: &Path, to: &Path) {
        tool(Command::new("cp").arg("-L").arg(from).arg(to));
        fs::set_permissions(to, Permissions::from_mode(0o755)).expect("make a program executable");
    }

    pub fn at(&self, path: &str) -> PathBuf {
        self.dir.join(path.trim_start_matches('/'))
    }

    pub fn dir(&self, path: &str) -> PathBuf {
        let dir = self.at(path);
        fs::create_dir_all(&dir).expect("make a directory");
        dir
    }

    pub fn file(&self, path: &str, text: &str) {
        let path = self.place(path);
        fs::write(&path, text).expect("write a file");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("open a file to all");
    }

    /// tests/NAME.c, compiled statically, at that path.
    pub fn program(&self, name: &str, path: &str) {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(format!("{name}.c"));
        let words = ["-static", "-Os", "-Wall", "-Wextra", "-Werror", "-o"];
        tool(Command::new("cc").args(words).arg(self.place(path)).arg(source));
    }

    /// An existing program, at that path.
    pub fn put(&self, program: &Path, path: &str) {
        self.copy(program, &self.place(path));
    }

    /// nsinit at another path.
    pub fn nsinit(&self, path: &str) {
        self.put(self.kernel.nsinit(), path);
    }

    /// busybox at that path, without links to it.
    pub fn busybox_alone(&self, path: &str) {
        self.put(&self.kernel.busybox(), path);
    }

    /// The path, whose parent directory is made.
    fn place(&self, path: &str) -> PathBuf {
        let path = self.at(path);
        fs::create_dir_all(path.parent().expect("the path has a parent")).expect("make a directory");
        path
    }

    /// Makes this script /init; nsinit is then /sbin/nsinit and /sbin/init.
    pub fn script(&mut self, text: &str) {
        self.nsinit("sbin/nsinit");
        self.nsinit("sbin/init");
        self.init = Some(text.to_owned());
    }

    /// Sets the command line in the image.
    pub fn words(&mut self, words: &[&str]) {
        self.words = words.iter().map(|&word| word.to_owned()).collect();
    }

    /// Sets a shell script as the machine's command, without a container.
    pub fn runs(&mut self, script: &str) {
        self.words(&["--", "/bin/sh", "-c", script]);
    }

    /// Adds kernel modules, with those that they depend on, and /modules, which loads them. Built-in modules need no
    /// file.
    pub fn modules(&self, names: &[&str]) {
        let modules = self.kernel.directory().expect("the kernel was found before").join("modules");
        let list = fs::read_to_string(modules.join("modules.dep")).unwrap_or_default();
        let base = |path: &str| {
            path.rsplit('/').next().and_then(|file| file.split('.').next()).unwrap_or_default().replace('-', "_")
        };
        let mut load = String::from("#!/bin/sh\n");
        let mut done = Vec::new();
        for name in names {
            let Some(line) = list.lines().find(|line| base(line.split(':').next().unwrap_or_default()) == *name) else {
                continue;
            };
            let (own, needed) = line.split_once(':').expect("a module and a list");
            for path in needed.split_whitespace().rev().chain([own]) {
                let module = base(path);
                if done.contains(&module) {
                    continue;
                }
                let to = self.dir("ko").join(format!("{module}.ko"));
                tool(Command::new("cp").arg("-L").arg(modules.join(path)).arg(to.with_extension(
                    path.rsplit_once(".ko").map_or("ko", |(_, end)| if end.is_empty() { "ko" } else { "ko.xz" }),
                )));
                if path.ends_with(".xz") {
                    tool(Command::new("xz").arg("-d").arg(to.with_extension("ko.xz")));
                }
                load += &format!("insmod /ko/{module}.ko\n");
                done.push(module);
            }
        }
        self.file("modules", &load);
    }

    /// Packs the whole image as a file system image.
    pub fn squash(&self, to: &Path) {
        tool(Command::new("mksquashfs").arg(&self.dir).arg(to).args(["-quiet", "-noappend"]));
    }

    pub fn erofs(&self, to: &Path) {
        tool(Command::new("mkfs.erofs").arg(to).arg(&self.dir));
    }

    /// With 24 MB.
    pub fn ext4(&self, to: &Path) {
        tool(Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(&self.dir).arg(to).arg("24M"));
    }

    /// Copies all files to a directory that does not exist yet.
    pub fn copy_to(&self, to: &Path) {
        tool(Command::new("cp").args(["-r", "--no-dereference"]).arg(&self.dir).arg(to));
    }

    /// A copy of the image.
    pub fn copy_of_all(&self) -> Self {
        let dir = new_path("image");
        self.copy_to(&dir);
        Self { kernel: self.kernel, dir, init: self.init.clone(), words: self.words.clone() }
    }

    /// The file that is booted, with this compression.
    pub fn pack(&self, kind: &str) -> PathBuf {
        self.pack_by(kind, |_| {})
    }

    pub fn pack_by(&self, kind: &str, by: impl Fn(&mut Command)) -> PathBuf {
        // The counter at the end of new_path's result must not be taken for an extension.
        let out = PathBuf::from(format!("{}.{kind}", new_path("initrd").display()));
        // Another user may have to write it.
        fs::write(&out, "").expect("make a file");
        fs::set_permissions(&out, Permissions::from_mode(0o666)).expect("open a file to all");
        let mut make = script("initramfs");
        make.arg(&out).arg(&self.dir).env("NSINIT_BIN", self.kernel.nsinit());
        if let Some(text) = &self.init {
            let path = new_path("init");
            fs::write(&path, text).expect("write /init");
            make.env("NSINIT_BIN", &path);
        }
        if !self.words.is_empty() {
            make.arg("--").args(&self.words);
        }
        by(&mut make);
        tool(&mut make);
        out
    }

    /// The file that is booted, with these modules of the kernel and those that they need; nsinit loads them.
    pub fn pack_with_modules(&self, list: &str) -> PathBuf {
        let out = PathBuf::from(format!("{}.gz", new_path("initrd").display()));
        let modules = self.kernel.directory().expect("the kernel was found before").join("modules");
        let mut make = script("initramfs");
        make.args(["--modules", list, "--modules-from"]).arg(modules).arg(&out).arg(&self.dir);
        tool(make.env("NSINIT_BIN", self.kernel.nsinit()));
        out
    }

    #[track_caller]
    pub fn boot_packed_with(&self, initrd: PathBuf, command_line: &str, options: &[&str]) -> Boot {
        self.run(initrd, command_line, options).finish()
    }

    /// Boots a packed image.
    #[track_caller]
    pub fn boot_packed(&self, initrd: PathBuf, command_line: &str) -> Boot {
        self.run(initrd, command_line, &[]).finish()
    }

    /// Boots the image and waits for the end of the machine.
    #[track_caller]
    pub fn boot(&self, command_line: &str) -> Boot {
        self.start(command_line).finish()
    }

    #[track_caller]
    pub fn start(&self, command_line: &str) -> Machine {
        self.start_with(command_line, &[])
    }

    /// With a monitor, for [`Machine::monitor`].
    #[track_caller]
    pub fn start_monitored(&self) -> Machine {
        self.start_monitored_with("", &[])
    }

    #[track_caller]
    pub fn start_monitored_with(&self, command_line: &str, options: &[&str]) -> Machine {
        let path = new_path("monitor");
        let path = path.to_str().expect("scratch paths are UTF-8");
        let monitor = format!("unix:{path},server=on,wait=off");
        let options = [options, &["-monitor", &monitor]].concat();
        let mut machine = self.start_with(command_line, &options);
        machine.monitor = Some(path.into());
        machine
    }

    /// A file with an empty file system.
    pub fn disk(sort: &str) -> Disk {
        let disk = Disk::new("disk");
        tool(Command::new("mke2fs").args(["-q", "-t", sort]).arg(&disk.0).arg("16M"));
        disk
    }

    /// With more options for qemu.
    #[track_caller]
    pub fn start_with(&self, command_line: &str, options: &[&str]) -> Machine {
        self.run(self.pack("gz"), command_line, options)
    }

    fn run(&self, initrd: PathBuf, command_line: &str, options: &[&str]) -> Machine {
        let kernel = self.kernel.directory().expect("the kernel was found before").join("vmlinuz");
        // Unless the command line selects another console.
        let console = format!("console={} quiet", self.kernel.console());
        let console = if command_line.contains("console=") { "" } else { &console };
        // On a loaded machine the interrupts of an emulated timer are late, and the kernel panics: "IO-APIC + timer
        // doesn't work!".
        let timer = if self.kernel.is_arm64() { "" } else { " no_timer_check" };
        // Linux 7 changes its own code when it takes the TSC as its clock, and an emulated processor may still run the old code then: "Oops:
        // int3" in ktime_get_update_offsets_now.
        let clock = if self.kernel == V7 { " tsc=unstable" } else { "" };
        let append = format!("{console} panic=-1{timer}{clock} {command_line}");
        // A kernel changes its own code while it runs (the first limit on memory switches the accounting of the kernel's memory on). If each
        // emulated processor has a thread of its own, one of them may never see the change, and waits at the old code without end.
        let accelerator = if options.contains(&"-smp") { "tcg,thread=single" } else { "tcg" };
        let mut qemu = Command::new(self.kernel.qemu());
        let machine: &[&str] =
            if self.kernel.is_arm64() { &["-M", "virt", "-cpu", "cortex-a53"] } else { &["-M", "pc", "-cpu", "max"] };
        qemu.args([
            "-accel",
            accelerator,
            "-m",
            "384",
            "-nodefaults",
            "-display",
            "none",
            "-serial",
            "stdio",
            "-no-reboot",
        ])
        .args(machine)
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(&initrd)
        .args(["-append", &append])
        .args(options);
        let line = format!("{:?}: {append}", self.kernel);
        Machine::start(qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()), line, initrd)
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

pub struct Disk(pub PathBuf);

impl Disk {
    /// A disk whose file does not exist yet.
    pub fn new(what: &str) -> Self {
        Self(new_path(what))
    }

    /// A disk with a directory's files, and some free space.
    pub fn of(directory: &Path) -> Self {
        let path = new_path("disk");
        tool(Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(directory).arg(&path).arg("400M"));
        Self(path)
    }

    pub fn as_drive(&self) -> [&str; 2] {
        let text = format!("file={},format=raw,if=virtio", self.0.display());
        ["-drive", Box::leak(text.into_boxed_str())]
    }

    /// True if the file system was unmounted.
    pub fn is_clean(&self) -> bool {
        let text = tool(Command::new("dumpe2fs").arg("-h").arg(&self.0));
        let field = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        field("Filesystem state").ends_with(" clean") && !field("Filesystem features").contains("needs_recovery")
    }

    /// True if the file system needs no repair, not even that of its journal.
    pub fn is_consistent(&self) -> bool {
        attempt(Command::new("e2fsck").arg("-fn").arg(&self.0)).is_some()
    }

    /// Replays the journal. True if no more repair was necessary.
    pub fn is_replayed(&self) -> bool {
        let done = Command::new("e2fsck").arg("-p").arg(&self.0).output().expect("run e2fsck");
        // 1: something was repaired, without a question.
        matches!(done.status.code(), Some(0 | 1))
    }

    /// A file of the file system that is a disk itself.
    pub fn extract(&self, path: &str) -> Self {
        let disk = Self::new("inner");
        tool(Command::new("debugfs").args(["-R", &format!("dump {path} {}", disk.0.display())]).arg(&self.0));
        disk
    }

    pub fn read(&self, path: &str) -> String {
        let mut debugfs = Command::new("debugfs");
        debugfs.args(["-R", &format!("cat {path}")]).arg(&self.0).stderr(Stdio::null());
        String::from_utf8_lossy(&debugfs.output().expect("run debugfs").stdout).into_owned()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

// ---- machines

/// The log with each message of the kernel on a line of its own: it may come while a program writes a line.
pub fn apart(log: &str) -> String {
    let (mut text, mut begun) = (String::new(), String::new());
    for line in log.split_inclusive('\n') {
        let (own, kernels) = line.split_at(stamp_of(line).unwrap_or(line.len()));
        if kernels.is_empty() {
            text += &(std::mem::take(&mut begun) + own);
        } else if own.trim_start_matches("\u{1b}c").is_empty() {
            text += line;
        } else if own.contains('\u{1b}') {
            // The firmware's last line: it clears the screen, and nothing follows.
            text += &format!("{own}\n{kernels}");
        } else {
            begun += own;
            text += kernels;
        }
    }
    text + &begun
}

/// Where the time before a message of the kernel begins in the line, such as `[   12.345678] `.
fn stamp_of(line: &str) -> Option<usize> {
    let is_time = |word: &str| {
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        word.split_once('.')
            .is_some_and(|(seconds, rest)| digits(seconds.trim_start()) && digits(rest) && rest.len() == 6)
    };
    let mut begins = line.match_indices('[').map(|(at, _)| at);
    begins.find(|at| line[at + 1..].split_once("] ").is_some_and(|(word, _)| is_time(word)))
}

/// A permit to run a machine.
struct Place;

static PLACES: (Mutex<u32>, Condvar) = (Mutex::new(AT_ONCE), Condvar::new());

impl Place {
    fn take() -> Self {
        let mut free = PLACES.0.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = PLACES.1.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Self
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *PLACES.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        PLACES.1.notify_one();
    }
}

/// How a machine ended, by the last message of its kernel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Off,
    Restart,
    Halt,
    Panic,
    /// The machine did not end, and was killed.
    Killed,
}

/// The kernel messages for each end.
const ENDS: [(&str, End); 5] = [
    ("Kernel panic", End::Panic),
    ("reboot: Power down", End::Off),
    ("reboot: Power off not available", End::Off),
    ("reboot: Restarting system", End::Restart),
    ("reboot: System halted", End::Halt),
];

/// A running machine.
pub struct Machine {
    qemu: Child,
    console: Option<ChildStdin>,
    output: mpsc::Receiver<Vec<u8>>,
    log: String,
    line: String,
    initrd: PathBuf,
    monitor: Option<PathBuf>,
    _place: Place,
}

impl Machine {
    /// The machine that a command starts.
    pub fn of(qemu: &mut Command, line: &str) -> Self {
        Self::start(qemu.stdin(Stdio::piped()).stdout(Stdio::piped()), line.to_owned(), new_path("none"))
    }

    fn start(qemu: &mut Command, line: String, initrd: PathBuf) -> Self {
        let place = Place::take();
        let mut qemu = qemu.spawn().expect("start qemu");
        let mut from = qemu.stdout.take().expect("stdout is piped");
        let (to, output) = mpsc::channel();
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = from.read(&mut chunk) {
                if to.send(chunk[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let console = qemu.stdin.take();
        Self { qemu, console, output, log: String::new(), line, initrd, monitor: None, _place: place }
    }

    /// Reads until `ready` is true, or the machine ends. Returns whether `ready` was true.
    fn read_until(&mut self, deadline: Duration, ready: impl Fn(&str) -> bool) -> bool {
        let end = Instant::now() + deadline;
        while !ready(&self.log) {
            match self.output.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(chunk) => {
                    let text = String::from_utf8_lossy(&chunk).replace('\r', "");
                    if std::env::var_os("NSINIT_SHOW").is_some() {
                        let _ = std::io::stderr().write_all(text.as_bytes());
                    }
                    self.log += &text;
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// Waits until the machine has printed this text, but no longer than that. Returns whether it has.
    pub fn prints(&mut self, text: &str, deadline: Duration) -> bool {
        self.read_until(deadline, |log| log.contains(text))
    }

    /// Waits until the machine has printed one of these texts, or has ended.
    pub fn prints_or_ends(&mut self, texts: &[&str]) {
        let ends = ENDS.map(|(text, _)| text);
        self.read_until(DEADLINE, |log| texts.iter().chain(&ends).any(|text| log.contains(text)));
    }

    /// Waits until the machine has printed this text.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        assert!(
            self.read_until(DEADLINE, |log| log.contains(text)),
            "the machine did not print {text:?}: {}\n{}",
            self.line,
            self.log
        );
    }

    pub fn enter(&mut self, keys: &str) {
        let console = self.console.as_mut().expect("stdin is piped");
        console.write_all(keys.as_bytes()).and_then(|()| console.flush()).expect("type");
    }

    /// Presses a key repeatedly, until the machine has printed this text once more.
    #[track_caller]
    pub fn press(&mut self, key: &str, text: &str) {
        let before = self.log.matches(text).count();
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            self.enter(key);
            if self.read_until(Duration::from_secs(1), |log| log.matches(text).count() > before) {
                return;
            }
        }
        panic!("the machine did not print {text:?}: {}\n{}", self.line, self.log);
    }

    /// Sends a command to qemu, and returns when it has run it. A machine that has ended has no monitor.
    pub fn monitor(&self, command: &str) {
        let path = self.monitor.as_ref().expect("the machine has a monitor");
        let Ok(mut socket) = UnixStream::connect(path) else { return };
        socket.set_read_timeout(Some(DEADLINE)).expect("set a time limit");
        // One prompt comes before the command, and one after it.
        for keys in [format!("{command}\n"), String::new()] {
            let (mut shown, mut chunk) = (String::new(), [0; 4096]);
            while !shown.ends_with("(qemu) ") {
                let Ok(length @ 1..) = socket.read(&mut chunk) else { return };
                shown += &String::from_utf8_lossy(&chunk[..length]);
            }
            let _ = socket.write_all(keys.as_bytes());
        }
    }

    /// Sends a command to qemu, and again while the machine does not print this text: what is pressed before its driver is there is lost.
    #[track_caller]
    pub fn monitor_until(&mut self, command: &str, text: &str) {
        let pressed = (0..9).any(|_| {
            self.monitor(command);
            // Long enough that no press comes after one that was heard: a second one ends the grace.
            self.prints(text, Duration::from_secs(20))
        });
        assert!(pressed, "the machine did not print {text:?}: {}\n{}", self.line, self.log);
    }

    /// The exit status of qemu, once that has ended, and the output.
    pub fn exit_status(mut self) -> (Option<i32>, Boot) {
        if self.read_until(DEADLINE, |_| false)
            || !matches!(self.output.try_recv(), Err(mpsc::TryRecvError::Disconnected))
        {
            let _ = self.qemu.kill();
        }
        let status = self.qemu.wait().ok().and_then(|status| status.code());
        (status, Boot { end: End::Killed, log: std::mem::take(&mut self.log), line: std::mem::take(&mut self.line) })
    }

    #[track_caller]
    pub fn finish(self) -> Boot {
        let boot = self.finish_within(DEADLINE);
        assert!(boot.end != End::Killed, "the machine did not end: {boot}");
        boot
    }

    /// Kills a machine that has not ended by the deadline, or that has halted.
    pub fn finish_within(mut self, deadline: Duration) -> Boot {
        let ended = |log: &str| ENDS.iter().find(|(text, _)| log.contains(text)).map(|(_, end)| *end);
        self.read_until(deadline, |log| ended(log).is_some());
        let end = ended(&self.log).unwrap_or(End::Killed);
        if matches!(end, End::Killed | End::Halt) {
            let _ = self.qemu.kill();
        }
        // The last output.
        self.read_until(Duration::from_secs(10), |_| false);
        Boot { end, log: std::mem::take(&mut self.log), line: std::mem::take(&mut self.line) }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
        let _ = fs::remove_file(&self.initrd);
    }
}

/// The result of a boot.
pub struct Boot {
    pub end: End,
    pub log: String,
    line: String,
}

impl std::fmt::Display for Boot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{:?}\n{}", self.line, self.end, self.log)
    }
}

impl Boot {
    /// The output, without that of the kernel and the firmware, and without the lines about CMD's end. A message of nsinit that the
    /// kernel printed is without its time.
    pub fn text(&self) -> String {
        let own = |line: &&str| !line.starts_with("nsinit: CMD ended ") && !line.starts_with("nsinit: CMD died ");
        self.text_with_ends().lines().filter(own).map(|line| format!("{line}\n")).collect()
    }

    /// As [`Boot::text`], with the lines about CMD's end.
    pub fn text_with_ends(&self) -> String {
        let own = |line: &str| {
            let line = match line.trim_start_matches("\u{1b}c").strip_prefix('[') {
                Some(kernel) => {
                    kernel.split_once("] ").map(|(_, text)| text).filter(|text| text.starts_with("nsinit: "))?
                }
                None => line,
            };
            (!line.is_empty()).then(|| format!("{line}\n"))
        };
        apart(&self.log).lines().filter_map(own).collect()
    }

    /// The output is [`Boot::text_with_ends`].
    #[track_caller]
    pub fn is_whole(&self, end: End, text: &str) {
        self.assert(self.text_with_ends(), end, text);
    }

    #[track_caller]
    pub fn is(&self, end: End, text: &str) {
        self.assert(self.text(), end, text);
    }

    #[track_caller]
    fn assert(&self, said: String, end: End, text: &str) {
        assert!(self.end == end && said == text, "expected {end:?} and {text:?}, not {said:?}\n{self}");
    }
}
