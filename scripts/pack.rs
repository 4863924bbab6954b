//! The build script: packs the texts of the program. Unpacked, they would be a quarter of it.
//!
//! It collects the literals of every `say!("...")` below src/. Again and again it replaces the most frequent pair of codes by a code
//! that is not used yet. A code has ten bits. The output (`texts.rs`) is the packed codes, first the pairs and then the texts, each
//! ended by a code 0; and a table of the texts' offsets, which only the compiler uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// A code below this one is a byte of ASCII; the others stand for a pair. src/text/packed.rs has the same.
const FIRST: u16 = 128;
/// The width of a code in bits. src/text/packed.rs has the same.
const WIDTH: usize = 10;
/// How many codes there are.
const CODES: u16 = 1 << WIDTH;

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=scripts/pack.rs");
    let mut texts = BTreeSet::from([String::new()]);
    collect(Path::new("src"), &mut texts);
    let (packed, mut codes) = pack(&texts);
    let mut places = BTreeMap::new();
    // The longest first: a text that is the end of another one is not stored again.
    let mut order: Vec<_> = texts.iter().zip(&packed).collect();
    order.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    let mut ends: BTreeMap<Vec<u16>, usize> = BTreeMap::new();
    for (text, packed) in order {
        let place = *ends.entry(packed.clone()).or_insert(codes.len());
        if place == codes.len() {
            codes.extend(packed.iter().chain(&[0]));
            for from in 1..=packed.len() {
                ends.entry(packed[from..].to_vec()).or_insert(place + from);
            }
        }
        assert!(places.insert(hash(text), place).is_none(), "two texts with one hash: {text:?}");
    }
    assert!(codes.len() <= usize::from(u16::MAX), "{} codes of texts", codes.len());
    let mut out = String::new();
    let packed = bits(&codes);
    writeln!(out, "static PACKED: [u8; {}] = {packed:?};", packed.len()).unwrap();
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

/// The text of a string literal; `literal` begins after the first quote.
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

/// Returns the texts in codes, and the list of pairs: the first one belongs to the code [`FIRST`], the next ones follow.
fn pack(texts: &BTreeSet<String>) -> (Vec<Vec<u16>>, Vec<u16>) {
    let is_text = |byte: u8| matches!(byte, b'\n' | b' '..=b'~');
    assert!(texts.iter().flat_map(|text| text.bytes()).all(is_text), "a text has what is not printed");
    let mut packed: Vec<Vec<u16>> = texts.iter().map(|text| text.bytes().map(u16::from).collect()).collect();
    let mut counts = BTreeMap::new();
    packed.iter().for_each(|text| count(&mut counts, text, 1));
    let mut pairs = Vec::new();
    for code in FIRST..CODES {
        // The first of those that are there most often: the same in every build.
        let Some((&pair, &most)) = counts.iter().rev().max_by_key(|(_, count)| **count) else { break };
        // Each costs two codes itself.
        if most <= 2 {
            break;
        }
        pairs.extend(pair);
        for text in packed.iter_mut().filter(|text| text.windows(2).any(|it| it == pair)) {
            count(&mut counts, text, -1);
            *text = replace(text, pair, code);
            count(&mut counts, text, 1);
        }
    }
    (packed, pairs)
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
fn bits(codes: &[u16]) -> Vec<u8> {
    // A code is read as a part of two bytes.
    let mut packed = vec![0; codes.len() * WIDTH / 8 + 2];
    for (index, code) in codes.iter().enumerate() {
        let bit = index * WIDTH;
        let [low, high] = (code << (bit % 8)).to_le_bytes();
        packed[bit / 8] |= low;
        packed[bit / 8 + 1] |= high;
    }
    packed
}
