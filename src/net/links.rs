//! The interfaces of a container: made or moved before process 1 goes on, removed or given back at the end.
//!
//! If the launcher is killed, the kernel removes them with the network namespace. Of the devices that were moved it keeps those of
//! hardware: they go to the machine's first network namespace.

use core::ffi::CStr;
use core::sync::atomic::Ordering;

use linux_raw_sys::general::CLONE_NEWNET;
use linux_raw_sys::net::net_device_flags::IFF_UP;
use linux_raw_sys::netlink as raw;
use rustix::fd::AsRawFd;
use rustix::fs::OFlags;

use crate::net::netlink::{self, Request};
use crate::report::hint;
use crate::report::message::{blame_hint, warn};
use crate::say;
use crate::spec::{Address, Ip, Link, LinkKind, Name, Route, Spec};
use crate::state::{Launch, Network};
use crate::step::explain_line;
use crate::sys::files::{self, Fd};
use crate::sys::{self, Done};
use crate::text::Say;

/// Opens the ways into the network namespace of process 1, whose directory in /proc is `process`.
///
/// # Errors
/// EACCES, EPERM: process 1 may not be inspected, or its network namespace not entered. EMFILE, ENFILE: no descriptor is free.
/// EAFNOSUPPORT: the kernel has no netlink.
pub fn open(launch: &mut Launch, process: Fd) -> Done {
    let own = files::open(launch.proc.get()?, c"self/ns/net", OFlags::RDONLY)?;
    let container = files::open(process, NETWORK, OFlags::RDONLY)?;
    let outside = netlink::socket()?;
    sys::join(container, CLONE_NEWNET)?;
    let inside = netlink::socket();
    sys::join(own, CLONE_NEWNET)?;
    sys::close(container);
    launch.links.set(Network { inside: inside?, outside, own });
    Ok(())
}

const NETWORK: &CStr = c"ns/net";

/// Makes the interfaces of process 1, whose directory in /proc is `process`.
///
/// # Errors
/// Reported. EPERM: no CAP_NET_ADMIN outside; EEXIST: a name is in use; ENODEV: the parent, the bridge or the device does not exist;
/// EOPNOTSUPP: the kernel has no such interfaces; others: see rtnetlink(7).
pub fn make_all(launch: &Launch, process: Fd) -> Done {
    let network = launch.links.get()?;
    let container = files::open(process, NETWORK, OFlags::RDONLY)?;
    launch.spec.net.links.iter().try_for_each(|link| make(link, network, container))?;
    sys::close(container);
    Ok(())
}

/// Prints the interfaces, for `--explain`.
pub fn explain_all(spec: &Spec<'_>) {
    for link in spec.net.links {
        explain_line(says(link.kind), link.outside.c_str());
        for address in link.addresses {
            explain_line(ADD_ADDRESS, address.word);
        }
        for route in link.routes {
            explain_line(ADD_ROUTE, route.word);
        }
    }
}

const USE_BRIDGE: Say = say!("attach an interface to bridge");
const ADD_ADDRESS: Say = say!("add address");
const ADD_ROUTE: Say = say!("add route");

const fn says(kind: LinkKind) -> Say {
    match kind {
        LinkKind::Veth => say!("create veth"),
        LinkKind::Macvlan => say!("create a macvlan of"),
        LinkKind::Ipvlan => say!("create an ipvlan of"),
        LinkKind::Device => say!("move network device"),
    }
}

