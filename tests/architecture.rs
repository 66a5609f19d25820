//! Architecture rules that the compiler does not check: the order of the layers, which libraries a module may use, and
//! the maximum length of a file.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns every source file: its path below `src/`, and its text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { walk(&path, found) } else { found.push(path) }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    assert!(found.len() > 40, "the sources are not where they should be");
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// Returns the files outside `allowed` (prefixes) that contain one of `words`.
fn strangers(words: &[&str], allowed: &[&str]) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|(name, _)| !allowed.iter().any(|prefix| name.starts_with(prefix)))
        .filter(|(_, text)| words.iter().any(|word| text.contains(word)))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn each_library_has_its_room() {
    let none = Vec::<String>::new();
    assert_eq!(strangers(&[" tch::", "(tch::", "<tch::", "&tch::"], &["stylize/"]), none, "torch");
    assert_eq!(strangers(&["ffmpeg_next"], &["media/", "decode/", "encode/", "verify/"]), none, "FFmpeg");
    assert_eq!(strangers(&["opencv::"], &["motion/dis.rs"]), none, "OpenCV");
    assert_eq!(strangers(&["clap::"], &["cli.rs", "cli/", "main.rs"]), none, "clap");
    assert_eq!(strangers(&["indicatif::"], &["report/"]), none, "indicatif");
    assert_eq!(strangers(&["unsafe {"], &["media/ffi.rs", "media/ffi/"]), none, "unsafe code");
    assert_eq!(strangers(&["process::exit"], &[]), none, "only main's return value ends the program");
}

/// The top-level modules from bottom to top. A module may use only those before it.
const LAYERS: [&str; 26] = [
    "child",
    "contained",
    "bounded",
    "files",
    "interrupt",
    "media",
    "settings",
    "motion",
    "measure",
    "weights",
    "report",
    "label",
    "decode",
    "verify",
    "encode",
    "stylize",
    "job",
    "identity",
    "resume",
    "provenance",
    "pipeline",
    "batch",
    "explore",
    "commands",
    "cli",
    "main",
];

#[test]
fn a_module_uses_only_layers_below_it() {
    let layer = |module: &str| LAYERS.iter().position(|layer| *layer == module);
    let mut faults = Vec::new();
    for (name, text) in sources().iter().filter(|(name, _)| name.ends_with(".rs") && name != "lib.rs") {
        let own = top(name);
        let Some(place) = layer(own) else {
            faults.push(format!("{name}: `{own}` is missing in LAYERS: put it above all modules that it uses"));
            continue;
        };
        for used in used_modules(name, text) {
            if used != own && layer(&used).is_none_or(|layer| layer >= place) {
                faults.push(format!("{name} uses `{used}`, which is not in a layer below `{own}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for module in LAYERS {
        assert!(sources().iter().any(|(name, _)| top(name) == module), "LAYERS has `{module}`, which does not exist");
    }
}

/// Returns the top-level module of a source file: `media` for `media/ffi/read.rs`.
fn top(name: &str) -> &str {
    let first = name.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Returns the top-level modules that a source file names after `crate::`, `stylize_video::` (in `main.rs`) or a chain
/// of `super::` that leads to the root, its unit tests included.
fn used_modules(name: &str, text: &str) -> BTreeSet<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code: String = text.lines().filter(is_code).flat_map(|line| [line, "\n"]).collect();
    let (code, tests) = code.split_once("\nmod tests {").unwrap_or((&code, ""));
    let depth = name.strip_suffix("/mod.rs").or(name.strip_suffix(".rs")).unwrap().split('/').count();
    let mut used = BTreeSet::new();
    // The unit tests are a module below the file's.
    for (code, depth) in [(code, depth), (tests, depth + 1)] {
        for root in ["crate::", "stylize_video::", &"super::".repeat(depth)] {
            for (at, _) in code.match_indices(root) {
                let before = code[..at].chars().next_back();
                if !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':') {
                    used.extend(first_names(&code[at + root.len()..]));
                }
            }
        }
    }
    used
}

/// Returns the first name of each path that begins here: of one path, or of each in `{a::b, c}`.
fn first_names(rest: &str) -> impl Iterator<Item = String> + '_ {
    let mut depth = 0;
    let mut group = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        let mut start = 0;
        for (at, letter) in inside.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' if depth == 0 => {
                    group.push(&inside[start..at]);
                    start = at + 1;
                }
                '}' => {
                    group.push(&inside[start..at]);
                    break;
                }
                _ => {}
            }
        }
    } else {
        group.push(rest);
    }
    let name =
        |path: &str| path.trim().chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    group.into_iter().map(name).filter(|name: &String| !name.is_empty())
}

#[test]
fn the_stages_do_not_know_each_other() {
    for (stage, others) in [
        ("decode/", ["crate::stylize", "crate::encode"]),
        ("stylize/", ["crate::decode", "crate::encode"]),
        ("encode/", ["crate::decode", "crate::stylize"]),
    ] {
        for (name, text) in sources().iter().filter(|(name, _)| name.starts_with(stage)) {
            for other in others {
                assert!(!text.contains(other), "{name} uses {other}");
            }
        }
    }
}

#[test]
fn a_file_is_one_idea() {
    for (name, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 420, "{name} has {lines} lines");
    }
}
