//! The network of a container: `--net`.

use std::path::Path;

use super::harness::container::{Container, Maker};
use super::harness::procs::our_namespace;
use super::harness::scratch::{busybox, nsinit, utf8};
use super::harness::{Dir, Launch, Root, roots, skip, who};

const SHOW: &[&str] = &["readlink", "/proc/self/ns/net"];

/// The words of `--net` are those of `--unshare-net`, `--share-net` and `--join-net`. The last one counts.
#[test]
fn net_none_and_host_are_the_network_options() {
    for root in roots() {
        let host = our_namespace("net");
        for shared in [&["--net", "host"][..], &["--net=none", "--net=host"], &["--net", "/none", "--net", "host"]] {
            let options = [shared, &["--no-sys"]].concat();
            root.run(&options, SHOW).says(&host);
        }
        for own in [&["--net", "none"][..], &["--share-net", "--net", "none"], &["--net", "1", "--net", "none"]] {
            let out = root.run(own, SHOW);
            assert!(out.status == 0 && out.text() != host, "{out}");
        }
        // A sandbox shares the network unless an option says otherwise.
        let sandbox = |options: &[&str]| {
            let out =
                Launch::new(root.who).args(["--bind", root.str(), "/", "--proc", "/proc"]).args(options).args(SHOW);
            out.run().text().to_owned()
        };
        assert_ne!(sandbox(&["--net", "none"]), host);
        assert_eq!(sandbox(&["--unshare-all", "--net", "host"]), host);
    }
}

/// A process id, a path, and a name of ip-netns(8).
#[test]
fn net_joins_what_it_names() {
    for who in who::both() {
        let Some(container) = Container::new(who, Maker::Nsinit) else { continue };
        let Some(own) = Root::new(who) else { continue };
        let of = container.inside.to_string();
        let joined = container.namespace("net");
        let user: &[&str] = if who.is_root() { &[] } else { &["--join-user", &of] };
        let path = format!("/proc/{of}/ns/net");
        for name in [&of, &path] {
            own.run(&[&["--net", name], user].concat(), SHOW).says(&joined);
            own.run(&[&["--net", "host", "--net", name], user].concat(), SHOW).says(&joined);
        }
        if who.is_root() {
            // In a mount namespace of its own, because other tests compare mounts.
            let script = format!(
                "mount -t tmpfs tmpfs /run && mkdir /run/netns && : >/run/netns/blue && \
                 mount --bind {path} /run/netns/blue && exec {} --root {} --net blue -- readlink /proc/self/ns/net",
                nsinit().display(),
                own.str()
            );
            let unshare = Launch::of(who, Path::new("/usr/bin/unshare"));
            unshare.args(["--mount", "/bin/sh", "-c", &script]).run_with_others().says(&joined);
        }
        container.end();
    }
}

/// Names that lead elsewhere, or nowhere.
#[test]
fn net_refuses_what_is_no_network() {
    for root in roots() {
        for (value, why) in [
            ("", "not none, host, a name"),
            ("veht:x", "not none, host, a name"),
            ("a=b", "not none, host, a name"),
            ("a,b", "not none, host, a name"),
            ("fd:99", "fd:99"),
            ("fd:x", "fd:x"),
            ("../x", "join namespace net ../x: No such file or directory"),
            ("%d", "join namespace net /run/netns/%d: No such file or directory"),
            ("..", "join namespace net /run/netns/..: "),
            ("/proc/self/ns/uts", "it is not a namespace of that kind"),
        ] {
            let out = root.run(&["--net", value], &["true"]);
            assert!(out.status == 125 && out.stderr.contains(why), "{value}: {out}");
        }
    }
}

// ---- interfaces from outside, in a network that the test makes: the machine's stays as it is

/// A root of root's, on a machine with iproute2.
fn lab_root() -> Option<Root> {
    if !["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"].iter().any(|ip| Path::new(ip).exists()) {
        skip("iproute2 is not installed");
        return None;
    }
    Root::new(who::root()?)
}

