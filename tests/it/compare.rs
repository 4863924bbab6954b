//! docs/comparison.md: what a process may do in a container of nsinit, of podman and of other tools. `scripts/compare` makes the table;
//! here `compare.c` makes the attempts in nsinit's containers again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::harness::roots;
use super::harness::scratch::{comparer, copy_program};

/// The table: for each attempt the answers of nsinit and of podman.
fn table() -> BTreeMap<String, [String; 2]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/comparison.md");
    let text = fs::read_to_string(path).expect("read docs/comparison.md");
    let rows = text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |"));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(|cell| cell.trim().to_owned());
        let [Some(name), Some(nsinit), Some(podman)] = [cells.next(), cells.next(), cells.next()] else {
            panic!("a short row: {row}")
        };
        (name, [nsinit, podman])
    })
    .collect()
}

/// The table says what root's container permits; and no container of nsinit permits what podman's refuses.
#[test]
fn container_permits_no_more_than_the_comparison_says() {
    let table = table();
    for root in roots() {
        copy_program(comparer(), &root.at("bin/compare"));
        let out = root.run(&[], &["compare"]);
        let answers: BTreeMap<&str, &str> = out.text().lines().filter_map(|line| line.split_once('\t')).collect();
        assert!(answers.keys().copied().eq(table.keys().map(String::as_str)), "{answers:#?}");
        for (name, answer) in answers {
            let [nsinit, podman] = &table[name];
            if root.who.is_root() {
                assert_eq!(answer, nsinit, "{name}");
            }
            assert!(answer != "yes" || podman == "yes", "{name}: permitted as {:?}, and podman refuses it", root.who);
        }
    }
}
