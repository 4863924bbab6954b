//! Real programs under the whole preset, the filter of system calls included: those of a Debian, in a container of root and of an
//! ordinary user. What they need from the kernel is what they need anywhere.

use super::harness::roots::programs;
use super::harness::{Launch, Out, who};

/// Runs a script of bash in the Debian root; what it writes to /tmp vanishes, and what it writes elsewhere with `--volatile` too.
fn bash(who: who::Who, options: &[&str], script: &str) -> Option<Out> {
    let root = programs()?;
    let words = ["--root", root.to_str()?, "--tmpfs", "/tmp", "--chdir", "/tmp"];
    let cmd = ["--", "/bin/bash", "-euc", script];
    Some(Launch::new(who).args(words).args(options).args(cmd).run_with_others())
}

#[test]
fn python_has_threads_processes_and_sockets() {
    const SCRIPT: &str = "python3 -c '
import os, socket, subprocess, threading
thread = threading.Thread(target=print, args=(\"thread\",), kwargs={\"flush\": True})
thread.start()
thread.join()
print(subprocess.check_output([\"id\", \"-u\"]))
listening = socket.create_server((\"127.0.0.1\", 0))
caller = socket.create_connection(listening.getsockname())
caller.send(b\"hello\")
print(listening.accept()[0].recv(5), os.cpu_count() > 0, len(os.urandom(4)))
'";
    for who in who::both() {
        let Some(out) = bash(who, &[], SCRIPT) else { return };
        out.is(0, "thread\nb'0\\n'\nb'hello' True 4\n", "");
    }
}

#[test]
fn perl_and_the_shell_run_other_programs() {
    const SCRIPT: &str = "perl -e 'print `echo from perl`; exit system(\"test -d /proc/self\") >> 8'; \
        (exec -a name sleep 0.01) & wait; seq 3 | sort -r | tr '\\n' ' '; timeout 5 nice -n 1 ionice -c 3 taskset -c 0 true; \
        flock /tmp/lock true; setarch linux32 uname -m; chroot / true; dd if=/dev/zero of=/tmp/x bs=4k count=1 2>/dev/null; sync /tmp/x";
    for who in who::both() {
        let Some(out) = bash(who, &[], SCRIPT) else { return };
        let machine = if cfg!(target_arch = "x86_64") { "i686" } else { std::env::consts::ARCH };
        if cfg!(any(target_arch = "x86_64", target_arch = "x86")) {
            out.is(0, &format!("from perl\n3 2 1 {machine}\n"), "");
        } else {
            assert!(out.status == 0 && out.text().starts_with("from perl\n3 2 1 "), "{out}");
        }
    }
}

#[test]
fn gcc_compiles_a_program_with_threads() {
    const SCRIPT: &str = "cat >a.c <<'END'
#include <pthread.h>
#include <stdio.h>
static void *start(void *text) { puts(text); return NULL; }
int main(void)
{
    pthread_t thread;
    return pthread_create(&thread, NULL, start, \"from a thread\") || pthread_join(thread, NULL);
}
END
gcc -O2 -o a a.c && ./a";
    for who in who::both() {
        let Some(out) = bash(who, &[], SCRIPT) else { return };
        out.is(0, "from a thread\n", "");
    }
}

/// apt changes to the user _apt for downloads, and dpkg chroots: both need capabilities that the preset keeps.
#[test]
fn apt_installs_a_package() {
    const SCRIPT: &str = "mkdir -p p/DEBIAN p/usr/share/nsinit-test; echo installed >p/usr/share/nsinit-test/file
printf 'Package: nsinit-test\\nVersion: 1\\nArchitecture: all\\nMaintainer: x <x@example.org>\\nDescription: x\\n' >p/DEBIAN/control
printf '#!/bin/sh\\necho configured\\n' >p/DEBIAN/postinst; chmod 755 p/DEBIAN/postinst
dpkg-deb --build --root-owner-group p x.deb >/dev/null
apt-get install -y ./x.deb >log 2>&1 || { cat log; exit 1; }
grep -o ^configured log; cat /usr/share/nsinit-test/file; dpkg -s nsinit-test | grep ^Status";
    let Some(root) = who::root() else { return };
    let Some(out) = bash(root, &["--volatile"], SCRIPT) else { return };
    out.is(0, "configured\ninstalled\nStatus: install ok installed\n", "");
}

#[test]
fn nginx_serves() {
    const SCRIPT: &str = "cat >conf <<'END'
daemon off;
pid /tmp/pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c; uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
    server { listen 127.0.0.1:80; location / { return 200 served; } }
}
END
nginx -c /tmp/conf & for i in $(seq 500); do (: </dev/tcp/127.0.0.1/80) 2>/dev/null && break; sleep 0.01; done
exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; tail -n 1 <&3; kill %1; wait";
    for who in who::both() {
        // The user nobody of nginx' workers has no number in the user namespace of an ordinary user.
        let options: &[&str] = if who.is_root() { &["--volatile"] } else { &[] };
        let script = if who.is_root() {
            SCRIPT.to_owned()
        } else {
            SCRIPT.replace("daemon off;", "daemon off; user root root;")
        };
        let Some(out) = bash(who, options, &script) else { return };
        assert!(out.status == 0 && out.stdout.contains("served"), "{out}");
    }
}