/// A script of root's in a network and a mount namespace of its own. `$n` is nsinit with the root of a container, $1 its directory.
fn lab(root: &Root, script: &str) -> Launch {
    const BEGIN: &str = r#"
        ip link set lo up
        ip link add br0 type bridge
        ip link set br0 mtu 1400 up
        ip address add 10.9.0.1/24 dev br0
        ip address add fd09::1/64 dev br0 nodad
        until_gone() { while ip link show "$1" >/dev/null 2>&1; do sleep 0.02; done; }
        links() { ip -brief link | sed 's/[@ ].*//' | sort | xargs; }
        get() { "$busybox" wget -q -O - "$1"; }
        # Starts nsinit in the background, until its command has printed `up`.
        start() {
            : >"$1/log"
            $n "$@" -- /bin/sh -c "$cmd" >>"$1/log" &
            pid=$!
            until grep -q up "$1/log"; do sleep 0.02; done
        }
    "#;
    let busybox = busybox().expect("a root has it").display();
    let begin = format!("n='{} --root {}' busybox={busybox}", nsinit().display(), root.str());
    let begin = begin + &BEGIN.replace("$n \"$@\"", "$n $options").replace("$1/log", &format!("{}/log", root.str()));
    let words = ["--net", "--mount", "/bin/sh", "-euc", &format!("{begin}\n{script}")];
    Launch::of(root.who, Path::new("/usr/bin/unshare")).args(words)
}

/// The part of a script of [`lab`] that starts a container, and goes on when the container has printed `up`.
fn start(options: &str, cmd: &str) -> String {
    format!("options='{options}' cmd='{cmd}'\nstart\n")
}

#[test]
fn two_containers_reach_each_other_through_a_bridge() {
    let Some(root) = lab_root() else { return };
    root.file("page", "from the container\n");
    let first = start(
        "--net veth:one,bridge=br0,ip=10.9.0.2/24,gw=10.9.0.1,ip=fd09::2/64,mac=02:00:00:00:00:0a",
        "ip link show eth0; httpd -p 80 -h /; echo up; exec sleep 1000",
    );
    let script = r#"
        get http://10.9.0.2/page
        get http://[fd09::2]/page
        $n --net veth:two,bridge=br0,ip=10.9.0.3/24,ip=fd09::3/64 --cap-add net_raw -- /bin/sh -euc '
            wget -q -O - http://10.9.0.2/page
            wget -q -O - http://[fd09::2]/page
            ping -c 1 -w 20 10.9.0.2 >/dev/null
            ping -c 1 -w 20 fd09::2 >/dev/null'
        links
        kill $pid
        wait $pid || :
        # Nothing is left, at once.
        links
    "#;
    let out = lab(&root, &format!("{first}{script}")).run();
    let log = std::fs::read_to_string(root.at("log")).expect("the first container's output");
    assert!(log.contains("mtu 1400") && log.contains("link/ether 02:00:00:00:00:0a"), "{log}");
    out.says(&format!("{}br0 lo one\nbr0 lo", "from the container\n".repeat(4)));
}

/// The addresses and routes that the options name, and no others.
#[test]
fn addresses_and_routes_are_those_of_the_options() {
    let Some(root) = lab_root() else { return };
    let script = r#"
        ip link add d0 type veth peer name d1
        ip link set d1 up
        $n --net veth:one,bridge=br0,ip=10.9.0.2/24,ip=10.8.0.2/32,gw=10.9.0.1,route=10.1.0.0/16@10.9.0.7,route=10.2.0.0/16 \
            --net=veth:two,name=in,ip=fd09::2/64,gw=fd09::1,route=fd77::/16@fe80::1 --net macvlan:d1,ip=10.7.0.1/24 \
            --net-device d0:wan,ip=10.6.0.1/24,mac=02:00:00:00:00:0b -- /bin/sh -c '
                ip -4 address | grep -o "inet .*"; ip -6 address show dev in scope global | grep -o "inet6 [^ ]*"
                ip route; ip -6 route | grep via; ip link show wan | grep -o "ether [^ ]*"; ip link | grep -c UP'
        links
    "#;
    let expected = "\
        inet 127.0.0.1/8 scope host lo\n\
        inet 10.9.0.2/24 scope global eth0\n\
        inet 10.8.0.2/32 scope global eth0\n\
        inet 10.7.0.1/24 scope global eth2\n\
        inet 10.6.0.1/24 scope global wan\n\
        inet6 fd09::2/64\n\
        default via 10.9.0.1 dev eth0 \n\
        10.1.0.0/16 via 10.9.0.7 dev eth0 \n\
        10.2.0.0/16 dev eth0 scope link \n\
        10.6.0.0/24 dev wan scope link  src 10.6.0.1 \n\
        10.7.0.0/24 dev eth2 scope link  src 10.7.0.1 \n\
        10.9.0.0/24 dev eth0 scope link  src 10.9.0.2 \n\
        fd77::/16 via fe80::1 dev in  metric 1024 \n\
        default via fd09::1 dev in  metric 1024 \n\
        ether 02:00:00:00:00:0b\n\
        5\n\
        br0 d0 d1 lo";
    lab(&root, script).run().says(expected);
}

