//! scripts/seccomp: a policy in JSON becomes the program that `--seccomp` reads.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use super::harness::{Dir, Out, Root, launch, roots, skip, who};

fn script(arguments: &[&str]) -> Output {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/seccomp"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = launch::spawn(&mut command);
    let pid = child.id().cast_signed();
    let out = child.wait_with_output().expect("run the script");
    launch::forget(pid);
    out
}

/// Whether a policy can be compiled here.
fn is_here() -> bool {
    let here = launch::quiet(Command::new("python3").args(["-c", "import ctypes; ctypes.CDLL('libseccomp.so.2')"]));
    if !here {
        skip("python3 or libseccomp2 is not installed");
    }
    here
}

/// The exit status and the messages of the compiler, and what it wrote.
fn compile(policy: &str, capabilities: &[&str]) -> (bool, String, Vec<u8>) {
    let dir = Dir::new(who::both()[0]);
    dir.file("policy.json", policy);
    let path = dir.at("policy.json");
    let out = script(&[&[path.to_str().expect("UTF-8")][..], capabilities].concat());
    (out.status.success(), String::from_utf8_lossy(&out.stderr).into_owned(), out.stdout)
}

/// Runs a script of the shell in a container under a policy that compiles without a message.
#[track_caller]
fn under(root: &Root, policy: &str, capabilities: &[&str], sh: &str) -> Out {
    let (done, said, program) = compile(policy, capabilities);
    assert!(done && said.is_empty() && program.len() % 8 == 0 && !program.is_empty(), "{said}");
    let dir = Dir::new(root.who);
    let path = dir.at("program");
    fs::write(&path, program).expect("write the program");
    root.launch(&["--seccomp", "9"], &["/bin/sh", "-c", sh]).open_as(&path, 9).run()
}

