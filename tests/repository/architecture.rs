//! Architecture rules that the compiler does not check: which modules may use what, and the maximum length of a file.

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