/// With a bridge the MTU of both ends is the bridge's; without one it is the kernel's. The interfaces of a sandbox are no others.
#[test]
fn sandbox_has_a_way_out_too() {
    let Some(root) = lab_root() else { return };
    let script = r#"
        sandbox="${n%% *} --bind ${n##* } / --proc /proc --dev /dev --net veth:one,ip=10.9.0.2/24"
        $sandbox,bridge=br0 -- /bin/sh -c 'cat /proc/net/dev | grep -c :; ip link show eth0 | grep -o "mtu [0-9]*"'
        $sandbox --unshare-pid -- /bin/sh -c 'ip link show eth0 | grep -o "mtu [0-9]*"; sleep 1000 &'
        links
    "#;
    lab(&root, script).run().says("2\nmtu 1400\nmtu 1500\nbr0 lo");
}

/// A veth and a macvlan end with the network namespace. A device comes back when nsinit ends; if it was killed, the kernel keeps a
/// device of hardware, and none that is made of software.
#[test]
fn nothing_is_left_after_a_kill_of_the_launcher() {
    let Some(root) = lab_root() else { return };
    let begin = "ip link add d0 type veth peer name d1\n";
    let run = start("--net veth:one,bridge=br0 --net macvlan:br0 --net-device d0:wan", "echo up; exec sleep 1000");
    let end = "links; kill -9 $pid; wait $pid || :; until_gone one; until_gone d1; links";
    let out = lab(&root, &[begin, &run, end].concat()).run();
    assert_eq!((out.status, &out.stdout[..]), (0, "br0 d1 lo one\nbr0 lo\n"), "{out}");
    // Killed with SIGTERM: the device is back.
    let end = "links; kill $pid; wait $pid || :; links";
    let out = lab(&root, &[begin, &run, end].concat()).run();
    assert_eq!((out.status, &out.stdout[..]), (0, "br0 d1 lo one\nbr0 d0 d1 lo\n"), "{out}");
}

/// The container has renamed the device, and removed the other interface.
#[test]
fn device_comes_back_whatever_the_container_did() {
    let Some(root) = lab_root() else { return };
    let script = r#"
        ip link add d0 type veth peer name d1
        $n --net veth:one --net-device d0 --cap-add net_admin -- /bin/sh -c '
            ip link set d0 down; ip link set d0 name mine; ip link del eth0; ip link | grep -c mine'
        links
    "#;
    lab(&root, script).run().says("1\nbr0 d0 d1 lo");
    let script = r#"
        ip link add d0 type veth peer name d1
        $n --net-device d0 --cap-add net_admin -- /bin/sh -c 'ip link del d0'
        links
    "#;
    let out = lab(&root, script).run();
    assert_eq!((out.status, &out.stdout[..]), (0, "br0 lo\n"), "{out}");
    assert!(out.stderr.starts_with("nsinit: cannot take back network device d0: No such device ("), "{out}");
}