fn make(link: &Link<'_>, network: Network, container: Fd) -> Done {
    let Network { inside, outside, .. } = network;
    let failed = |says, on: &CStr, why| blame_hint(says, on, why, hint::of_link(why).hint());
    let mtu = match &link.bridge {
        Some(bridge) => sys::interface_mtu(outside, bridge.bytes())
            .map(|mtu| mtu.min(MTU_MOST))
            .map_err(|why| failed(USE_BRIDGE, bridge.c_str(), why))?,
        None => 0,
    };
    let created = match link.kind {
        LinkKind::Veth => create_veth(link, mtu, container, outside),
        LinkKind::Macvlan => create_of(link, c"macvlan", &MACVLAN_MODE, container, outside),
        LinkKind::Ipvlan => create_of(link, c"ipvlan", &IPVLAN_MODE, container, outside),
        LinkKind::Device => move_device(outside, &link.outside, &link.inside, container),
    };
    created.map_err(|why| {
        blame_hint(says(link.kind), link.outside.c_str(), why, hint::of_new_link(link.kind, why).hint())
    })?;
    let index = sys::interface_index(inside, link.inside.bytes())?;
    let removed =
        if link.kind == LinkKind::Veth { sys::interface_index(outside, link.outside.bytes())? } else { index };
    link.index.store(removed, Ordering::Relaxed);
    if let Some(bridge) = &link.bridge {
        sys::interface_index(outside, bridge.bytes())
            .and_then(|bridge| {
                Request::new(raw::RTM_NEWLINK as u32, 0, &head(removed, 0))
                    .number(raw::IFLA_MASTER as u32, bridge)
                    .send(outside)
            })
            .map_err(|why| blame_hint(USE_BRIDGE, bridge.c_str(), why, hint::of_bridge(why).hint()))?;
    }
    let mut up = Request::new(raw::RTM_NEWLINK as u32, 0, &head(index, IFF_UP as u32));
    if let Some(mac) = &link.mac {
        up.add(raw::IFLA_ADDRESS as u32, mac);
    }
    up.send(inside).map_err(|why| failed(say!("bring up"), link.inside.c_str(), why))?;
    link.addresses.iter().try_for_each(|address| {
        add_address(address, index, inside)
            .map_err(|why| blame_hint(ADD_ADDRESS, address.word, why, hint::of_address(&address.prefix.ip, why).hint()))
    })?;
    link.routes.iter().try_for_each(|route| {
        add_route(route, index, inside)
            .map_err(|why| blame_hint(ADD_ROUTE, route.word, why, hint::of_route(&route.to.ip, why).hint()))
    })
}

/// The highest MTU of a veth (ETH_MAX_MTU of the kernel).
const MTU_MOST: u32 = 65_535;

/// The flags of a request that makes something.
const NEW: u32 = raw::NLM_F_CREATE | raw::NLM_F_EXCL;

/// IFLA_MACVLAN_MODE with MACVLAN_MODE_BRIDGE: containers with the same parent reach each other. It has 32 bits.
const MACVLAN_MODE: [u8; 4] = 4u32.to_ne_bytes();
/// IFLA_IPVLAN_MODE with IPVLAN_MODE_L2. It has 16 bits.
const IPVLAN_MODE: [u8; 2] = [0; 2];

/// A struct ifinfomsg: the interface, or 0 for a new one, and the flags (IFF_*) that are set.
fn head(index: u32, flags: u32) -> [u8; 16] {
    let mut head = [0; 16];
    for (place, number) in head.as_chunks_mut().0.iter_mut().skip(1).zip([index, flags, flags]) {
        *place = number.to_ne_bytes();
    }
    head
}

fn name(request: &mut Request, name: &Name) {
    request.add(raw::IFLA_IFNAME as u32, name.c_str().to_bytes_with_nul());
}

/// The network namespace that an interface is made in or goes to.
fn place(request: &mut Request, network: Fd) {
    request.number(raw::IFLA_NET_NS_FD as u32, network.as_raw_fd().cast_unsigned());
}

/// A pair of interfaces, each of which receives what the other one sends (veth(4)).
fn create_veth(link: &Link<'_>, mtu: u32, container: Fd, outside: Fd) -> Done {
    /// VETH_INFO_PEER of linux/veth.h.
    const PEER: u32 = 1;
    let mut request = Request::new(raw::RTM_NEWLINK as u32, NEW, &head(0, IFF_UP as u32));
    let named = |request: &mut Request, own: &Name| {
        name(request, own);
        if mtu != 0 {
            request.number(raw::IFLA_MTU as u32, mtu);
        }
    };
    named(&mut request, &link.outside);
    request.nest(raw::IFLA_LINKINFO as u32, &[], &mut |request| {
        request.add(raw::IFLA_INFO_KIND as u32, b"veth").nest(raw::IFLA_INFO_DATA as u32, &[], &mut |request| {
            request.nest(PEER, &head(0, 0), &mut |request| {
                named(request, &link.inside);
                place(request, container);
            });
        });
    });
    request.send(outside)
}

