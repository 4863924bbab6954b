//! The documents: every command in README.md and docs/ is run, what they show of its output is compared, and what they name exists.

mod blocks;

use std::process::Command;

use blocks::{Block, By, Content, blocks, documents, fits};

use super::harness::launch::tool;
use super::harness::scratch::nsinit;
use super::harness::{Dir, Root, Term, who};

#[test]
fn commands_of_the_documents_print_what_is_shown() {
    for (name, text) in documents() {
        let blocks = blocks(&name, &text);
        for by in [By::User, By::Root] {
            let mine: Vec<&Block> = blocks.iter().filter(|block| block.by == by).collect();
            let who = || if by == By::Root { who::root() } else { who::user() };
            if let Some(root) = (!mine.is_empty()).then(who).flatten().and_then(Root::new) {
                run(&root, &mine);
            }
        }
    }
}

/// In one shell at a terminal, with nsinit in PATH, and `root`, a busybox, in the working directory.
fn run(root: &Root, blocks: &[&Block]) {
    let place = Dir::new(root.who);
    place.symlink(nsinit(), "nsinit");
    tool(Command::new("cp").arg("-al").arg(root.path()).arg(place.at("root")));
    let mut term = Term::new(root);
    let at = place.str();
    term.ask(&format!("cd {at}; PATH={at}:$PATH PS2= TERM=xterm LC_ALL=C; export PATH TERM LC_ALL; unset N S"));
    let mut wrong = Vec::new();
    for block in blocks {
        match &block.content {
            Content::Session(session) => {
                for (command, expected) in session {
                    let got = term.ask(command);
                    if !fits(expected, &got.lines().collect::<Vec<_>>()) {
                        wrong.push(format!(
                            "{}: $ {command}\n{got}\n--- is shown as:\n{}",
                            block.place,
                            expected.join("\n")
                        ));
                    }
                }
            }
            Content::Script(script) => {
                place.file("script", script);
                let got = term.ask("sh -eu script; echo \"status $?\"");
                if got.lines().last() != Some("status 0") {
                    wrong.push(format!("{}: {script}\n{got}", block.place));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "as {:?}:\n{}", root.who, wrong.join("\n\n"));
    term.hang_up();
}

#[test]
fn few_commands_are_not_run() {
    let documents = documents();
    let all: Vec<Block> = documents.iter().flat_map(|(name, text)| blocks(name, text)).collect();
    let left: Vec<&str> = all.iter().filter(|block| block.by == By::Nobody).map(|block| block.place.as_str()).collect();
    assert!(left.len() <= 8, "{} of {} blocks are not run: {left:?}", left.len(), all.len());
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
