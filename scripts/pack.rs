//! The build script: packs the texts of the program. Unpacked, they would be a quarter of it.
//!
//! It collects the literals of every `say!("...")` below src/ that the features leave in. Again and again it replaces the most
//! frequent pair of codes by a code that is not used yet; then each text is written in as few of these codes as possible. The end of a
//! text is a code too, and can be the second one of a pair: many texts end alike. A code has as many bits as make the whole shortest:
//! few texts have few pairs. The output (`texts.rs`) is the packed codes, first the pairs and then the texts; the width of a code; and
//! a table of the texts' offsets, which only the compiler uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The code that ends a text. src/text/packed.rs has the same.
const END: u16 = 0;
/// The code of a newline; those below it are the printable bytes of ASCII, a blank is 1. src/text/packed.rs has the same.
const NEWLINE: u16 = 96;
/// This code and those above it stand for a pair. src/text/packed.rs has the same.
const FIRST: u16 = NEWLINE + 1;
/// The widths that a code may have, in bits: src/text/packed.rs reads two bytes for a code.
const WIDTHS: std::ops::RangeInclusive<usize> = 8..=10;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=scripts/pack.rs");
    advise();
    // For --version.
    println!("cargo::rustc-env=NSINIT_TARGET={}", std::env::var("TARGET").expect("cargo sets it"));
    let mut texts = BTreeSet::from([String::new()]);
    for root in ["src/lib.rs", "src/main.rs"] {
        collect(Path::new(root), &mut texts);
    }
    // In an initramfs the program is compressed once more. xz finds what is alike among codes of a byte, and nothing among others, which
    // begin within a byte: for it, an eighth more of the former is less.
    let weight = |width| if width == 8 && is_on("initramfs") { 8 } else { 9 };
    let (packed, places, width) = WIDTHS
        .map(|width| layout(&texts, width))
        .min_by_key(|(packed, _, width)| packed.len() * weight(*width))
        .unwrap();
    let mut out = String::new();
    writeln!(out, "static PACKED: [u8; {}] = {packed:?};", packed.len()).unwrap();
    writeln!(out, "const WIDTH: usize = {width};").unwrap();
    writeln!(out, "#[allow(clippy::large_const_arrays, reason = \"the compiler alone reads it\")]").unwrap();
    writeln!(out, "const PLACES: [(u64, u16); {}] = {places:?};", places.len()).unwrap();
    let directory = std::env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&directory).join("texts.rs"), out).expect("OUT_DIR is writable");
}

/// A release that scripts/build does not make, as that of `cargo install --path .`, works, but it is large.
fn advise() {
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release")
        && std::env::var_os("CARGO_CFG_OWN_START").is_none()
    {
        println!(
            "cargo::warning=nsinit works like this, but is larger than it need be: scripts/build makes the small static program"
        );
    }
}

/// The packed texts, with codes of that width; the hash of each text with its place; and the width.
fn layout(texts: &BTreeSet<String>, width: usize) -> (Vec<u8>, Vec<(u64, usize)>, usize) {
    let (packed, mut codes) = pack(texts, 1 << width);
    let mut places = BTreeMap::new();
    // The longest first: a text that is the end of another one is not stored again.
    let mut order: Vec<_> = texts.iter().zip(&packed).collect();
    order.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    let mut ends: BTreeMap<Vec<u16>, usize> = BTreeMap::new();
    for (text, packed) in order {
        let place = *ends.entry(packed.clone()).or_insert(codes.len());
        if place == codes.len() {
            codes.extend(packed);
            for from in 1..packed.len() {
                ends.entry(packed[from..].to_vec()).or_insert(place + from);
            }
        }
        assert!(places.insert(hash(text), place).is_none(), "two texts with one hash: {text:?}");
    }
    assert!(codes.len() <= usize::from(u16::MAX), "{} codes of texts", codes.len());
    (bits(&codes, width), places.into_iter().collect(), width)
}

/// FNV-1a; src/text/packed.rs has the same.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

/// A piece of a source.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    /// A string literal, as it is written between the quotes.
    Text(&'a str),
    Sign(char),
}
use Token::{Sign, Text, Word};

