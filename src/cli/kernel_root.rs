//! `root=` on the kernel's command line, and the words that go with it: the options and the command that they stand for.

use core::ffi::CStr;

use engine::spec::KernelRoot;
use engine::sys::{self, Slot};
use engine::text;

/// What the words say.
pub struct Root {
    device: Vec<u8>,
    init: Vec<u8>,
    /// The value of `rootwait`; without a value it is u32::MAX.
    wait: Option<u32>,
    /// The value of `rootdelay`.
    delay: u32,
    kernel: KernelRoot<'static>,
}

/// Where the device is mounted, before it becomes `/`.
const PLACE: &[u8] = b"--switch-root\0/newroot\0";
/// The patience without any of the words.
const PATIENCE: u32 = 10;

impl Root {
    pub const fn new() -> Root {
        Root { device: Vec::new(), init: Vec::new(), wait: None, delay: 0, kernel: KernelRoot::NONE }
    }

    /// Notes a word of the kernel's command line, if it is one of these. The last one of each counts, as in the kernel.
    pub fn note(&mut self, word: &[u8]) {
        let mut value = word;
        let name = text::word(&mut value, b'=').unwrap_or_default();
        let has_value = name.len() < word.len();
        match text::place(b"root rootfstype rootflags rootwait rootdelay init ro rw", name) {
            Some(0) if has_value => value.clone_into(&mut self.device),
            Some(1) if has_value => self.kernel.kinds = c_str(value),
            Some(2) if has_value => self.kernel.flags = c_str(value),
            Some(3) => self.wait = if has_value { text::number(value) } else { Some(u32::MAX) },
            Some(4) => self.delay = text::number(value).unwrap_or_default(),
            Some(5) if has_value => value.clone_into(&mut self.init),
            Some(6) if !has_value => self.kernel.writable = false,
            Some(7) if !has_value => self.kernel.writable = true,
            _ => {}
        }
    }

    /// If there is a `root=` that is not the initramfs itself: appends the options and the command that it stands for to `line`, a NUL after each; the command gets the
    /// arguments that the kernel has given nsinit, of which the first is nsinit's name. Returns what else the words say.
    pub fn words(self, arguments: &'static [Slot], line: &mut Vec<u8>) -> KernelRoot<'static> {
        if self.device.is_empty() || text::after(&self.device, b"/dev/ram").is_some() {
            return KernelRoot::NONE;
        }
        line.extend_from_slice(PLACE);
        for part in [b"--image\0", &self.device[..], b"\0--wait-device\0"] {
            line.extend_from_slice(part);
        }
        let patience = self.wait.unwrap_or(if self.delay > PATIENCE { self.delay } else { PATIENCE });
        line.extend_from_slice(text::Short::new().push_number(patience).c_str().to_bytes_with_nul());
        let init = if self.init.is_empty() { b"/sbin/init" } else { &self.init[..] };
        for part in [b"--\0", init, b"\0"] {
            line.extend_from_slice(part);
        }
        for word in arguments.iter().skip(1).map_while(|slot| slot.get().get()) {
            line.extend_from_slice(word.to_bytes_with_nul());
        }
        KernelRoot { given: true, ..self.kernel }
    }
}

fn c_str(value: &[u8]) -> &'static CStr {
    let mut copy = Vec::from(value);
    copy.push(0);
    sys::c_str(copy.leak())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> (String, KernelRoot<'static>) {
        let mut root = Root::new();
        words.iter().for_each(|word| root.note(word.as_bytes()));
        let mut line = Vec::new();
        let kernel = root.words(super::super::words::of_text(b"single\0"), &mut line);
        (String::from_utf8_lossy(&line).replace('\0', " "), kernel)
    }

    #[test]
    fn words_of_the_root_stand_for_options() {
        let (line, kernel) = of(&["root=/dev/vda", "rw", "quiet", "root=LABEL=a b", "rootflags=subvol=@", "ro"]);
        assert_eq!(line, "--switch-root /newroot --image LABEL=a b --wait-device 10 -- /sbin/init single ");
        assert!(kernel.given && !kernel.writable && kernel.flags == c"subvol=@" && kernel.kinds.is_empty());
        let (line, kernel) = of(&["root=8:1", "rw", "rootfstype=ext4,xfs", "rootwait", "init=/bin/app"]);
        assert_eq!(line, "--switch-root /newroot --image 8:1 --wait-device 4294967295 -- /bin/app single ");
        assert!(kernel.writable && kernel.kinds == c"ext4,xfs");
        for (words, seconds) in [
            (&["root=x", "rootdelay=3"][..], "10"),
            (&["root=x", "rootdelay=30"], "30"),
            (&["root=x", "rootwait=5", "rootdelay=30"], "5"),
            (&["root=x", "rootwait=bad"], "10"),
        ] {
            assert!(of(words).0.contains(&format!("--wait-device {seconds} ")), "{words:?}");
        }
    }

    #[test]
    fn root_may_be_the_initramfs_itself() {
        for words in [&["rw", "init=/x", "root"][..], &["root="], &["root=/dev/ram0"], &["root=/dev/ram", "rw"]] {
            let (line, kernel) = of(words);
            assert!(line.is_empty() && !kernel.given, "{words:?}");
        }
    }
}
