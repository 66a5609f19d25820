//! The fuzz targets: each function parses untrusted bytes. It may reject them, but must not panic, hang or allocate
//! excessive memory. The targets of `cargo fuzz` and `tests/files/hostile/mutate.rs` use these functions over one corpus.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use stylize_video::batch::jobfile::JobFile;
use stylize_video::media::Range;
use stylize_video::media::picture::{self, Bounds};
use stylize_video::motion::{CutList, flo};
use stylize_video::resume::Manifest;
use stylize_video::settings::{Environment, Library};
use stylize_video::weights;

/// A kind of input: its name, which is also the name of its corpus, and its parser. The parser returns whether it
/// accepted the bytes.
pub type Target = (&'static str, fn(&[u8]) -> bool);

pub const TARGETS: [Target; 7] = [
    ("preset", preset),
    ("cuts", cuts),
    ("flo", flo),
    ("weights", weights),
    ("picture", picture),
    ("manifest", manifest),
    ("jobfile", jobfile),
];

/// Parses a preset file and runs every check that precedes a run.
pub fn preset(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let nowhere = PathBuf::from("/nonexistent/stylize-video-fuzz");
    let library = Library::new(&Environment { env: Vec::new(), config_dir: None, cwd: nowhere });
    match library.parse(text, Path::new("fuzz.toml")) {
        Ok(preset) => preset.settings().is_ok(),
        Err(error) => error.to_string().is_empty(),
    }
}

/// Parses a list of cuts, for a whole source and for a part of it.
pub fn cuts(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let part = Range { start: 1.0, frames: Some(3) };
    let parse = |range| CutList::parse(Path::new("cuts"), text, range);
    drop(parse(part));
    let Ok(mut list) = parse(Range::default()) else { return false };
    for frame in 0..3 {
        list.begins(frame, frame as f64 / 25.0);
    }
    list.unused();
    true
}

/// Parses optical flow.
pub fn flo(bytes: &[u8]) -> bool {
    flo::parse(bytes).is_ok()
}

/// Parses weights in either format: imports a torch file and loads safetensors.
pub fn weights(bytes: &[u8]) -> bool {
    let (Ok(manifest), Ok(desk)) = (weights::Manifest::parse(TINY), tempfile::tempdir()) else { return false };
    let path = desk.path().join("tiny.pth");
    let written = std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes));
    let imported =
        written.is_ok() && weights::import(&path, std::slice::from_ref(&manifest), &desk.path().join("to")).is_ok();
    weights::load(&path, &manifest).is_ok() || imported
}

/// A network small enough to parse a thousand times.
const TINY: &str = include_str!("../../tests/data/weights/tiny.toml");

/// Reads a picture of a sequence or of a style; only small ones, so that the fuzzer stays fast.
pub fn picture(bytes: &[u8]) -> bool {
    picture::read(bytes, Bounds { pixels: 1 << 20, side: 1 << 12 }).is_ok()
}

/// Parses the manifest of an interrupted run and runs all checks that precede opening a file that it names.
pub fn manifest(bytes: &[u8]) -> bool {
    let Ok(mut manifest) = Manifest::parse(bytes) else { return false };
    let frames = manifest.frames();
    for piece in manifest.files() {
        let path = piece.path(Path::new("/work"));
        let is_plain = |part: Component| matches!(part, Component::Normal(_) | Component::RootDir);
        assert!(path.is_none_or(|path| path.starts_with("/work") && path.components().all(is_plain)));
    }
    manifest.fall_back(|piece| piece.bytes % 2 == 0);
    assert!(manifest.frames() <= frames);
    true
}

/// Parses a job file.
pub fn jobfile(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| JobFile::parse(text).is_ok())
}

// To add a kind of input: add a function here, a line in `TARGETS` and one in `scripts/fuzz`, a file in `fuzz_targets/`
// with its entry in `Cargo.toml`, and a folder in `corpus/`.
