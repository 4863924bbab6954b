//! The build script: packs the texts of the program, a quarter of it otherwise.
//!
//! It collects the literals of every `say!("...")` below src/ and replaces, again and again, the pair of bytes that is
//! there most often by one byte that is not used yet. What comes out (`texts.rs`) is the packed texts, each ended by a NUL, the
//! table of pairs to unpack them with, and, for the compiler alone, where each text begins.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// The first byte that stands for a pair. After 255 come those of ASCII that no text has: 1 to 31 without the line's end.
/// src/text/packed.rs has the same.
const FIRST: u8 = 127;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=scripts/pack.rs");
    let mut texts = BTreeSet::from([String::new()]);
    collect(Path::new("src"), &mut texts);
    let (packed, pairs) = pack(&texts);
    let mut offset = 0;
    let mut places = BTreeMap::new();
    for (text, bytes) in texts.iter().zip(&packed) {
        assert!(places.insert(hash(text), offset).is_none(), "two texts with one hash: {text:?}");
        offset += bytes.len() + 1;
    }
    assert!(offset <= usize::from(u16::MAX), "{offset} bytes of texts");
    let mut out = String::new();
    let blob: Vec<u8> = packed.iter().flat_map(|bytes| bytes.iter().copied().chain([0])).collect();
    writeln!(out, "static PACKED: [u8; {}] = {blob:?};", blob.len()).unwrap();
    writeln!(out, "static PAIRS: [[u8; 2]; {}] = {pairs:?};", pairs.len()).unwrap();
    let places: Vec<(u64, usize)> = places.into_iter().collect();
    writeln!(out, "const PLACES: [(u64, u16); {}] = {places:?};", places.len()).unwrap();
    let directory = std::env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&directory).join("texts.rs"), out).expect("OUT_DIR is writable");
}

/// FNV-1a; src/text/packed.rs has the same.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}

fn collect(directory: &Path, texts: &mut BTreeSet<String>) {
    for entry in fs::read_dir(directory).expect("src/ can be read") {
        let path = entry.expect("src/ can be read").path();
        if path.is_dir() {
            collect(&path, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).expect("sources are UTF-8");
            for after in source.split("say!(").skip(1) {
                if let Some(literal) = after.trim_start().strip_prefix('"') {
                    texts.insert(unescape(literal));
                }
            }
        }
    }
}

/// The text of a string literal, from behind its first quote.
fn unescape(literal: &str) -> String {
    let mut text = String::new();
    let mut rest = literal.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '"' => return text,
            '\\' => match rest.next() {
                Some('n') => text.push('\n'),
                Some('\n') => while rest.next_if(|char| char.is_ascii_whitespace()).is_some() {},
                Some(char @ ('"' | '\\')) => text.push(char),
                other => panic!("an escape that is not known here: {other:?}"),
            },
            _ => text.push(char),
        }
    }
    panic!("a literal without an end");
}

fn pack(texts: &BTreeSet<String>) -> (Vec<Vec<u8>>, Vec<[u8; 2]>) {
    let mut packed: Vec<Vec<u8>> = texts.iter().map(|text| text.clone().into_bytes()).collect();
    let is_text = |byte: &u8| matches!(byte, b'\n' | b' '..FIRST);
    assert!(packed.iter().flatten().all(is_text), "a text has what is not printed");
    // What is no code stays [0, 0].
    let mut pairs = Vec::new();
    for code in (FIRST..=u8::MAX).chain(0..b' ') {
        pairs.push([0, 0]);
        if matches!(code, 0 | b'\n') {
            continue;
        }
        let mut counts = BTreeMap::new();
        for text in &packed {
            for pair in text.windows(2) {
                *counts.entry([pair[0], pair[1]]).or_insert(0) += 1;
            }
        }
        // The first of those that are there most often: the same in every build.
        let Some((&pair, &count)) = counts.iter().rev().max_by_key(|(_, count)| **count) else { break };
        // Each costs two bytes itself.
        if count <= 2 {
            break;
        }
        pairs[usize::from(code.wrapping_sub(FIRST))] = pair;
        packed.iter_mut().for_each(|text| *text = replace(text, pair, code));
    }
    (packed, pairs)
}

fn replace(text: &[u8], pair: [u8; 2], code: u8) -> Vec<u8> {
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
