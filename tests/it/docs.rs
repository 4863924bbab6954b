//! The documents: every command in README.md and docs/ is run, what they show of its output is compared, and what they name exists.

mod blocks;
mod recipes;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blocks::{Block, By, Content, blocks, documents, fits};

use super::harness::launch::{attempt, tool};
use super::harness::scratch::{copy_program, nsinit};
use super::harness::{Dir, Root, Term, Who, budget, skip, who};

/// `NSINIT_WRITE=1 cargo test` writes what a command prints now where that does not fit.
#[test]
fn commands_of_the_documents_print_what_is_shown() {
    for (name, mut text) in documents().into_iter().filter(|(name, _)| name != recipes::NAME) {
        let blocks = blocks(&name, &text);
        for by in [By::User, By::Root] {
            let mine: Vec<&Block> = blocks.iter().filter(|block| block.by == by).collect();
            let who = || if by == By::Root { who::root() } else { who::user() };
            let Some(root) = (!mine.is_empty()).then(who).flatten().and_then(Root::new) else { continue };
            let wrong = run(&root, &mine);
            if std::env::var_os("NSINIT_WRITE").is_some() {
                for wrong in &wrong {
                    let [old, new] = [&wrong.shown, &wrong.got].map(|output| format!("{}\n{output}", wrong.command));
                    text = text.replace(&old, &new);
                }
                if !wrong.is_empty() {
                    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(&name), &text).expect("write a document");
                }
            } else {
                assert!(wrong.is_empty(), "as {:?}:\n{}", root.who, tale(&wrong));
            }
        }
    }
}

/// A command that does not print what is shown.
struct Wrong {
    place: String,
    command: String,
    shown: String,
    got: String,
}

/// In one shell at a terminal, with nsinit in PATH, and `root`, a busybox, in the working directory.
fn run(root: &Root, blocks: &[&Block]) -> Vec<Wrong> {
    let place = Dir::new(root.who);
    prepare(&place, root);
    let mut term = Term::new(root);
    let at = place.str();
    term.ask(&format!("PATH={at}:$PATH; export PATH"));
    let wrong = run_in(&mut term, &place, blocks);
    term.hang_up();
    wrong
}

/// Fills the directory of a document's commands.
fn prepare(place: &Dir, root: &Root) {
    place.symlink(nsinit(), "nsinit");
    place.dir("scripts");
    for name in ["lib.sh", "seccomp", "seccomp.py"] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(name);
        copy_program(&script, &place.at("scripts").join(name));
    }
    tool(Command::new("cp").arg("-al").arg(root.path()).arg(place.at("root")));
}

fn run_in(term: &mut Term, place: &Dir, blocks: &[&Block]) -> Vec<Wrong> {
    term.ask(&format!("cd {}; PS2= TERM=xterm LC_ALL=C; export TERM LC_ALL; unset N S", place.str()));
    let lines = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut wrong = Vec::new();
    let mut check = |block: &Block, command: &str, expected: &[String], got: &str| {
        let got: Vec<&str> = got.lines().collect();
        if !fits(expected, &got) {
            let shown = lines(&expected.iter().map(String::as_str).collect::<Vec<_>>());
            wrong.push(Wrong { place: block.place.clone(), command: command.to_owned(), shown, got: lines(&got) });
        }
    };
    for block in blocks {
        match &block.content {
            Content::Session(session) => {
                for (command, expected) in session {
                    let got = term.ask(command);
                    check(block, command, expected, &got);
                }
            }
            Content::Script(script) => {
                place.file("script", script);
                let got = term.ask("sh -eu script; echo \"status $?\"");
                check(block, script, &["…".to_owned(), "status 0".to_owned()], &got);
            }
        }
    }
    wrong
}

/// What is wrong, for people.
fn tale(wrong: &[Wrong]) -> String {
    let tale =
        |wrong: &Wrong| format!("{}: {}\n{}--- is shown as:\n{}", wrong.place, wrong.command, wrong.got, wrong.shown);
    wrong.iter().map(tale).collect::<Vec<_>>().join("\n")
}