/// Collects the texts of a source and of its modules. An item, or a row of a table, below a `#[cfg(...)]` about features that does not
/// hold is left out. (If this leaves out too much, the program does not compile; if too little, it is larger than it must be.)
fn collect(path: &Path, texts: &mut BTreeSet<String>) {
    let source = fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let tokens = tokens(&source);
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at..] {
            [Sign('#'), Sign('['), Word("cfg"), Sign('('), condition @ ..] if holds(condition) == Some(false) => {
                at = end_of_item(&tokens, at);
                continue;
            }
            // The help of an option: `rows!` drops it too.
            [Text(_), Sign(','), Word("say"), Sign('!'), Sign('('), Text(_), ..] if !is_on("help") => at += 5,
            [
                Word("say"),
                Sign('!'),
                Sign('('),
                Text(_),
                Sign(')'),
                Sign(','),
                Word(_),
                Sign('='),
                Sign('>'),
                Sign('{'),
                ..,
            ] if !is_on("help") => {
                at += 4;
            }
            [Word("say"), Sign('!'), Sign('('), Text(literal), ..] => {
                texts.insert(unescape(literal));
            }
            [Word("mod"), Word(name), Sign(';'), ..] => {
                let stem = path.file_stem().unwrap_or_default();
                let beside = ["lib", "main", "mod"].iter().any(|root| stem == *root);
                let below = if beside { path.with_file_name("") } else { path.with_extension("") };
                // src/sys/arch has a module with another path: it has no texts.
                let files = [below.join(format!("{name}.rs")), below.join(name).join("mod.rs")];
                files.iter().filter(|file| file.exists()).for_each(|file| collect(file, texts));
            }
            _ => {}
        }
        at += 1;
    }
}

/// The words, strings and signs of a source, without comments and characters in quotes.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let after = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
        let length = match first {
            '/' if rest.starts_with("//") => after("\n"),
            '/' if rest.starts_with("/*") => after("*/"),
            '"' => {
                let mut escaped = false;
                let end = rest[1..].find(|char| {
                    let ends = char == '"' && !escaped;
                    escaped = char == '\\' && !escaped;
                    ends
                });
                let end = end.expect("a string without an end");
                tokens.push(Text(&rest[1..=end]));
                end + 2
            }
            // A lifetime has no second quote.
            '\'' if rest[1..].starts_with('\\') => 3 + rest[3..].find('\'').expect("a second quote") + 1,
            '\'' if rest.chars().nth(2) == Some('\'') => rest.char_indices().nth(3).map_or(rest.len(), |(at, _)| at),
            _ if first.is_alphanumeric() || first == '_' => {
                let length = rest.find(|char: char| !char.is_alphanumeric() && char != '_').unwrap_or(rest.len());
                let raw = matches!(&rest[..length], "r" | "br" | "cr") && rest[length..].starts_with(['"', '#']);
                assert!(!raw, "raw strings are not known here");
                tokens.push(Word(&rest[..length]));
                length
            }
            _ => {
                if !first.is_whitespace() {
                    tokens.push(Sign(first));
                }
                first.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    tokens
}

/// Whether the condition of a `#[cfg(...)]` holds; `None` if that is not known.
fn holds(condition: &[Token<'_>]) -> Option<bool> {
    match condition {
        // The program that scripts/build makes has no tests.
        [Word("test"), ..] if std::env::var_os("CARGO_CFG_OWN_START").is_some() => Some(false),
        [Word("feature"), Sign('='), Text(name), ..] => Some(is_on(name)),
        [Word("target_pointer_width"), Sign('='), Text(bits), ..] => {
            Some(std::env::var("CARGO_CFG_TARGET_POINTER_WIDTH").is_ok_and(|width| width == *bits))
        }
        [Word("not"), Sign('('), rest @ ..] => holds(rest).map(|holds| !holds),
        [Word(all @ ("all" | "any")), Sign('('), rest @ ..] => {
            let (mut depth, mut parts) = (0, vec![holds(rest)]);
            for (index, token) in rest.iter().enumerate() {
                match token {
                    Sign('(') => depth += 1,
                    Sign(')') if depth == 0 => break,
                    Sign(')') => depth -= 1,
                    Sign(',') if depth == 0 => parts.push(holds(&rest[index + 1..])),
                    _ => {}
                }
            }
            let decides = *all == "any";
            if parts.contains(&Some(decides)) {
                Some(decides)
            } else {
                parts.iter().all(Option::is_some).then_some(!decides)
            }
        }
        _ => None,
    }
}

fn is_on(feature: &str) -> bool {
    std::env::var_os(format!("CARGO_FEATURE_{}", feature.to_uppercase().replace('-', "_"))).is_some()
}

/// The place after the item, the row or the field that begins, with its attributes, at `at`.
fn end_of_item(tokens: &[Token<'_>], mut at: usize) -> usize {
    while let [Sign('#'), ..] = tokens[at..] {
        at += 1 + tokens[at..].iter().position(|token| *token == Sign(']')).expect("the end of an attribute");
    }
    // A row of options, and the heading of a group of them, has commas before its `=>`.
    let mut in_row = matches!(
        tokens[at..],
        [Text(_), ..]
            | [Word("say"), Sign('!'), Sign('('), Text(_), Sign(')'), Sign(','), Word(_), Sign('='), Sign('>'), ..]
    );
    // Its types may have commas.
    let is_item =
        matches!(tokens[at..], [Word("pub" | "fn" | "const" | "static" | "impl" | "type" | "macro_rules"), ..]);
    let mut depth = 0;
    while let Some(token) = tokens.get(at) {
        match token {
            Sign('(' | '[' | '{') => depth += 1,
            Sign(')' | ']' | '}') if depth == 0 => return at,
            Sign(close @ (')' | ']' | '}')) => {
                depth -= 1;
                if depth == 0 && *close == '}' && !in_row {
                    return at + 1;
                }
            }
            Sign('>') if depth == 0 => in_row = false,
            Sign(';') if depth == 0 => return at + 1,
            Sign(',') if depth == 0 && !in_row && !is_item => return at + 1,
            _ => {}
        }
        at += 1;
    }
    at
}

/// The text of a string literal.
fn unescape(literal: &str) -> String {
    let mut text = String::new();
    let mut rest = literal.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some('\n') => while rest.next_if(|char| char.is_ascii_whitespace()).is_some() {},
                Some(char @ ('"' | '\\')) => text.push(char),
                other => panic!("an escape that is not known here: {other:?}"),
            },
            _ => text.push(char),
        }
    }
    text
}

