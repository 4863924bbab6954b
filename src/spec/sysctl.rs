//! Settings of the kernel (sysctl(8)) that belong to a namespace.

use core::ffi::CStr;

use linux_raw_sys::general as raw;

use crate::sys;
use crate::text::{self, Text};

/// `--sysctl NAME=VALUE`.
#[derive(Clone, Copy)]
pub struct Sysctl<'a>(pub &'a CStr);

/// The settings of each kind of namespace (CLONE_NEW*): how their paths begin. All others belong to the machine.
static OWNERS: &[(u32, &[u8])] = &[
    (raw::CLONE_NEWNET, b"sys/net/"),
    (raw::CLONE_NEWIPC, b"sys/kernel/msg"),
    (raw::CLONE_NEWIPC, b"sys/kernel/sem"),
    (raw::CLONE_NEWIPC, b"sys/kernel/shm"),
    (raw::CLONE_NEWIPC, b"sys/fs/mqueue/"),
    (raw::CLONE_NEWUTS, HOSTNAME),
    (raw::CLONE_NEWUTS, DOMAINNAME),
];

/// The path of kernel.hostname.
pub const HOSTNAME: &[u8] = b"sys/kernel/hostname";
/// The path of kernel.domainname.
pub const DOMAINNAME: &[u8] = b"sys/kernel/domainname";

impl<'a> Sysctl<'a> {
    fn name(self) -> &'a [u8] {
        text::first(self.0.to_bytes(), b'=')
    }

    /// The value. It is empty if there is none.
    #[must_use]
    pub fn value(self) -> &'a CStr {
        sys::tail(self.0, (self.name().len() + 1).min(self.0.count_bytes()))
    }

    /// Appends the path below /proc. The first separator of the name, a dot or a slash, is that between its parts; the other one
    /// stands for a dot in a part (sysctl(8)): `net.ipv4.conf.eth0/1.forwarding`, `net/ipv4/conf/eth0.1/forwarding`.
    pub fn push_path(self, path: &mut Text) {
        let dots = self.name().iter().find(|byte| matches!(byte, b'.' | b'/')) == Some(&b'.');
        path.push(b"sys/");
        for byte in self.name() {
            path.byte(match byte {
                b'.' if dots => b'/',
                b'/' if dots => b'.',
                byte => *byte,
            });
        }
    }

    /// Whether its path is one below /proc/sys, and nothing in it leads up.
    #[must_use]
    pub fn is_name(self) -> bool {
        let mut path = Text::new();
        self.push_path(&mut path);
        let mut rest = path.bytes();
        let mut good = !path.is_full() && rest.last() != Some(&b'/');
        while let Some(word) = text::word(&mut rest, b'/') {
            good &= !matches!(word, b"" | b"." | b"..");
        }
        good
    }

    /// The kind of namespace (CLONE_NEW*) that it belongs to. `None`: it belongs to the machine.
    #[must_use]
    pub fn owner(self) -> Option<u32> {
        let mut path = Text::new();
        self.push_path(&mut path);
        let path = path.bytes();
        let owns = |begin: &[u8]| text::after(path, begin).is_some();
        OWNERS.iter().find(|(_, begin)| owns(begin)).map(|(kind, _)| *kind)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::ffi::CString;
    use std::string::String;

    use proptest::prelude::*;

    use super::*;

    fn path(word: &CStr) -> String {
        let mut path = Text::new();
        Sysctl(word).push_path(&mut path);
        String::from_utf8_lossy(path.bytes()).into_owned()
    }

    #[test]
    fn first_separator_is_that_of_the_parts() {
        for (word, expected) in [
            (c"net.ipv4.ip_forward=1", "sys/net/ipv4/ip_forward"),
            (c"net/ipv4/ip_forward=1", "sys/net/ipv4/ip_forward"),
            (c"net.ipv4.conf.eth0/1.forwarding=a.b", "sys/net/ipv4/conf/eth0.1/forwarding"),
            (c"net/ipv4/conf/eth0.1/forwarding=/", "sys/net/ipv4/conf/eth0.1/forwarding"),
            (c"x", "sys/x"),
        ] {
            assert_eq!(path(word), expected);
        }
    }

    #[test]
    fn value_is_all_after_the_first_equals_sign() {
        for (word, value) in [(c"a=b", c"b"), (c"a=", c""), (c"a", c""), (c"a=b=c", c"b=c"), (c"a= 1 2", c" 1 2")] {
            assert_eq!(Sysctl(word).value(), value);
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for bad in [
            c"=1",
            c"net.=1",
            c".net=1",
            c"net..x=1",
            c"net/../kernel/panic=1",
            c"net.//.x=1",
            c"net././.x=1",
            c"net/./x=1",
            c"/net/x=1",
            c"net/x/=1",
            c"../sys/net/x=1",
        ] {
            assert!(!Sysctl(bad).is_name(), "{bad:?}");
        }
        for good in [c"net.x=1", c"kernel/sem=1 2", c"net.ipv4.conf.eth0/1.forwarding=1"] {
            assert!(Sysctl(good).is_name(), "{good:?}");
        }
    }

    #[test]
    fn each_setting_has_its_namespace_or_none() {
        for (word, kind) in [
            (c"net.core.somaxconn=1", Some(raw::CLONE_NEWNET)),
            (c"kernel.shmmax=1", Some(raw::CLONE_NEWIPC)),
            (c"kernel.sem=1", Some(raw::CLONE_NEWIPC)),
            (c"kernel/msgmax=1", Some(raw::CLONE_NEWIPC)),
            (c"fs.mqueue.msg_max=1", Some(raw::CLONE_NEWIPC)),
            (c"kernel.hostname=x", Some(raw::CLONE_NEWUTS)),
            (c"kernel.panic=1", None),
            (c"user.max_user_namespaces=1", None),
            (c"fs.file-max=1", None),
            (c"network.x=1", None),
            (c"vm.overcommit_memory=1", None),
        ] {
            assert_eq!(Sysctl(word).owner(), kind, "{word:?}");
        }
    }

    proptest! {
        /// A path that is accepted has only parts that name something, and the value begins after the name.
        #[test]
        fn accepted_names_never_lead_up(word in "[./=a-z]{0,12}") {
            let word = CString::new(word).unwrap();
            let (sysctl, path) = (Sysctl(&word), path(&word));
            if sysctl.is_name() {
                prop_assert!(path.split('/').all(|part| !["", ".", ".."].contains(&part)), "{path}");
                prop_assert_eq!(path.len(), 4 + sysctl.name().len());
            }
            prop_assert!(sysctl.value().count_bytes() <= word.count_bytes());
        }
    }
}
