//! What is fuzzed: each function reads bytes from a stranger. It may refuse them, but not panic, hang or take memory out
//! of proportion. Used by the targets of `cargo fuzz` and by `tests/hostile/mutate.rs`, over one corpus.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use stylize_video::batch::jobfile::JobFile;
use stylize_video::media::Range;
use stylize_video::media::picture::{self, Bounds};
use stylize_video::motion::{CutList, flo};
use stylize_video::resume::Manifest;
use stylize_video::settings::{Ambient, Library};
use stylize_video::weights;

/// A kind of input: its name, which is that of its corpus, and what reads it. Gives whether the bytes were taken.
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

/// A preset file, with everything that is checked before a run.
pub fn preset(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let nowhere = PathBuf::from("/nonexistent/stylize-video-fuzz");
    let library = Library::new(&Ambient { env: Vec::new(), config_dir: None, cwd: nowhere });
    match library.parse(text, Path::new("fuzz.toml")) {
        Ok(preset) => preset.settings().is_ok(),
        Err(error) => error.to_string().is_empty(),
    }
}

/// A list of cuts, whole and for a part of a source.
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

/// Optical flow.
pub fn flo(bytes: &[u8]) -> bool {
    flo::parse(bytes).is_ok()
}

/// Weights, in either format: a torch file to import, and safetensors to load.
pub fn weights(bytes: &[u8]) -> bool {
    let (Ok(manifest), Ok(desk)) = (weights::Manifest::parse(TINY), tempfile::tempdir()) else { return false };
    let path = desk.path().join("tiny.pth");
    let written = std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes));
    let imported =
        written.is_ok() && weights::import(&path, std::slice::from_ref(&manifest), &desk.path().join("to")).is_ok();
    weights::load(&path, &manifest).is_ok() || imported
}

/// A network small enough to be read a thousand times.
const TINY: &str = include_str!("../../tests/data/weights/tiny.toml");

/// A picture of a sequence, or of a style; small ones only, so that the fuzzer gets on.
pub fn picture(bytes: &[u8]) -> bool {
    picture::read(bytes, Bounds { pixels: 1 << 20, side: 1 << 12 }).is_ok()
}

/// What an interrupted run has left behind, and all that is asked of it before a file that it names is opened.
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

/// A job file.
pub fn jobfile(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| JobFile::parse(text).is_ok())
}

// A further kind of input is one more function here, one more line in `TARGETS` and in `scripts/fuzz`, a file in
// `fuzz_targets/` with its entry in `Cargo.toml`, and a folder in `corpus/`.