#[test]
fn rules_of_a_policy_hold_in_a_container() {
    const MKDIR: &str = "mkdir /x 2>&1; echo $?";
    const REFUSED: &str = "mkdir: can't create directory '/x': ";
    if !is_here() {
        return;
    }
    for root in roots() {
        let rule = |rest: &str| {
            let rule = format!(r#"{{"names": ["mkdir", "mkdirat"], {rest}}}"#);
            format!(r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{rule}]}}"#)
        };
        let refused = |why: &str| format!("{REFUSED}{why}\n1");
        let errno = r#""action": "SCMP_ACT_ERRNO""#;
        under(&root, &rule(errno), &[], MKDIR).says(&refused("Operation not permitted"));
        let text = rule(&format!(r#"{errno}, "errnoRet": 38"#));
        under(&root, &text, &[], MKDIR).says(&refused("Function not implemented"));
        let text = rule(&format!(r#"{errno}, "errno": "ENOSPC""#));
        under(&root, &text, &[], MKDIR).says(&refused("No space left on device"));
        // A condition on a capability.
        let text = rule(&format!(r#"{errno}, "excludes": {{"caps": ["CAP_SYS_PTRACE"]}}"#));
        under(&root, &text, &[], MKDIR).says(&refused("Operation not permitted"));
        under(&root, &text, &["SYS_PTRACE"], "mkdir /x; rmdir /x; echo $?").says("0");
        let text = rule(&format!(r#"{errno}, "includes": {{"caps": ["CAP_CHOWN"]}}"#));
        under(&root, &text, &[], MKDIR).says(&refused("Operation not permitted"));
        let text = rule(&format!(r#"{errno}, "includes": {{"arches": ["s390x"]}}"#));
        under(&root, &text, &[], "mkdir /x; rmdir /x; echo $?").says("0");
        // What is in a config.json.
        let whole = format!(r#"{{"process": {{}}, "linux": {{"seccomp": {}}}}}"#, rule(errno));
        under(&root, &whole, &[], MKDIR).says(&refused("Operation not permitted"));
    }
}

/// kill(2) with signal 0 or 7 to a process, by its arguments; two conditions on one argument: one of them is enough.
#[test]
fn conditions_on_arguments_hold() {
    if !is_here() {
        return;
    }
    for root in roots() {
        let args = |list: &str| {
            format!(
                r#"{{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                    {{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "args": [{list}]}}]}}"#
            )
        };
        const SH: &str = "for n in 0 23 28; do kill -$n $$ 2>/dev/null; echo $?; done";
        let equal = |n: u32| format!(r#"{{"index": 1, "value": {n}, "op": "SCMP_CMP_EQ"}}"#);
        under(&root, &args(&equal(23)), &[], SH).says("0\n1\n0");
        under(&root, &args(&format!("{}, {}", equal(23), equal(28))), &[], SH).says("0\n1\n1");
        // All conditions on different arguments.
        let first = r#"{"index": 0, "value": 1, "op": "SCMP_CMP_LT"}"#;
        under(&root, &args(&format!("{first}, {}", equal(23))), &[], SH).says("0\n0\n0");
        let masked = r#"{"index": 1, "value": 16, "valueTwo": 16, "op": "SCMP_CMP_MASKED_EQ"}"#;
        under(&root, &args(masked), &[], SH).says("0\n1\n1");
    }
}

/// A list of what is permitted, as engines have it.
#[test]
fn list_of_permitted_calls_refuses_the_rest() {
    const PROFILE: &str = "/usr/share/containers/seccomp.json";
    if !is_here() {
        return;
    }
    let Ok(profile) = fs::read_to_string(PROFILE) else { return skip("no profile of podman on this machine") };
    let (done, said, program) = compile(&profile, &[]);
    assert!(done, "{said}");
    assert!(said.is_empty() || said.starts_with("seccomp: left out, ") && said.lines().count() == 1, "{said}");
    assert!(program.len() / 8 <= 4096);
    for root in roots() {
        let dir = Dir::new(root.who);
        let path = dir.at("program");
        fs::write(&path, &program).expect("write the program");
        let launch =
            root.launch(&["--allow-nesting", "--seccomp", "9"], &["/bin/sh", "-c", "unshare -m true 2>&1; ls -d /"]);
        let out = launch.open_as(&path, 9).run();
        assert!(out.status == 0 && out.stdout.contains("unshare(0x") && out.stdout.ends_with("\n/\n"), "{out}");
    }
}

/// Nothing is written, and one line says why. A policy that is only half understood would protect less than it says.
#[test]
fn policy_that_is_not_understood_is_refused() {
    if !is_here() {
        return;
    }
    for (policy, word) in [
        ("{", "Expecting"),
        ("[]", "the policy is no object"),
        ("{}", "no support for the action None"),
        (r#"{"defaultAction": "SCMP_ACT_NOTIFY"}"#, "no support for the action SCMP_ACT_NOTIFY"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscals": []}"#, "unknown member 'syscals' of the policy"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "flags": ["SECCOMP_FILTER_FLAG_LOG"]}"#, "no support for flags"),
        (r#"{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_Z80"]}"#, "unknown machine SCMP_ARCH_Z80"),
        (r#"{"linux": {}}"#, "there is no seccomp in it"),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["nope"], "action": "SCMP_ACT_ERRNO"}]}"#,
            "does not know nope, which would be allowed",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kill"], "action": "SCMP_ACT_ERRNO", "errno": "ENO"}]}"#,
            "not an errno: ENO",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kill"], "action": "SCMP_ACT_KILL",
                "args": [{"index": 6, "value": 0, "op": "SCMP_CMP_EQ"}]}]}"#,
            "not an argument",
        ),
        (
            r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["kill"], "action": "SCMP_ACT_KILL",
                "args": [{"index": 1, "value": 0, "op": "EQUAL"}]}]}"#,
            "unknown comparison EQUAL",
        ),
    ] {
        let (done, said, program) = compile(policy, &[]);
        let one_line = said.starts_with("seccomp: ") && said.lines().count() == 1 && said.contains(word);
        assert!(!done && program.is_empty() && one_line, "{policy}: {said}");
    }
    let out = script(&["/nowhere"]);
    assert!(!out.status.success() && String::from_utf8_lossy(&out.stderr) == "seccomp: cannot read /nowhere\n");
}
