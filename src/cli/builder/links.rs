//! A network with a way out: interfaces with their addresses and routes, or pasta; and the name servers.

use core::ffi::CStr;
use core::sync::atomic::AtomicU32;

use engine::net::pasta;
use engine::net::words::{self, Item};
use engine::say;
use engine::spec::{Address, Kind, Link, LinkKind, Name, Op, Prefix, Route};
use engine::sys;
use engine::text::{self, Say, Text};
use linux_raw_sys::general as raw;

use super::super::complaint::Wrong;
use super::super::values;
use super::Draft;

fn keep(bytes: &[u8]) -> &'static CStr {
    let mut kept = Vec::from(bytes);
    kept.push(0);
    sys::c_str(kept.leak())
}

impl Draft {
    /// A value of --net that gives the network a way out; `None` for another one.
    pub(super) fn connected_network(&mut self, word: &'static CStr) -> Option<Result<(), Wrong>> {
        let value = word.to_bytes();
        if let Some((kind, rest)) = words::kind(value) {
            // The next of eth0, eth1 ...
            let inside = Name::new(Text::new().push(b"eth").push_number(self.links.len() as u32).bytes());
            return Some(self.link(kind, rest, inside).map_err(Wrong::value));
        }
        let options = match text::after(value, b"pasta")? {
            [] => c"",
            [b':', ..] => sys::tail(word, b"pasta:".len()),
            _ => return None,
        };
        if !pasta::fits(options.to_bytes()) {
            return Some(Err(Wrong::value(say!("it has too many options, or a word that is no option"))));
        }
        self.unshare(raw::CLONE_NEWNET);
        self.joins.retain(|(kind, _)| *kind != raw::CLONE_NEWNET);
        self.spec.net.pasta = Some(options);
        Some(Ok(()))
    }

    /// The value of --net-device: `DEV`, `DEV:NAME`, and the keys.
    pub fn device(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        let first = text::first(word.to_bytes(), b',');
        let mut inside = first;
        let outside = text::word(&mut inside, b':').unwrap_or_default();
        // Without a colon it keeps its name. After one, a name is needed.
        let inside = Name::new(if text::has(first, b':') { inside } else { outside });
        let inside = inside.ok_or(Wrong::value(words::NOT_A_NAME))?;
        let rest = word.to_bytes().get(first.len()..).unwrap_or_default();
        let rest = [outside, rest].concat().leak();
        self.link(LinkKind::Device, rest, Some(inside)).map_err(Wrong::value)
    }

    /// The value of --resolv-conf.
    pub fn name_servers(&mut self, word: &'static CStr) -> Result<(), Wrong> {
        let mut op = Op::new(Kind::ResolvConf, c"/etc/resolv.conf");
        op.set |= raw::MOUNT_ATTR_NOEXEC;
        let (mut rest, mut content) = (word.to_bytes(), Vec::new());
        while let Some(address) = text::word(&mut rest, b',') {
            let is_address = words::ip(address).is_some();
            if !is_address && content.is_empty() {
                op.source = if word == c"host" { op.dest } else { word };
                break;
            }
            if !is_address {
                return Err(Wrong::value(say!("it has a word that is not an address such as 192.0.2.1 or fd00::1")));
            }
            content.extend_from_slice(&[b"nameserver ", address, b"\n"].concat());
        }
        op.work = keep(&content);
        values::path(word)?;
        self.ops.retain(|op| op.kind != Kind::ResolvConf);
        self.ops.push(op);
        Ok(())
    }

    /// An interface: `NAME,KEY=VALUE...`. `inside`: its name inside, unless a key has another.
    fn link(&mut self, kind: LinkKind, text: &'static [u8], inside: Option<Name>) -> Result<(), Say> {
        let mut rest = text;
        let outside = Name::new(text::word(&mut rest, b',').unwrap_or_default()).ok_or(words::NOT_A_NAME)?;
        let mut link = Link {
            kind,
            outside,
            inside: inside.unwrap_or(outside),
            bridge: None,
            mac: None,
            addresses: &[],
            routes: &[],
            index: Box::leak(Box::new(AtomicU32::new(0))),
        };
        let (mut addresses, mut routes) = (Vec::new(), Vec::new());
        while let Some(item) = words::next(&mut rest, kind) {
            let (item, value) = item?;
            match item {
                Item::Bridge(name) => link.bridge = Some(name),
                Item::Inside(name) => link.inside = name,
                Item::Mac(mac) => link.mac = Some(mac),
                Item::Address(prefix) => addresses.push(Address { prefix, word: keep(value) }),
                Item::Gateway(gateway) => {
                    let to = Prefix { ip: gateway.zero(), length: 0 };
                    routes.push(Route { to, gateway: Some(gateway), word: keep(&[b"gw=", value].concat()) });
                }
                Item::Route(to, gateway) => routes.push(Route { to, gateway, word: keep(value) }),
            }
        }
        let networks = || addresses.iter().map(|address: &Address<'_>| &address.prefix);
        if !routes.iter().filter_map(|route: &Route<'_>| route.gateway).all(|it| words::reaches(networks(), &it)) {
            return Err(say!("a gateway must be in the network of an ip= (or be a link-local address of IPv6)"));
        }
        (link.addresses, link.routes) = (addresses.leak(), routes.leak());
        self.links.push(link);
        Ok(())
    }
}