#[test]
fn few_commands_are_not_run() {
    let documents = documents();
    let all: Vec<Block> = documents.iter().flat_map(|(name, text)| blocks(name, text)).collect();
    let left: Vec<String> = all
        .iter()
        .filter(|block| block.by == By::Nobody)
        .map(|block| format!("{} {}", block.place, block.section))
        .collect();
    assert!(all.len() > 25, "the blocks are found");
    assert!(left.len() <= all.len() / 5, "{} of {} blocks are not run: {left:?}", left.len(), all.len());
}

#[test]
fn wrong_output_does_not_fit() {
    let fit = |expected: &str, got: &str| {
        let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
        fits(&expected, &got.lines().collect::<Vec<_>>())
    };
    for (expected, got) in [
        ("a b", "a   b"),
        ("4711 x", "812 x"),
        ("a … d", "a b c d"),
        ("…\nb", "x\ny\nb"),
        ("…", ""),
        ("id 7", "id 7"),
        ("", ""),
    ] {
        assert!(fit(expected, got), "{expected:?} {got:?}");
    }
    for (expected, got) in [
        ("a b", "ab"),
        ("7", "70"),
        ("70", "7"),
        ("4711", "x"),
        ("a … d", "a b c"),
        ("a", "a\nb"),
        ("a\nb", "a"),
        ("", "a"),
    ] {
        assert!(!fit(expected, got), "{expected:?} {got:?}");
    }
}

#[test]
fn readme_is_short() {
    let (_, text) = documents().into_iter().find(|(name, _)| name == "README.md").expect("the README");
    let lines = text.lines().count();
    assert!((150..=250).contains(&lines), "README.md has {lines} lines");
}