/// An interface that sends and receives through another one. `mode`: the value of the attribute 1 of its kind.
fn create_of(link: &Link<'_>, kind: &CStr, mode: &[u8], container: Fd, outside: Fd) -> Done {
    let parent = sys::interface_index(outside, link.outside.bytes())?;
    let mut request = Request::new(raw::RTM_NEWLINK as u32, NEW, &head(0, 0));
    name(&mut request, &link.inside);
    place(&mut request, container);
    request.number(raw::IFLA_LINK as u32, parent).nest(raw::IFLA_LINKINFO as u32, &[], &mut |request| {
        request.add(raw::IFLA_INFO_KIND as u32, kind.to_bytes()).nest(
            raw::IFLA_INFO_DATA as u32,
            &[],
            &mut |request| {
                request.add(1, mode);
            },
        );
    });
    request.send(outside)
}

fn move_device(socket: Fd, from: &Name, to: &Name, network: Fd) -> Done {
    move_index(socket, sys::interface_index(socket, from.bytes())?, to, network)
}

/// Moves an interface to another network namespace, under this name. It goes down, and loses its addresses.
fn move_index(socket: Fd, index: u32, to: &Name, network: Fd) -> Done {
    let mut request = Request::new(raw::RTM_NEWLINK as u32, 0, &head(index, 0));
    name(&mut request, to);
    place(&mut request, network);
    request.send(socket)
}

/// AF_INET and AF_INET6 (address_families(7)).
const fn family(ip: &Ip) -> u8 {
    match ip {
        Ip::V4(_) => 2,
        Ip::V6(_) => 10,
    }
}

fn add_address(address: &Address<'_>, index: u32, inside: Fd) -> Done {
    let ip = &address.prefix.ip;
    // The kernel uses an address of IPv6 only after it has asked for a second whether another machine has it, unless this is set.
    let flags = if matches!(ip, Ip::V6(_)) { raw::IFA_F_NODAD as u8 } else { 0 };
    // struct ifaddrmsg
    let [a, b, c, d] = index.to_ne_bytes();
    let head = [family(ip), address.prefix.length, flags, 0, a, b, c, d];
    let mut request = Request::new(raw::RTM_NEWADDR as u32, NEW, &head);
    request.add(raw::IFA_LOCAL as u32, ip.bytes()).add(raw::IFA_ADDRESS as u32, ip.bytes()).send(inside)
}

fn add_route(route: &Route<'_>, index: u32, inside: Fd) -> Done {
    /// The values of rtnetlink(7): RT_TABLE_MAIN, RTPROT_STATIC, RT_SCOPE_LINK, RTN_UNICAST.
    const MAIN: u8 = 254;
    const STATIC: u8 = 4;
    const LINK: u8 = 253;
    const UNICAST: u8 = 1;
    let scope = if route.gateway.is_some() { 0 } else { LINK };
    // struct rtmsg, whose last four bytes are flags
    let head = [family(&route.to.ip), route.to.length, 0, 0, MAIN, STATIC, scope, UNICAST, 0, 0, 0, 0];
    let mut request = Request::new(raw::RTM_NEWROUTE as u32, NEW, &head);
    if route.to.length != 0 {
        request.add(raw::rtattr_type_t::RTA_DST as u32, route.to.ip.bytes());
    }
    if let Some(gateway) = &route.gateway {
        request.add(raw::rtattr_type_t::RTA_GATEWAY as u32, gateway.bytes());
    }
    request.number(raw::rtattr_type_t::RTA_OIF as u32, index).send(inside)
}

/// Removes the interfaces that were made, and gives back those that were moved. The kernel would do so later, but another container
/// may want their names at once; and a device would not come back to another network namespace than the machine's first.
pub fn remove_all(launch: &Launch) {
    // Without a socket none was made.
    let Some(Network { inside, outside, own }) = launch.links.known() else { return };
    for link in launch.spec.net.links {
        let index = link.index.swap(0, Ordering::Relaxed);
        let remove = |socket| Request::new(raw::RTM_DELLINK as u32, 0, &head(index, 0)).send(socket);
        match link.kind {
            _ if index == 0 => {}
            LinkKind::Device => {
                if let Err(why) = move_index(inside, index, &link.outside, own) {
                    let hint = say!("a device of hardware goes to the machine's first network namespace");
                    warn(say!("take back network device"), link.outside.c_str(), why, hint);
                }
            }
            // The container may have removed it already.
            kind => {
                let _ = remove(if kind == LinkKind::Veth { outside } else { inside });
            }
        }
    }
}