/// A launch that fails later leaves no interface: a name that is in use, a root that is none, a CMD that is none.
#[test]
fn interfaces_that_cannot_be_made_are_refused() {
    let Some(root) = lab_root() else { return };
    for (options, why) in [
        ("--net veth:d0", "create veth d0: File exists (another interface has this name, or the name inside)"),
        ("--net veth:one,name=x --net veth:two,name=x", "create veth two: File exists (another interface has"),
        ("--net veth:one,bridge=no", "attach an interface to bridge no: No such device"),
        ("--net veth:one,bridge=lo", "attach an interface to bridge lo: Operation not supported (it is not a bridge)"),
        ("--net macvlan:no", "create a macvlan of no: No such device"),
        (
            "--net macvlan:d0",
            "create a macvlan of d0: Device or resource busy (a device is the parent of one kind only",
        ),
        ("--net ipvlan:no", "create an ipvlan of no: No such device"),
        ("--net-device no", "move network device no: No such device"),
        (
            "--net-device lo",
            "move network device lo: Invalid argument (this device cannot leave its network namespace)",
        ),
        (
            "--net veth:one,ip=10.0.0.1/24,ip=10.0.0.1/24",
            "add address 10.0.0.1/24: File exists (the container has it already)",
        ),
        ("--net veth:one,route=10.0.0.0/8,route=10.0.0.0/8", "add route 10.0.0.0/8: File exists (the container has"),
        ("--net veth:one,ip=10.0.0.1/24 --net-device d0 --chdir /no", "enter directory /no: No such file or directory"),
        ("--net veth:one --net-device d0 --tmpfs /bin", "execute true: No such file or directory"),
    ] {
        let script = format!(
            "ip link add d0 type veth peer name d1; ip link set d0 master br0; $n {options} -- true || echo $?; links"
        );
        let out = lab(&root, &script).run();
        let status = if options.ends_with("/bin") { 127 } else { 125 };
        assert_eq!(out.stdout, format!("{status}\nbr0 d0 d1 lo\n"), "{options}: {out}");
        assert!(out.stderr.starts_with(&format!("nsinit: cannot {why}")), "{options}: {out}");
    }
}

/// Values that no kernel is asked about.
#[test]
fn wrong_words_for_interfaces_are_usage_errors() {
    let Some(root) = roots().pop() else { return };
    for (option, value, why) in [
        ("--net", "veth:", "a name that no interface can have"),
        ("--net", "veth:../x", "a name that no interface can have"),
        ("--net", "veth:sixteen-bytes-xx", "a name that no interface can have"),
        ("--net", "veth:v%d", "a name that no interface can have"),
        ("--net", "veth:a b", "a name that no interface can have"),
        ("--net", "veth:a,bridge=..", "a name that no interface can have"),
        ("--net", "veth:a,name=", "a name that no interface can have"),
        ("--net", "macvlan:a,bridge=b", "bridge= is for veth only"),
        ("--net", "ipvlan:a,mac=02:00:00:00:00:01", "an ipvlan has the MAC address of its parent"),
        ("--net", "veth:a,mac=02-00-00-00-00-01", "mac= is not the address of one interface"),
        ("--net", "veth:a,mac=01:00:00:00:00:01", "mac= is not the address of one interface"),
        ("--net", "veth:a,ip=10.0.0.1", "ip= is not an address with the length"),
        ("--net", "veth:a,ip=10.0.0.1/33", "ip= is not an address with the length"),
        ("--net", "veth:a,ip=10.0.0.1/4294967320", "ip= is not an address with the length"),
        ("--net", "veth:a,ip=fd00::/129", "ip= is not an address with the length"),
        ("--net", "veth:a,gw=10.0.0.1/24", "gw= is not an address such as"),
        ("--net", "veth:a,ip=10.0.0.1/24,gw=10.0.1.1", "a gateway must be in the network of an ip="),
        ("--net", "veth:a,ip=10.0.0.1/24,gw=fd00::1", "a gateway must be in the network of an ip="),
        ("--net", "veth:a,route=10.0.0.1/8", "route= is not NETWORK/LENGTH"),
        ("--net", "veth:a,up", "a key that is none of"),
        ("--net", "veth:a,", "need root"),
        ("--net-device", "", "a name that no interface can have"),
        ("--net-device", "a:", "a name that no interface can have"),
        ("--net-device", "a:b:c", "a name that no interface can have"),
        ("--net-device", "a%d", "a name that no interface can have"),
    ] {
        if why == "need root" && root.who.is_root() {
            continue;
        }
        let out = root.run(&[option, value], &["true"]);
        assert!(out.status == 125 && out.stderr.contains(why), "{value}: {out}");
    }
    for (root, options) in
        roots().iter().flat_map(|root| [(root, "--share-net"), (root, "--join-net"), (root, "--join-user")])
    {
        let options = if options == "--share-net" { vec![options] } else { vec![options, "1"] };
        let out = root.run(&[&["--net", "veth:a"], &options[..]].concat(), &["true"]);
        out.fails(if root.who.is_root() { "need a new network" } else { "need root" });
        let out = root.run(&[&["--net", "pasta"], &options[..]].concat(), &["true"]);
        let is_pasta_left = options[0] != "--join-net" || root.who.is_root();
        out.fails(if root.who.is_root() {
            "is for ordinary users"
        } else if is_pasta_left {
            "needs a new user namespace"
        } else {
            "needs a new"
        });
    }
}

