//! The values of `--net` and `--net-device`: words become links, addresses and routes. Nothing is asked of the kernel.

use crate::say;
use crate::spec::{Ip, LinkKind, Name, Prefix};
use crate::text::{self, Say};

/// One key of a link with its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item {
    Bridge(Name),
    Inside(Name),
    Mac([u8; 6]),
    Address(Prefix),
    Gateway(Ip),
    Route(Prefix, Option<Ip>),
}

/// The kind that `word` begins with, and the rest behind the colon.
#[must_use]
pub fn kind(word: &[u8]) -> Option<(LinkKind, &[u8])> {
    const KINDS: [(&[u8], LinkKind); 3] =
        [(b"veth:", LinkKind::Veth), (b"macvlan:", LinkKind::Macvlan), (b"ipvlan:", LinkKind::Ipvlan)];
    KINDS.iter().find_map(|(name, kind)| Some((*kind, text::after(word, name)?)))
}

/// The next of the keys, which have commas between them: taken off `rest`.
///
/// # Errors
/// Why the key or its value is wrong.
pub fn next<'a>(rest: &mut &'a [u8], kind: LinkKind) -> Option<Result<(Item, &'a [u8]), Say>> {
    let mut value = text::word(rest, b',')?;
    let key = text::word(&mut value, b'=').unwrap_or_default();
    Some(item(key, value, kind).map(|item| (item, value)))
}

fn item(key: &[u8], value: &[u8], kind: LinkKind) -> Result<Item, Say> {
    match key {
        b"bridge" if kind == LinkKind::Veth => Name::new(value).map(Item::Bridge).ok_or(NOT_A_NAME),
        b"bridge" => Err(say!("bridge= is for veth only")),
        b"name" => Name::new(value).map(Item::Inside).ok_or(NOT_A_NAME),
        b"mac" if kind == LinkKind::Ipvlan => Err(say!("an ipvlan has the MAC address of its parent")),
        b"mac" => {
            mac(value).map(Item::Mac).ok_or(say!("mac= is not the address of one interface, such as 02:00:00:00:00:01"))
        }
        b"ip" => prefix(value)
            .map(Item::Address)
            .ok_or(say!("ip= is not an address with the length of its prefix, such as 10.0.0.2/24 or fd00::2/64")),
        b"gw" => ip(value).map(Item::Gateway).ok_or(say!("gw= is not an address such as 10.0.0.1 or fd00::1")),
        b"route" => route(value)
            .ok_or(say!("route= is not NETWORK/LENGTH or NETWORK/LENGTH@GATEWAY, such as 10.1.0.0/16@10.0.0.1")),
        _ => Err(say!("it has a key that is none of bridge, name, mac, ip, gw and route")),
    }
}

/// Why a name is wrong.
pub const NOT_A_NAME: Say = say!("it has a name that no interface can have (1 to 15 bytes, without / : % and blanks)");

fn route(value: &[u8]) -> Option<Item> {
    let mut gateway = value;
    let to = prefix(text::word(&mut gateway, b'@')?).filter(Prefix::is_network)?;
    if !text::has(value, b'@') {
        return Some(Item::Route(to, None));
    }
    let gateway = ip(gateway).filter(|gateway| gateway.is_like(&to.ip))?;
    Some(Item::Route(to, Some(gateway)))
}

/// `ADDRESS/LENGTH`.
#[must_use]
pub fn prefix(text: &[u8]) -> Option<Prefix> {
    let mut length = text;
    let ip = ip(text::word(&mut length, b'/')?)?;
    let bits = 8 * ip.bytes().len() as u32;
    let length = text::number(length).filter(|length| *length <= bits)?;
    Some(Prefix { ip, length: length as u8 })
}

/// An address of IPv4, `A.B.C.D` in decimal, or of IPv6 (RFC 4291, without the form that ends in an address of IPv4).
#[must_use]
pub fn ip(text: &[u8]) -> Option<Ip> {
    if text::has(text, b':') { v6(text).map(Ip::V6) } else { v4(text).map(Ip::V4) }
}

fn v4(text: &[u8]) -> Option<[u8; 4]> {
    let mut bytes = [0; 4];
    let mut rest = text;
    for byte in &mut bytes {
        let digits = text::word(&mut rest, b'.')?;
        // Some programs read a number with a leading zero as octal.
        if digits.len() > 1 && digits.starts_with(b"0") {
            return None;
        }
        *byte = text::number(digits)?.try_into().ok()?;
    }
    // The last number has nothing behind it, not even a dot.
    (rest.is_empty() && !matches!(text, [.., b'.'])).then_some(bytes)
}