/// The code of a byte.
fn letter(byte: u8) -> u16 {
    match byte {
        b'\n' => NEWLINE,
        b' '..=b'~' => u16::from(byte - b' ') + 1,
        _ => panic!("a text has a byte that is not printed: {byte}"),
    }
}

/// Returns the texts in codes, of which there are `most`, and the list of pairs: the first one belongs to the code [`FIRST`], the next ones follow.
fn pack(texts: &BTreeSet<String>, most: u16) -> (Vec<Vec<u16>>, Vec<u16>) {
    let plain: Vec<Vec<u16>> = texts.iter().map(|text| text.bytes().map(letter).chain([END]).collect()).collect();
    let mut packed = plain.clone();
    let mut counts = BTreeMap::new();
    packed.iter().for_each(|text| count(&mut counts, text, 1));
    let mut pairs = Vec::new();
    for code in FIRST..most {
        // The first of those that are there most often: the same in every build.
        let Some((&pair, &often)) = counts.iter().rev().max_by_key(|(_, count)| **count) else { break };
        // Each costs two codes itself.
        if often <= 2 {
            break;
        }
        pairs.extend(pair);
        for text in packed.iter_mut().filter(|text| text.windows(2).any(|it| it == pair)) {
            count(&mut counts, text, -1);
            *text = replace(text, pair, code);
            count(&mut counts, text, 1);
        }
    }
    let mut words: Vec<Vec<u16>> = (0..FIRST).map(|letter| vec![letter]).collect();
    for pair in pairs.chunks(2) {
        words.push([&words[usize::from(pair[0])][..], &words[usize::from(pair[1])]].concat());
    }
    let codes: BTreeMap<&[u16], u16> = words.iter().map(Vec::as_slice).zip(0..).collect();
    (plain.iter().map(|text| shortest(text, &codes)).collect(), pairs)
}

/// The text in as few codes as possible. `codes`: the code of each word that has one.
fn shortest(text: &[u16], codes: &BTreeMap<&[u16], u16>) -> Vec<u16> {
    let longest = codes.keys().map(|word| word.len()).max().unwrap_or(1);
    // For the rest of the text from each place on, the last one first: how many codes it takes, its first code, and that one's length.
    let mut rests = vec![(0, 0, 0); text.len() + 1];
    for at in (0..text.len()).rev() {
        let lengths = 1..=longest.min(text.len() - at);
        let firsts = lengths.filter_map(|length| codes.get(&text[at..at + length]).map(|code| (code, length)));
        rests[at] = firsts
            .map(|(code, length)| (rests[at + length].0 + 1, *code, length))
            .min()
            .expect("each letter has a code");
    }
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        out.push(rests[at].1);
        at += rests[at].2;
    }
    out
}

/// Adds `by` for each pair of the text.
fn count(counts: &mut BTreeMap<[u16; 2], i32>, text: &[u16], by: i32) {
    for pair in text.windows(2) {
        *counts.entry([pair[0], pair[1]]).or_insert(0) += by;
    }
}

fn replace(text: &[u16], pair: [u16; 2], code: u16) -> Vec<u16> {
    let mut out = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        if rest.starts_with(&pair) {
            out.push(code);
            rest = &rest[2..];
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

/// The codes one after the other, the lowest bit of each first.
fn bits(codes: &[u16], width: usize) -> Vec<u8> {
    // A code is read as a part of two bytes.
    let mut packed = vec![0; codes.len() * width / 8 + 2];
    for (index, code) in codes.iter().enumerate() {
        let bit = index * width;
        let [low, high] = (code << (bit % 8)).to_le_bytes();
        packed[bit / 8] |= low;
        packed[bit / 8 + 1] |= high;
    }
    packed
}