#[test]
fn documents_name_only_what_exists() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for (name, text) in documents() {
        let dir = top.join(&name).parent().expect("a directory").to_owned();
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { top.join(&name) } else { dir.join(path) };
            let there =
                fs::read_to_string(&file).is_ok_and(|text| anchor.is_empty() || anchors(&text).contains(anchor));
            if !there {
                missing.push(format!("{name}: link to {target}"));
            }
        }
        for word in words_in_code(&text).filter(|word| is_path(word)) {
            if !top.join(word).exists() {
                missing.push(format!("{name}: {word}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// GitHub's names of a document's headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
    headings.map(|line| line.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

/// Words between backquotes, outside of fenced blocks.
fn words_in_code(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split("\n```").step_by(2);
    outside.flat_map(|part| part.split('`').skip(1).step_by(2)).flat_map(str::split_whitespace)
}

fn is_path(word: &str) -> bool {
    ["scripts/", "src/", "tests/", "docs/", "share/"].iter().any(|start| word.starts_with(start))
}

/// An option in a document is one of nsinit's, or of a program that the document speaks of.
#[test]
fn documents_name_only_options_that_exist() {
    let help = tool(Command::new(nsinit()).arg("--help"));
    let known: BTreeSet<&str> = help.split(|c: char| c.is_whitespace() || c == ',' || c == ';').collect();
    let others = [
        "--ver",
        "--single-child",
        // Options of pasta(1).
        "--dns-forward",
        "--map-gw",
        "--no-map-gw",
        "--share-*",
        "--unshare-*",
        "--allow-*",
        "--keep-*",
        "--join-*",
        "--NAME",
        "--option",
        "--cfg",
        "--profile",
        "--features",
        "--no-default-features",
        "--test",
        // Options of podman, buildah and docker.
        "--cgroups",
        "--isolation",
        "--network",
        "--privileged",
        "--security-opt",
        // Options of scripts/initramfs.
        "--modules",
        "--uki",
        // Options of scripts/release, cargo install, tar and nsenter.
        "--native",
        "--anchored",
        "--exclude",
        "--path",
        "--mount",
        "--pid",
        "--user",
        "--preserve-credentials",
        "--modules-from",
    ];
    let mut unknown = BTreeSet::new();
    for (name, text) in documents() {
        let headings = text.lines().filter_map(|line| line.strip_prefix("### ")).flat_map(|line| line.split(", "));
        // Beside the tasks of other tools stand the commands of other programs; those of nsinit are run.
        let text = text.split("\n## Tasks of other tools\n").next().unwrap_or_default();
        for word in words_in_code(text).chain(headings) {
            let option = word.split('=').next().unwrap_or_default();
            let is_one = option.len() > 2 && option.starts_with("--");
            if is_one && !known.contains(option) && !others.contains(&option) {
                unknown.insert(format!("{name}: {option}"));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn readme_has_the_size_of_the_budget() {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("read the README");
    let size = format!("about {} KB", budget("x86_64") / 1000);
    assert!(text.contains(&size), "README.md has no {size:?}, as scripts/budgets has it");
}

// ---- the man page and the completions

/// What scripts/man makes, by its path below share/.
const MADE: [&str; 4] = ["man/nsinit.8", "completions/nsinit.bash", "completions/_nsinit", "completions/nsinit.fish"];

fn share() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("share")
}

/// `NSINIT_WRITE=1 cargo test` writes share/ anew.
#[test]
fn share_is_what_the_table_of_options_gives() {
    let out = Dir::new(Who::Root);
    let made = if std::env::var_os("NSINIT_WRITE").is_some() { share() } else { out.path().to_owned() };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/man");
    tool(Command::new(script).arg(&made).env("NSINIT_BIN", nsinit()));
    for name in MADE {
        let [is, was] = [&made, &share()].map(|dir| fs::read_to_string(dir.join(name)).expect("read a made file"));
        assert!(is == was, "share/{name} is old: NSINIT_WRITE=1 cargo test, or scripts/man, writes it anew");
    }
}

#[test]
fn man_page_is_free_of_faults() {
    let page = share().join("man/nsinit.8");
    for (program, args) in [("mandoc", "-T lint"), ("groff", "-mdoc -Tutf8 -ww -z")] {
        if let Some(text) = shell(program, &format!("{program} {args} {} 2>&1 || :", page.display())) {
            // mandoc also complains where its list of the machine's pages is old.
            let faults: Vec<&str> = text.lines().filter(|line| !line.contains("mandoc.db")).collect();
            assert!(faults.is_empty(), "{program}:\n{}", faults.join("\n"));
        }
    }
}

#[test]
fn man_page_has_every_option_and_every_form() {
    let page = fs::read_to_string(share().join("man/nsinit.8")).expect("read the man page");
    let help = tool(Command::new(nsinit()).arg("--help"));
    let options: Vec<&str> = help.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    let options = || options.iter().filter(|word| word.starts_with("--"));
    assert!(options().count() > 100, "the options are found");
    let usage = help.lines().take_while(|line| !line.is_empty()).count();
    let synopsis = page.split(".Sh SYNOPSIS").nth(1).and_then(|rest| rest.split(".Sh").next()).expect("the synopsis");
    assert_eq!(synopsis.matches("\n.Nm\n").count(), usage, "a form a usage line: {synopsis}");
    for option in options() {
        assert!(page.contains(&format!("\n.It Fl {}", &option[1..])), "{option} is not in the man page");
    }
}

/// What this bash script prints, if the program that it needs is there.
fn shell(needs: &str, script: &str) -> Option<String> {
    let text = attempt(
        Command::new("bash").arg("-c").arg(format!("command -v {needs} >/dev/null || exit\n{script}\necho ran")),
    );
    let text = text.unwrap_or_else(|| panic!("{script} failed"));
    if text.is_empty() {
        skip(&format!("there is no {needs} here"));
    }
    text.strip_suffix("ran\n").map(str::to_owned)
}

/// What a shell offers for the last word of a command line.
const COMPLETIONS: [(&str, &str); 10] = [
    ("nsinit --read-o", "--read-only"),
    ("nsinit --root /us", "/usr"),
    ("nsinit --root=/us", "/usr"),
    ("nsinit --read-only --ro-bind /us", "/usr"),
    ("nsinit --ro-bind / / --volat", "--volatile"),
    ("nsinit --rewrite 15:2 --volat", "--volatile"),
    ("nsinit --cap-add CAP_SYS_ADM", "CAP_SYS_ADMIN"),
    ("nsinit --boot --on-exit powero", "poweroff"),
    ("nsinit --root / -- mkfif", "mkfifo"),
    ("nsinit --root / mkfif", "mkfifo"),
];

#[test]
fn bash_completes() {
    for (line, expected) in COMPLETIONS {
        // As readline parts the words.
        let script = format!(
            "source {}; line='{line}'; read -ra COMP_WORDS <<<\"$(sed 's/[=:]/ & /g' <<<\"$line\")\"\n\
             COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _nsinit; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            share().join("completions/nsinit.bash").display()
        );
        let text = shell("bash", &script).expect("bash is there");
        assert_eq!(text.lines().collect::<BTreeSet<_>>(), BTreeSet::from([expected]), "{line}");
    }
    // The second value of an option is no option, and CMD's words are CMD's.
    for (line, unexpected) in [("nsinit --setenv VAR --read-o", "--read-only"), ("nsinit ls --read-o", "--read-only")] {
        let script = format!(
            "source {}; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _nsinit; echo \"${{COMPREPLY[@]}}\"",
            share().join("completions/nsinit.bash").display()
        );
        assert!(!shell("bash", &script).expect("bash is there").contains(unexpected), "{line}");
    }
}

#[test]
fn fish_completes() {
    for (line, expected) in COMPLETIONS {
        let file = share().join("completions/nsinit.fish");
        let script = format!("fish --no-config -c 'source {}; complete -C \"{line}\"' 2>&1", file.display());
        if let Some(text) = shell("fish", &script) {
            let word = |line: &str| line.split('\t').next().unwrap_or_default().trim_end_matches('/').to_owned();
            let offered: Vec<String> = text.lines().map(word).collect();
            assert!(offered.iter().any(|word| word.ends_with(expected)), "{line}: {text}");
        }
    }
}

#[test]
fn zsh_completes() {
    if shell("zsh", "").is_none() {
        return;
    }
    let Some(who) = who::user().or_else(who::root) else { return };
    let mut term = Term::run(who, Path::new("/"), &["zsh", "-f", "-i"]);
    let completions = share().join("completions");
    term.line(&format!(
        "fpath=({} $fpath); autoload -Uz compinit; compinit -D -u; PS1='host''$ '",
        completions.display()
    ));
    term.expect("host$ ");
    for (line, expected) in COMPLETIONS {
        // The completed line becomes the argument of echo: ^A goes to its beginning.
        term.keys(&format!("{line}\t\x01echo '<' \n"));
        let begun = line.rsplit_once([' ', '=']).map_or(line, |(begun, _)| &line[..=begun.len()]);
        term.expect(&format!("\n< {begun}{expected}"));
        term.expect("host$ ");
    }
    term.hang_up();
}

/// The words that the completions offer besides options are words that nsinit accepts.
#[test]
fn words_that_are_completed_are_accepted() {
    let text = fs::read_to_string(share().join("completions/nsinit.bash")).expect("read a completion");
    let words = |kind: &str| {
        let line =
            text.lines().find(|line| line.trim_start().starts_with(&format!("{kind})"))).expect("the line of words");
        line.split('\'').nth(1).expect("the words").split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    let accepts =
        |args: &[&str]| attempt(Command::new(nsinit()).args(args).arg("--explain").stderr(Stdio::null())).is_some();
    let capabilities = words("capability");
    for word in &capabilities {
        assert!(accepts(&["--root", "/", "--cap-add", word]), "{word}");
    }
    assert!(!accepts(&["--root", "/", "--cap-add", "CAP_NOPE"]));
    // ALL, and those that this kernel has: it may have more than we know.
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap").expect("read the last capability");
    assert!(capabilities.len() >= 2 + last.trim().parse::<usize>().expect("a number"), "{}", capabilities.len());
    for word in words("at_exit") {
        assert!(accepts(&["--boot", "--on-exit", &word]), "{word}");
    }
    for word in words("restart") {
        assert!(accepts(&["--root", "/", "--restart", &word]), "{word}");
    }
}

/// The table of layers has every file and folder of src/, but lib.rs, which has the map.
#[test]
fn design_has_every_folder_of_the_source() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(top.join("docs/design.md")).expect("read docs/design.md");
    let table = text.split("## Layers").nth(1).expect("the layers");
    for entry in fs::read_dir(top.join("src")).expect("read src").flatten() {
        let name = entry.file_name().into_string().expect("UTF-8");
        assert!(name == "lib.rs" || table.contains(&format!("`src/{name}`")), "src/{name} is not in docs/design.md");
    }
}