fn v6(text: &[u8]) -> Option<[u8; 16]> {
    let mut groups = [0u16; 8];
    let (mut count, mut gap, mut rest) = (0, None, text);
    if text.starts_with(b":") && !text.starts_with(b"::") {
        return None;
    }
    if let Some(after) = text::after(text, b"::") {
        (gap, rest) = (Some(0), after);
    }
    while !rest.is_empty() {
        let group = text::word(&mut rest, b':')?;
        if group.is_empty() {
            // `::`, once.
            if gap.is_some() {
                return None;
            }
            gap = Some(count);
            continue;
        }
        *groups.get_mut(count)? = hexadecimal(group, 4)?;
        count += 1;
    }
    // A colon at the end belongs to `::`.
    if matches!(text, [.., b':']) && !matches!(text, [.., b':', b':']) {
        return None;
    }
    let gap = match gap {
        // It stands for at least one group.
        Some(gap) if count < groups.len() => gap,
        None if count == groups.len() => count,
        _ => return None,
    };
    let (mut bytes, behind) = ([0; 16], count - gap);
    let place = |at: usize| if at < gap { Some(at) } else { (at + behind).checked_sub(8).map(|index| gap + index) };
    for (at, pair) in bytes.as_chunks_mut().0.iter_mut().enumerate() {
        let group = place(at).and_then(|index| groups.get(index)).copied().unwrap_or_default();
        *pair = group.to_be_bytes();
    }
    Some(bytes)
}

/// A hardware address: six numbers of two digits, with colons between them. The kernel takes neither that of a group nor 0.
fn mac(text: &[u8]) -> Option<[u8; 6]> {
    let (mut bytes, mut rest) = ([0; 6], text);
    for byte in &mut bytes {
        let digits = text::word(&mut rest, b':').filter(|digits| digits.len() == 2)?;
        *byte = hexadecimal(digits, 2)? as u8;
    }
    let [first, ..] = bytes;
    (text.len() == 17 && first & 1 == 0 && bytes != [0; 6]).then_some(bytes)
}

fn hexadecimal(text: &[u8], most: usize) -> Option<u16> {
    text::hexadecimal(text).filter(|_| text.len() <= most)?.try_into().ok()
}

