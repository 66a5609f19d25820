//! Provenance data in outputs: `info`, jobs that are already done, and `--like`.

mod done;
mod like;
mod said;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Desk;

/// Options for the smallest possible amount of painting.
pub const PAINT: &str = "--backbone patches --style s.png --size 32 --iterations 2,1 --seed 5 --device cpu";
/// Options for a run without painting.
pub const BARS: &str = "--stylizer bars";

/// Every format that stores provenance data: the input, then the output.
pub const KINDS: [(&str, &str); 12] = [
    ("in.mkv", "o.mp4"),
    ("in.mkv", "o.mov"),
    ("in.mkv", "o.mkv"),
    ("in.mkv", "o.webm"),
    ("in.mkv", "o.nut"),
    ("in.mkv", "o.gif"),
    ("in.mkv", "o.apng"),
    ("in.mkv", "o.webp"),
    ("in.mkv", "o/f_%03d.png"),
    ("in.png", "p.png"),
    ("in.png", "p.jpg"),
    ("in.png", "p.webp"),
];

/// Makes a desk with a clip that every container accepts, a picture, and a style picture.
pub fn desk() -> Desk {
    let desk = Desk::new();
    let tags = "-metadata title=Blumen -metadata comment=Rot";
    desk.clip("in.mkv", &format!("-f lavfi -i testsrc2=s=32x24:r=10:d=0.3 {tags} -c:v libx264"));
    desk.clip("in.png", "-f lavfi -i testsrc2=s=32x24 -frames:v 1");
    desk.clip("s.png", "-f lavfi -i mandelbrot=s=40x30 -frames:v 1");
    desk
}

/// The program's printed text and its exit code.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program on the desk; `options` are split at spaces.
pub fn run(desk: &Desk, options: &str) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
        command.env_remove(name);
    }
    command.env("OMP_NUM_THREADS", "1").env("XDG_CONFIG_HOME", desk.path("config")).current_dir(desk.path(""));
    let done = command.args(options.split_whitespace()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: done.status.code().unwrap(), out: text(done.stdout), err: text(done.stderr) }
}

/// Like [`run`], and requires success.
pub fn good(desk: &Desk, options: &str) -> Said {
    let said = run(desk, options);
    assert_eq!(said.code, 0, "{options}: {}", said.err);
    said
}

/// Returns the file or folder that an output names.
pub fn place(output: &str) -> &str {
    output.split('/').next().unwrap()
}

/// Returns all bytes of a file, or of a folder's files, with their names.
pub fn bytes(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    if path.is_file() {
        return vec![(PathBuf::new(), fs::read(path).unwrap())];
    }
    let mut names: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    names.iter().map(|name| (PathBuf::from(name), fs::read(path.join::<&OsStr>(name)).unwrap())).collect()
}
