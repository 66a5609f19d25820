//! The table in the docs and the tests here must list the same cases.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Returns the names of the tests of this crate as `file::function`, except for this file.
fn tests() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/formats");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if file == "table" {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            if line == "#[test]" {
                let function = lines.find_map(|line| line.strip_prefix("fn ")).unwrap();
                names.insert(format!("{file}::{}", function.split('(').next().unwrap()));
            }
        }
    }
    names
}

/// Returns the rows: case, what happens, test.
fn rows() -> Vec<[String; 3]> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("::"));
    rows.map(|row| {
        let cells = row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
        cells.collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("not three cells: {row}"))
    })
    .collect()
}

/// Returns a case as the name of a function: `Start after zero` is `start_after_zero`.
fn name(case: &str) -> String {
    let plain: String = case.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("_")
}

#[test]
fn every_row_is_a_test_and_every_test_a_row() {
    let rows = rows();
    let listed: BTreeSet<String> = rows.iter().map(|[_, _, test]| test.trim_matches('`').to_owned()).collect();
    assert_eq!(listed.len(), rows.len(), "a test stands in two rows");
    let tests = tests();
    assert!(tests.len() > 70, "the tests are not where they should be");
    let missing: Vec<_> = tests.difference(&listed).collect();
    assert!(missing.is_empty(), "not in docs/formats.md: {missing:?}");
    let gone: Vec<_> = listed.difference(&tests).collect();
    assert!(gone.is_empty(), "rows of docs/formats.md without a test: {gone:?}");
    for [case, what, test] in &rows {
        assert!(test.ends_with(&format!("::{}`", name(case))), "{case}: its test is called {test}");
        assert!(!what.is_empty(), "{case}: what happens to it?");
    }
}
