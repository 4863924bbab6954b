//! Containers in the container of an engine: what the table of docs/recipes.md says, for nsinit and for bubblewrap, and what the
//! messages advise.

use super::harness::scratch::{nsinit, utf8};
use super::harness::{Engine, Out, skip};

/// The options of a container whose root is that of the engine's.
const ROOT: [&str; 3] = ["--root", "/", "--no-sys"];
const SANDBOX: [&str; 5] = ["--ro-bind", "/", "/", "--dev", "/dev"];

const MASKED: &str =
    "cannot mount proc on /proc: Operation not permitted (the /proc outside is masked, as in a container: ";

#[track_caller]
fn run(engine: &mut Engine, program: &str, options: &[&[&str]]) -> Out {
    engine.run(&[&[program], &options.concat()[..], &["--", "/bin/echo", "ran"]].concat())
}

fn engines() -> Vec<Engine> {
    [Engine::new(), Engine::new().map(Engine::user)].into_iter().flatten().collect()
}

/// podman, Kubernetes, and Docker without its filter: root and an ordinary user, with the advice of each message.
#[test]
fn container_in_a_masked_container_needs_what_the_message_says() {
    for engine in &mut engines() {
        let mut run = |options: &[&str]| run(engine, utf8(nsinit()), &[&ROOT, options]);
        run(&[]).fails(&format!("{MASKED}use --allow-nesting, and --share-pid or --no-proc)"));
        run(&["--allow-nesting"]).fails(&format!("{MASKED}use --share-pid or --no-proc)"));
        run(&["--share-pid"])
            .fails("(the limits in /proc/sys/user cannot be written here: use --allow-nesting to leave them)");
        for instead in ["--share-pid", "--no-proc"] {
            run(&["--allow-nesting", instead]).says("ran");
        }
    }
}

#[test]
fn sandbox_in_a_masked_container_needs_the_proc_around() {
    for engine in &mut engines() {
        for program in [utf8(nsinit()), "/usr/bin/bwrap"] {
            let mut run = |options: &[&str]| run(engine, program, &[&SANDBOX, &["--unshare-all"], options]);
            for options in [&[][..], &["--ro-bind", "/proc", "/proc"]] {
                run(options).says("ran");
            }
            let out = run(&["--proc", "/proc"]);
            if program == "/usr/bin/bwrap" {
                assert!(out.status == 1 && out.stderr.contains("Can't mount proc"), "{out}");
            } else {
                out.fails(&format!("{MASKED}use --ro-bind /proc /proc, or no --unshare-pid)"));
            }
        }
    }
}

#[test]
fn nothing_is_needed_in_an_unmasked_container() {
    for engine in engines() {
        let mut engine = engine.unmasked();
        run(&mut engine, utf8(nsinit()), &[&ROOT]).says("ran");
        for program in [utf8(nsinit()), "/usr/bin/bwrap"] {
            run(&mut engine, program, &[&SANDBOX, &["--unshare-all", "--proc", "/proc"]]).says("ran");
        }
    }
}

/// Docker's filter: nothing that needs a namespace works, and the message says so. In place all works.
#[test]
fn dockers_filter_is_named_and_in_place_it_is_in_nobodys_way() {
    const FILTER: &str = "cannot create namespaces: Operation not permitted (nsinit was started under a seccomp filter, which may \
        forbid this; docker's does without --security-opt seccomp=unconfined)";
    for engine in engines() {
        let mut engine = engine.filtered();
        let program = utf8(nsinit());
        for options in [
            &ROOT[..],
            &["--root", "/", "--allow-nesting", "--share-pid"],
            &[&SANDBOX[..], &["--unshare-pid"]].concat(),
        ] {
            run(&mut engine, program, &[options]).fails(FILTER);
        }
        run(&mut engine, program, &[]).says("ran");
        let out = run(&mut engine, program, &[&["--landlock-ro", "/"]]);
        if out.stderr.contains("Landlock") || out.stderr.contains("landlock") {
            skip("the kernel has no Landlock");
        } else {
            out.says("ran");
        }
    }
}
