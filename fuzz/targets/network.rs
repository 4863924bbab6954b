//! The words of --net, and the kernel's answers to requests for interfaces. The first byte of the input chooses the parser.
#![no_main]

use std::net::{Ipv4Addr, Ipv6Addr};

use engine::net::netlink::acknowledged;
use engine::net::words::{self, Item};
use engine::spec::{Ip, LinkKind};
use engine::sys::Failure;
use libfuzzer_sys::fuzz_target;

const KINDS: [LinkKind; 4] = [LinkKind::Veth, LinkKind::Macvlan, LinkKind::Ipvlan, LinkKind::Device];

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    match first % 3 {
        0 => {
            // The same addresses as the standard library's, but for those of IPv6 that end in one of IPv4.
            let text = std::str::from_utf8(rest).unwrap_or("x");
            let expected = match (text.parse::<Ipv4Addr>(), text.parse::<Ipv6Addr>()) {
                (Ok(ip), _) => Some(Ip::V4(ip.octets())),
                (_, Ok(ip)) if !text.contains('.') => Some(Ip::V6(ip.octets())),
                _ => None,
            };
            assert_eq!(words::ip(rest), expected);
        }
        1 => {
            let kind = KINDS[usize::from(first / 3) % KINDS.len()];
            let mut keys = rest;
            let mut before = keys.len() + 1;
            while let Some(item) = words::next(&mut keys, kind) {
                assert!(keys.len() < before);
                before = keys.len();
                match item {
                    Ok((Item::Address(prefix) | Item::Route(prefix, _), _)) => {
                        assert!(usize::from(prefix.length) <= 8 * prefix.ip.bytes().len() && prefix.has(&prefix.ip));
                    }
                    Ok((Item::Bridge(name) | Item::Inside(name), word)) => {
                        assert_eq!(name.c_str().to_bytes(), word);
                        assert!(!word.contains(&b'%') && !word.contains(&b'/') && (1..16).contains(&word.len()));
                    }
                    Ok((Item::Mac(mac), _)) => assert!(mac[0] & 1 == 0 && mac != [0; 6]),
                    _ => {}
                }
            }
        }
        _ => {
            // The first four bytes: the request that is answered.
            let Some((number, answer)) = rest.split_first_chunk() else { return };
            match acknowledged(answer, u32::from_ne_bytes(*number)) {
                Ok(()) => assert!(answer.len() >= 20 && answer[8..12] == *number && answer[16..20] == [0; 4]),
                Err(why) => assert!(why == Failure::PROTO || why.number() < 4096),
            }
        }
    }
});