// ---- pasta

/// A script of the ordinary user in a network of the test, in which the machine 192.0.2.1 is a web server. `$n` as in [`lab`].
fn behind_pasta(root: &Root, user: who::Who, script: &str) -> Option<Launch> {
    if !Path::new("/usr/bin/pasta").exists() {
        skip("passt is not installed");
        return None;
    }
    // /dev/net/tun is open to all users on most machines, and the test makes it so for itself.
    let begin = format!(
        r#"
        mount -t tmpfs tmpfs /mnt
        mknod -m 666 /mnt/tun c 10 200
        mount --bind /mnt/tun /dev/net/tun
        echo from outside >/mnt/page
        mkfifo /mnt/go /mnt/ready
        unshare --net "$busybox" sh -c 'read x </mnt/go; busybox=$0; "$busybox" ip address add 192.0.2.1/24 dev up1
            echo 0 >/proc/sys/net/ipv6/conf/up1/accept_dad
            "$busybox" ip address add fd02::1/64 dev up1; "$busybox" ip link set up1 up
            echo up >/mnt/ready; exec "$busybox" httpd -f -p 80 -h /mnt' "$busybox" &
        server=$!
        until [ "$(readlink /proc/$server/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.02; done
        ip link add up0 type veth peer name up1
        ip link set up1 netns $server
        echo >/mnt/go
        read x </mnt/ready
        ip address add 192.0.2.2/24 dev up0
        ip address add fd02::2/64 dev up0 nodad
        ip link set up0 up
        ip route add default via 192.0.2.1
        ip route add default via fd02::1
        until "$busybox" wget -q -O - http://192.0.2.1/page >/dev/null 2>&1; do sleep 0.02; done
        setpriv --reuid {uid} --regid {gid} --clear-groups /bin/sh -euc '
            busybox={busybox}
            n="{nsinit} --root {root}"
            {script}'
        kill $server
        "#,
        uid = user.uid(),
        gid = user.gid(),
        busybox = busybox().expect("a root has it").display(),
        nsinit = nsinit().display(),
        root = root.str(),
    );
    let lab_root = lab_root()?;
    Some(lab(&lab_root, &begin))
}

#[test]
fn pasta_leads_an_ordinary_user_outside() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    root.file("page", "from the container\n");
    let script = r#"
        # The network is complete when CMD starts. Nothing else is reachable: not the ports of the caller.
        "$busybox" httpd -f -p 127.0.0.1:8080 -h /mnt &
        server=$!
        until "$busybox" wget -q -O - http://127.0.0.1:8080/page 2>/dev/null; do sleep 0.02; done
        $n --net pasta -- /bin/sh -c "
            wget -q -O - http://192.0.2.1/page; wget -q -O - http://[fd02::1]/page
            ! wget -q -O - http://127.0.0.1:8080/page 2>/dev/null || echo reached"
        kill $server
        # A port of the caller that leads inside.
        mkfifo /tmp/$$.up
        $n --net pasta:-t,8081:80 -- /bin/sh -c "httpd -p 80 -h /; echo up; exec sleep 1000" >/tmp/$$.up &
        pid=$!
        read x </tmp/$$.up
        rm /tmp/$$.up
        "$busybox" wget -q -O - http://127.0.0.1:8081/page
        kill $pid
        wait $pid || :
        # Its end is that of the port.
        ! "$busybox" wget -q -O - http://127.0.0.1:8081/page 2>/dev/null || echo left
    "#;
    let Some(launch) = behind_pasta(&root, user, script) else { return };
    launch.run().says("from outside\nfrom outside\nfrom outside\nfrom the container");
}

