//! Which words the init of each stage takes: the kernel's, those that are handed over, or those of the file.

use super::harness::{ALL, End, Image, Kernel, kernels};

/// The begin of the first stage: /new is a root whose init is nsinit.
const STAGE: &str =
    "#!/bin/sh\nmkdir -p /proc; mount -t proc proc /proc; mount -t tmpfs none /new; cp -a /root2/. /new\n";

/// Prints which root it runs on.
const PROBE: &str = "#!/bin/sh\necho \"$1 on $(cat /root-name) ${NSINIT_SWITCHED-clean}\"\n";

/// An image whose /init is STAGE and this line, and whose new root has a command line in /etc/nsinit.args.
fn image(kernel: Kernel, line: &str) -> Image {
    let mut image = Image::new(kernel);
    image.dir("new");
    image.script(&format!("{STAGE}{line}\n"));
    let root = Image::new(kernel);
    for (image, name) in [(&image, "one"), (&root, "two")] {
        image.file("root-name", &format!("{name}\n"));
        image.file("bin/probe", PROBE);
    }
    root.file("etc/nsinit.args", "--on-exit reboot -- probe file\n");
    root.nsinit("sbin/init");
    for name in ["dev", "proc", "sys", "run"] {
        root.dir(name);
    }
    root.copy_to(&image.at("root2"));
    image
}

/// After nsinit has switched, the kernel's command line counts no more: not even the options in it that name nsinit.
#[test]
fn after_a_switch_by_nsinit_the_words_handed_over_are_the_command_line() {
    for kernel in kernels(&ALL) {
        // The first stage passes on what the kernel has passed to it.
        let passed = image(kernel, "exec nsinit \"$@\"");
        let boot = passed.boot("splash -- --switch-root /new");
        boot.is(End::Restart, "file on two clean\n");
        let boot =
            passed.boot("nsinit.on-exit=reboot -- --switch-root /new -- /sbin/init --on-exit halt -- probe 'a  b'");
        boot.is(End::Halt, "a  b on two clean\n");
        if kernel != Kernel::V6_1 {
            continue;
        }
        let boot = passed.boot("nsinit.switch-root=/new");
        boot.is(End::Restart, "file on two clean\n");
        // The second init is asked to switch too.
        let boot = passed.boot("-- --switch-root /new -- /sbin/init --switch-root /new");
        let line = "nsinit: cannot switch to root /new: No such file or directory\n";
        boot.is(End::Off, line);
        let boot =
            passed.boot("-- --switch-root /new -- /bin/sh -c 'echo $NSINIT_SWITCHED; exec /sbin/init -- probe shell'");
        boot.is(End::Off, "1\nshell on two clean\n");
        // Words of the script's own.
        let own = image(kernel, "exec nsinit --switch-root /new -- /sbin/init");
        own.boot("-- probe kernel").is(End::Restart, "file on two clean\n");
        let own = image(kernel, "exec nsinit --switch-root /new -- /sbin/init -- probe own");
        own.boot("nsinit.on-exit=halt -- probe kernel").is(End::Off, "own on two clean\n");
    }
}

/// After a switch by another program, the words that it hands over count; if those are the kernel's or none, the kernel's
/// command line does, as it is.
#[test]
fn after_a_switch_by_another_program_its_words_or_the_kernels_are_the_command_line() {
    for kernel in kernels(&ALL) {
        let passed = image(kernel, "exec switch_root /new /sbin/init \"$@\"");
        let boot = passed.boot("splash nsinit.on-exit=halt -- --grace 1 -- probe kernel");
        boot.is(End::Halt, "kernel on two clean\n");
        passed.boot("").is(End::Restart, "file on two clean\n");
        if kernel != Kernel::V6_1 {
            continue;
        }
        let none = image(kernel, "exec switch_root /new /sbin/init");
        none.boot("-- probe kernel").is(End::Off, "kernel on two clean\n");
        let own = image(kernel, "exec switch_root /new /sbin/init --on-exit halt -- probe own");
        own.boot("-- probe kernel").is(End::Halt, "own on two clean\n");
    }
}

/// The kernel's first process reads the machine's command line, whatever the name of its file.
#[test]
fn first_process_reads_the_machines_command_line_under_any_name() {
    for kernel in kernels(&ALL) {
        let mut image = Image::new(kernel);
        image.nsinit("bin/nsinit");
        image.nsinit("sbin/start the-machine");
        image.words(&["--on-exit", "halt", "--", "echo", "file"]);
        image.boot("rdinit=/bin/nsinit splash -- --root /box -- echo 'two  words'").is(End::Off, "two  words\n");
        image.boot("rdinit=/bin/nsinit nsinit.on-exit=reboot").is(End::Restart, "file\n");
        if kernel == Kernel::V6_1 {
            image.boot("rdinit=\"/sbin/start the-machine\"").is(End::Halt, "file\n");
        }
    }
}

/// Before ` -- ` the kernel's quotes count. An open quote behind it, or in the file, runs no command, and no shell either unless
/// --on-exit asks for one.
#[test]
fn quotes_are_the_kernels_before_the_dashes_and_must_be_closed_behind() {
    const OPEN: &str = "nsinit: cannot read /proc/cmdline: a quote is not closed (no command is run)\n";
    for kernel in kernels(&ALL) {
        let mut image = Image::new(kernel);
        image.boot("systemd.hostname=bob's-box -- echo hi").is(End::Off, "hi\n");
        image.boot("-- sh -c \"echo it's\" 'x").is(End::Off, OPEN);
        if kernel != Kernel::V6_1 {
            continue;
        }
        image.boot("#old nsinit.hostname=\"a b\" x='y -- --root /box -- echo hi").is(End::Off, "hi\n");
        image.boot("nsinit.on-exit=reboot x=\"y -- echo hi").is(End::Restart, OPEN);
        image.boot("-- --on-exit halt -- sh -c 'echo x").is(End::Halt, OPEN);
        let mut machine = image.start("nsinit.on-exit=shell -- sh -c 'echo x");
        machine.expect("# ");
        machine.enter("exit\n");
        assert_eq!(machine.finish().end, End::Off);
        image.file("etc/nsinit.args", "--on-exit halt\n-- echo 'x\n");
        image.words(&[]);
        let line = "nsinit: cannot read /etc/nsinit.args: a quote is not closed (no command is run)\n";
        image.boot("").is(End::Halt, line);
    }
}

/// Options for the case that nothing is switched.
#[test]
fn shell_runs_if_nothing_is_switched() {
    for kernel in kernels(&[Kernel::V6_1, Kernel::V7]) {
        let passed = image(kernel, "exec nsinit \"$@\"");
        let words = "--on-exit shell --verbose --setenv A 'b  c'";
        let mut machine = passed.start(&format!("-- {words} --switch-root /new -- /sbin/nope"));
        machine.expect(
            "nsinit: cannot execute /sbin/nope: No such file or directory (in the new root; nothing was switched)",
        );
        machine.expect("# ");
        machine.enter("cat /root-name\n");
        machine.expect("one\n");
        machine.enter("exit\n");
        assert_eq!(machine.finish().end, End::Off);
        let script = "echo \"$A\"; exec /sbin/init";
        let boot = passed.boot(&format!("-- {words} --switch-root /new -- /bin/sh -c '{script}'"));
        boot.is(End::Restart, "nsinit: CMD is process 1\nb  c\nfile on two clean\n");
    }
}
