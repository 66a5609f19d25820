//! Architecture rules that the compiler does not check: the order of the layers, which libraries a module may use, and
//! the maximum length of a file.

mod uses;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use uses::Modules;

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
const LAYERS: [&str; 27] = [
    "child",
    "catch_panic",
    "read_limited",
    "files",
    "interrupt",
    "containers",
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
    let modules = Modules::read(&sources());
    let mut faults = Vec::new();
    for (module, file, used) in modules.top_levels() {
        let own = module[0].as_str();
        let Some(place) = layer(own) else {
            faults.push(format!("{file}: `{own}` is missing in LAYERS: put it above all modules that it uses"));
            continue;
        };
        for used in used {
            if used != own && layer(used).is_none_or(|layer| layer >= place) {
                faults.push(format!("{file} uses `{used}`, which is not in a layer below `{own}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    for module in LAYERS {
        assert!(
            modules.top_levels().any(|(path, ..)| path[0] == module),
            "LAYERS has `{module}`, which does not exist"
        );
    }
}

/// The folders in `src/stylize/` from bottom to top. A folder may use only those before it.
const STYLIZE: [&str; 4] = ["backbone", "temporal", "frame", "video"];

#[test]
fn a_folder_of_stylize_uses_only_those_below_it() {
    let sources = sources();
    let folders: BTreeSet<&str> =
        sources.iter().filter_map(|(name, _)| Some(name.strip_prefix("stylize/")?.split_once('/')?.0)).collect();
    assert_eq!(folders, BTreeSet::from(STYLIZE), "put each folder above all folders that it uses");
    let place = |module: &str| STYLIZE.iter().position(|folder| *folder == module);
    let modules = Modules::read(&sources);
    let uses = modules.within("stylize");
    let known: Vec<_> = uses.iter().filter_map(|(user, used, file)| Some((place(user)?, place(used)?, file))).collect();
    assert!(known.iter().any(|(user, used, _)| used < user), "the uses are not where they should be");
    for (user, used, file) in known {
        assert!(used < user, "{file} uses `{}`, which is not below `{}`", STYLIZE[used], STYLIZE[user]);
    }
}

#[test]
fn no_modules_of_a_folder_use_each_other() {
    let cycles = Modules::read(&sources()).cycles();
    assert!(cycles.is_empty(), "break the cycle: move what both need into a file of its own\n{}", cycles.join("\n"));
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
