//! The services of a machine, /etc/nsinit.d: their end. `tests/it/services.rs` tests what a pid namespace can show as well.

use super::harness::{End, Image, Kernel, kernels};

/// What a service depends on is asked to end only after the service: one that ignores SIGTERM is killed before.
#[test]
fn service_that_ignores_sigterm_is_killed_before_the_next_one_ends() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let mut image = Image::new(kernel);
        image.file(
            "etc/nsinit.d/app",
            "--after db -- sh -c 'trap \"\" TERM; echo $$ >/run/app; while :; do sleep 0.1; done'\n",
        );
        image.file("etc/nsinit.d/db", "--respawn -- sh /db\n");
        image.file(
            "db",
            "trap 'sleep 1; kill -0 $(cat /run/app) 2>/dev/null && echo app runs; echo db ends; exit' TERM\n\
             while :; do sleep 0.1; done\n",
        );
        image.runs("until [ -s /run/app ]; do sleep 0.1; done; echo both run");
        image.boot("nsinit.grace=2").is_whole(End::Off, "both run\ndb ends\n");
    }
}

/// A stopped service does not delay the end of the machine.
#[test]
fn stopped_service_ends_with_the_machine() {
    for kernel in kernels(&[Kernel::V6_1]) {
        let mut image = Image::new(kernel);
        image.file("etc/nsinit.d/held", "--respawn -- sh -c 'trap \"echo held ends; exit\" TERM; echo $$ >/run/held; while :; do sleep 0.1; done'\n");
        image.runs("until [ -s /run/held ]; do sleep 0.1; done; kill -STOP $(cat /run/held); /init --service-status | sed 's/g [0-9]*/g/'");
        image.boot("nsinit.grace=1000").is_whole(End::Off, "held running 1 -\nheld ends\n");
    }
}