/// Whether an interface with these addresses can reach the gateway: it is in the network of one, or it is a link-local address of IPv6.
#[must_use]
pub fn reaches<'a>(mut networks: impl Iterator<Item = &'a Prefix>, gateway: &Ip) -> bool {
    let local = matches!(gateway, Ip::V6([0xfe, second, ..]) if second & 0xc0 == 0x80);
    local || networks.any(|network| network.has(gateway))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::net::{Ipv4Addr, Ipv6Addr};
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn addresses_are_those_of_the_standard_library() {
        for good in [
            "::",
            "::1",
            "1::",
            "fd00::2",
            "fe80::1:2",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1::8",
            "ABCD:ef01::",
            "1:0:0:4::8",
            "0:0:0:0:0:0:0:0",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ] {
            let expected: Ipv6Addr = good.parse().expect(good);
            assert_eq!(ip(good.as_bytes()), Some(Ip::V6(expected.octets())), "{good}");
        }
        for good in ["0.0.0.0", "10.0.0.2", "255.255.255.255", "1.20.255.9"] {
            let expected: Ipv4Addr = good.parse().expect(good);
            assert_eq!(ip(good.as_bytes()), Some(Ip::V4(expected.octets())), "{good}");
        }
        for bad in [
            "",
            "1",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.",
            "1.2.3.4.",
            ".1.2.3",
            "1..2.3",
            "256.0.0.1",
            "1.2.3.04",
            "1.2.3.-4",
            " 1.2.3.4",
            "1.2.3.4 ",
            "0x1.2.3.4",
            ":",
            ":::",
            "1:",
            ":1",
            "1::2::3",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8",
            "12345::",
            "g::",
            "1:::2",
            "fe80::1%eth0",
            "::1.2.3.4",
            "1::2:",
            ":1::2",
            "4294967296.0.0.1",
        ] {
            assert_eq!(ip(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn lengths_of_prefixes_do_not_overflow() {
        let length = |word: &str| prefix(word.as_bytes()).map(|prefix| prefix.length);
        assert_eq!(length("10.0.0.2/24"), Some(24));
        assert_eq!((length("10.0.0.2/32"), length("10.0.0.2/0"), length("::1/128")), (Some(32), Some(0), Some(128)));
        for bad in [
            "10.0.0.2",
            "10.0.0.2/",
            "10.0.0.2/33",
            "10.0.0.2/-1",
            "10.0.0.2/256",
            "10.0.0.2/4294967320",
            "::/129",
            "/8",
            "10.0.0.2/24/",
        ] {
            assert_eq!(length(bad), None, "{bad}");
        }
    }

    #[test]
    fn hardware_address_is_that_of_one_interface() {
        assert_eq!(mac(b"02:00:00:aB:00:ff"), Some([2, 0, 0, 0xab, 0, 0xff]));
        for bad in [
            "",
            "02",
            "02:00:00:00:00",
            "02:00:00:00:00:01:",
            "02:00:00:00:00:01:02",
            "2:0:0:0:0:1",
            "02-00-00-00-00-01",
            "01:00:00:00:00:01",
            "ff:ff:ff:ff:ff:ff",
            "00:00:00:00:00:00",
            "0g:00:00:00:00:01",
            "020000000001",
            "002:00:00:00:0:1",
        ] {
            assert_eq!(mac(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn names_are_those_that_the_kernel_takes_as_they_are() {
        for good in ["eth0", "a", "fifteen-bytes-x", "v.1", "-"] {
            assert!(Name::new(good.as_bytes()).is_some_and(|name| name.c_str().to_str() == Ok(good)), "{good}");
        }
        for bad in ["", ".", "..", "../x", "a/b", "sixteen-bytes-xx", "veth%d", "a b", "a:b", "a\tb", "\u{e4}", "a\0"] {
            assert_eq!(Name::new(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn network_has_the_addresses_that_begin_with_its_prefix() {
        let network = |word: &str| prefix(word.as_bytes()).expect("a prefix");
        let has = |one: &str, other: &str| network(one).has(&ip(other.as_bytes()).expect("an address"));
        assert!(has("10.0.0.2/24", "10.0.0.255") && has("10.0.0.2/0", "192.0.2.1") && has("10.0.0.2/32", "10.0.0.2"));
        assert!(has("10.0.0.2/31", "10.0.0.3") && has("fd00::/9", "fd7f::1") && has("fd00::2/64", "fd00::ffff:1"));
        assert!(
            !has("10.0.0.2/24", "10.0.1.1") && !has("10.0.0.2/31", "10.0.0.1") && !has("fd00::2/64", "fd00:0:0:1::1")
        );
        assert!(!has("0.0.0.0/0", "::1") && !has("fd00::/9", "fd80::1"));
        assert!(
            network("10.0.0.0/8").is_network() && network("10.128.0.0/9").is_network() && network("::/0").is_network()
        );
        assert!(!network("10.0.0.1/8").is_network() && !network("10.64.0.0/9").is_network());
    }

    #[test]
    fn keys_are_read_one_by_one() {
        let all = |kind, mut rest: &[u8]| {
            let mut found = Vec::new();
            while let Some(item) = next(&mut rest, kind) {
                found.push(item.map(|(item, _)| item));
            }
            found
        };
        let eth = Name::new(b"eth7").expect("a name");
        let items = all(
            LinkKind::Veth,
            b"ip=10.0.0.2/24,gw=10.0.0.1,name=eth7,bridge=eth7,route=10.1.0.0/16,route=::/0@fd00::1",
        );
        let items: Vec<Item> = items.into_iter().map(|item| item.unwrap_or_else(|_| panic!("a good key"))).collect();
        let (address, gateway) = (prefix(b"10.0.0.2/24").expect("a prefix"), ip(b"10.0.0.1").expect("an address"));
        let (default, sixth) = (prefix(b"::/0").expect("a prefix"), ip(b"fd00::1"));
        let net = Item::Route(prefix(b"10.1.0.0/16").expect("a prefix"), None);
        let expected = [
            Item::Address(address),
            Item::Gateway(gateway),
            Item::Inside(eth),
            Item::Bridge(eth),
            net,
            Item::Route(default, sixth),
        ];
        assert_eq!(items, expected);
        for (kind, bad) in [
            (LinkKind::Macvlan, "bridge=br0"),
            (LinkKind::Ipvlan, "mac=02:00:00:00:00:01"),
            (LinkKind::Veth, "up"),
            (LinkKind::Veth, "=x"),
            (LinkKind::Veth, ",ip=10.0.0.2/24"),
            (LinkKind::Veth, "route=10.1.0.1/16"),
            (LinkKind::Veth, "route=10.1.0.0/16@fd00::1"),
            (LinkKind::Veth, "route=10.1.0.0/16@"),
            (LinkKind::Veth, "gw="),
            (LinkKind::Veth, "IP=10.0.0.2/24"),
        ] {
            assert!(all(kind, bad.as_bytes())[0].is_err(), "{}", bad.to_string());
        }
        assert!(kind(b"veth:x,ip=1").is_some_and(|(kind, rest)| kind == LinkKind::Veth && rest == b"x,ip=1"));
        assert!(kind(b"veth").is_none() && kind(b"vlan:x").is_none());
    }
}
