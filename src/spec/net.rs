//! The interfaces of the container's network that come from outside (netdevice(7)).

use core::ffi::CStr;
use core::sync::atomic::AtomicU32;

use crate::sys::c_str;

/// What the launcher puts into a new network namespace.
#[derive(Clone, Copy)]
pub struct Net<'a> {
    /// In the order of the options.
    pub links: &'a [Link<'a>],
    /// `--net pasta`: the options for pasta(1), a comma between them.
    pub pasta: Option<&'a CStr>,
}

/// One interface: `--net KIND:...`, `--net-device`.
#[derive(Clone, Copy)]
pub struct Link<'a> {
    pub kind: LinkKind,
    /// Outside: the other end of a veth, the parent of a macvlan or an ipvlan, or the device itself.
    pub outside: Name,
    pub inside: Name,
    /// The bridge that the other end of a veth is attached to.
    pub bridge: Option<Name>,
    /// The hardware address inside.
    pub mac: Option<[u8; 6]>,
    pub addresses: &'a [Address<'a>],
    pub routes: &'a [Route<'a>],
    /// Where the launcher keeps the index of the interface: outside for a veth, inside for the others. 0: it is not made.
    pub index: &'a AtomicU32,
}

/// The kinds of interfaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkKind {
    Veth,
    Macvlan,
    Ipvlan,
    /// One that exists, and is moved.
    Device,
}

/// An address of an interface, with the length of its prefix.
#[derive(Clone, Copy)]
pub struct Address<'a> {
    pub prefix: Prefix,
    /// The user's own word.
    pub word: &'a CStr,
}

/// A static route through an interface.
#[derive(Clone, Copy)]
pub struct Route<'a> {
    /// The destination; of length 0 for the default route.
    pub to: Prefix,
    pub gateway: Option<Ip>,
    /// The user's own word.
    pub word: &'a CStr,
}

/// An address of IPv4 or IPv6, in network byte order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ip {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Ip {
    #[must_use]
    pub const fn bytes(&self) -> &[u8] {
        match self {
            Ip::V4(bytes) => bytes,
            Ip::V6(bytes) => bytes,
        }
    }

    /// Whether both are of the same version.
    #[must_use]
    pub const fn is_like(&self, other: &Ip) -> bool {
        self.bytes().len() == other.bytes().len()
    }

    /// The address of only zeros, of the same version.
    #[must_use]
    pub const fn zero(&self) -> Ip {
        match self {
            Ip::V4(_) => Ip::V4([0; 4]),
            Ip::V6(_) => Ip::V6([0; 16]),
        }
    }
}

/// An address and the length of its prefix in bits, which is not above 32 or 128.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    pub ip: Ip,
    pub length: u8,
}

impl Prefix {
    /// Whether the network of this address has the address `other`.
    #[must_use]
    pub fn has(&self, other: &Ip) -> bool {
        let mut left = u32::from(self.length);
        self.ip.is_like(other)
            && self.ip.bytes().iter().zip(other.bytes()).all(|(one, other)| {
                let bits = left.min(8);
                left -= bits;
                u32::from(one ^ other) >> (8 - bits) == 0
            })
    }

    /// Whether no bit behind the prefix is set: it is a network, not an address in one.
    #[must_use]
    pub fn is_network(&self) -> bool {
        let mut left = u32::from(self.length);
        self.ip.bytes().iter().all(|byte| {
            let bits = left.min(8);
            left -= bits;
            u32::from(*byte) & (0xff >> bits) == 0
        })
    }
}

/// IFNAMSIZ of the kernel: the most bytes of an interface's name, with its NUL.
pub const NAME_SIZE: usize = 16;

/// The name of an interface, with a NUL behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name([u8; NAME_SIZE]);

impl Name {
    /// `None` for a name that the kernel refuses, or would not take as it is: `%d` is a pattern for it.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<Name> {
        let mut name = [0; NAME_SIZE];
        let is_good = |byte: &u8| byte.is_ascii_graphic() && !matches!(*byte, b'/' | b':' | b'%');
        let place = name.get_mut(..text.len()).filter(|_| (1..NAME_SIZE).contains(&text.len()))?;
        place.iter_mut().zip(text).for_each(|(place, byte)| *place = *byte);
        (text.iter().all(is_good) && !matches!(text, b"." | b"..")).then_some(Name(name))
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; NAME_SIZE] {
        &self.0
    }

    #[must_use]
    pub fn c_str(&self) -> &CStr {
        c_str(&self.0)
    }
}