/// Whatever ends first: pasta ends with the launcher that was killed.
#[test]
fn pasta_ends_with_the_container() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    let script = r#"
        for signal in KILL TERM; do
            mkfifo /tmp/$$.up
            $n --net pasta -- /bin/sh -c "echo up; exec sleep 1000" >/tmp/$$.up &
            pid=$!
            read x </tmp/$$.up
            rm /tmp/$$.up
            pasta=$(pgrep -P $pid passt)
            kill -$signal $pid
            wait $pid || :
            while kill -0 $pasta 2>/dev/null; do sleep 0.02; done
            echo ended
        done
    "#;
    let Some(launch) = behind_pasta(&root, user, script) else { return };
    let out = launch.run();
    assert_eq!((out.status, &out.stdout[..]), (0, "ended\nended\n"), "{out}");
}

#[test]
fn end_of_pasta_is_told_while_the_container_goes_on() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    let script = r#"
        mkfifo /tmp/$$.up /tmp/$$.go
        $n --net pasta -- /bin/sh -c "echo up; read x; exit 3" </tmp/$$.go >/tmp/$$.up &
        pid=$!
        exec 9>/tmp/$$.go
        read x </tmp/$$.up
        pasta=$(pgrep -P $pid passt)
        kill $pasta
        while kill -0 $pasta 2>/dev/null; do sleep 0.02; done
        echo >&9
        status=0
        wait $pid || status=$?
        rm /tmp/$$.up /tmp/$$.go
        echo $status
    "#;
    let Some(launch) = behind_pasta(&root, user, script) else { return };
    let out = launch.run();
    let told = "nsinit: pasta has ended: the container has no network any more\n";
    assert_eq!((out.status, &out.stdout[..], &out.stderr[..]), (0, "3\n", told), "{out}");
}

/// Its own message comes first. It is not installed, where /usr/bin has nothing.
#[test]
fn pasta_that_fails_is_reported() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    for (options, own) in [("--nonsense", "unrecognized option '--nonsense'"), ("--version", ""), ("-t,1-", "port")] {
        let script = format!("$n --net pasta:{options} -- /bin/true || echo $?");
        let Some(launch) = behind_pasta(&root, user, &script) else { return };
        let out = launch.run();
        assert!(out.stdout == "125\n" && out.stderr.contains(own), "{options}: {out}");
        assert!(out.stderr.ends_with("nsinit: cannot start pasta: it has failed (see its own message)\n"), "{out}");
    }
    let script = format!(
        "{0} mkdir -p {1}/empty; {0} mount --bind {1}/empty /usr/bin; exec {2} --root {1} --net pasta -- true",
        busybox().expect("a root has it").display(),
        root.str(),
        nsinit().display()
    );
    let words = ["--user", "--map-current-user", "--keep-caps", "--mount", "/bin/sh", "-euc", &script];
    let launch = Launch::of(user, Path::new("/usr/bin/unshare")).env("PATH", "/none").args(words);
    launch.run().fails("execute pasta: No such file or directory (Debian's package passt has it)");
}

/// More options than pasta gets are a usage error, and those that it gets arrive.
#[test]
fn options_of_pasta_are_bounded() {
    let Some(user) = who::user() else { return };
    let Some(root) = Root::new(user) else { return };
    let many = format!("pasta:{}", "-4,".repeat(64));
    root.run(&["--net", &many], &["true"]).fails("too many options");
    let long = format!("pasta:-t,{}", "1".repeat(4000));
    root.run(&["--net", &long], &["true"]).fails("too many options");
    // pasta would execute them.
    for word in ["pasta:8080:80", "pasta:-t,8080:80,8081:81"] {
        root.run(&["--net", word], &["true"]).fails("a word that is no option");
    }
    root.run(&["--net", "pastaful"], &["true"]).fails("/run/netns/pastaful");
}

// ---- name servers

const CAT: &[&str] = &["cat", "/etc/resolv.conf"];

#[test]
fn resolv_conf_has_what_the_option_names() {
    for root in roots() {
        let host = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
        let file = root.file("own", "nameserver 192.0.2.53\n");
        let place = root.at("etc/resolv.conf");
        for before in [None, Some("old\n")] {
            if let Some(before) = before {
                let _ = std::fs::remove_file(&place);
                root.file("etc/resolv.conf", before);
            }
            if !host.is_empty() {
                root.run(&["--resolv-conf", "host"], CAT).is(0, &host, "");
            }
            root.run(&["--resolv-conf", utf8(&file)], CAT).says("nameserver 192.0.2.53");
            let launch = root.launch(&["--resolv-conf", "own"], CAT).directory(root.path());
            launch.run().says("nameserver 192.0.2.53");
            let options = ["--resolv-conf", "host", "--resolv-conf=192.0.2.1,fd00::53"];
            root.run(&options, CAT).says("nameserver 192.0.2.1\nnameserver fd00::53");
            // What CMD writes is its own, and vanishes.
            root.sh(&["--resolv-conf", "::1"], "echo x >/etc/resolv.conf; cat /etc/resolv.conf").says("x");
            // What is in DIR stays as it is; where there was no file, an empty one is left.
            assert_eq!(std::fs::read_to_string(&place).expect("the file is there"), before.unwrap_or_default());
        }
        root.run(&["--read-only", "--resolv-conf", "::1"], CAT).says("nameserver ::1");
        root.run(&["--volatile", "--resolv-conf", "::1"], CAT).says("nameserver ::1");
        let sandbox = ["--ro-bind", root.str(), "/", "--tmpfs", "/etc", "--resolv-conf", "::1"];
        Launch::new(root.who).args(sandbox).args(CAT).run().says("nameserver ::1");
        std::fs::remove_file(&place).expect("remove the file");
        let out = root.run(&["--read-only", "--resolv-conf", "::1"], CAT);
        out.fails("write /etc/resolv.conf: Read-only file system (it does not exist and the root is read-only");
        for (value, why) in [
            ("/no/file", "copy /no/file: No such file or directory"),
            ("/etc", "copy /etc: Is a directory"),
            ("", "the path is empty"),
            ("::1,no", "a word that is not an address"),
            ("192.0.2.256", "copy 192.0.2.256: No such file or directory"),
        ] {
            root.run(&["--resolv-conf", value], CAT).fails(why);
        }
        std::fs::create_dir(&place).expect("make a directory");
        root.run(&["--resolv-conf", "::1"], CAT).fails("write /etc/resolv.conf: the destination is not a file");
    }
}

/// The file that a link leads to below the root, whatever the link says; its directories are made. Nothing outside is touched.
#[test]
fn links_of_resolv_conf_are_followed_below_the_root() {
    for root in roots() {
        let outside = Dir::new(root.who);
        let secret = outside.file("secret", "secret\n");
        let link = root.at("etc/resolv.conf");
        let up = format!("../../../../../../..{}", utf8(&secret));
        for (target, made) in [
            ("../run/systemd/resolve/stub-resolv.conf", "run/systemd/resolve/stub-resolv.conf"),
            ("/run/resolvconf/resolv.conf", "run/resolvconf/resolv.conf"),
            ("real.conf", "etc/real.conf"),
            (utf8(&secret), utf8(&secret).trim_start_matches('/')),
            (&up, utf8(&secret).trim_start_matches('/')),
            ("chain", "tmp/end"),
        ] {
            let _ = std::fs::remove_file(&link);
            root.symlink(target, "etc/resolv.conf");
            if target == "chain" {
                root.symlink("/mnt/next", "etc/chain");
                root.symlink("../tmp/end", "mnt/next");
            }
            root.run(&["--resolv-conf", "::1"], CAT).says("nameserver ::1");
            assert_eq!(std::fs::read_to_string(root.at(made)).expect(target), "", "{target}");
            assert_eq!(std::fs::read_to_string(&secret).expect("the file outside"), "secret\n");
        }
        // A mount of the user at the end of the link.
        std::fs::remove_file(&link).expect("remove the link");
        root.symlink("/data/x/resolv.conf", "etc/resolv.conf");
        root.run(&["--tmpfs", "/data", "--resolv-conf", "::1"], CAT).says("nameserver ::1");
        assert!(!root.at("data/x").exists());
        for target in ["resolv.conf", "/proc/self/fd/0", "/proc/self/root/etc/x"] {
            std::fs::remove_file(&link).expect("remove the link");
            root.symlink(target, "etc/resolv.conf");
            root.run(&["--resolv-conf", "::1"], CAT).fails("write /etc/resolv.conf: ");
        }
    }
}
