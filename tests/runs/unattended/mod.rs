//! Folders, job files and inboxes, as an unattended machine calls the program.

mod cron;
mod folders;
mod inbox;
mod jobfile;
mod reuse;
mod wild;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::common::Desk;

/// Options that leave frames unchanged.
pub const KEPT: &[&str] = &["--stylizer", "identity"];

/// Returns a command that runs the program in the desk's folder.
pub fn program(desk: &Desk) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stylize-video"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STYLIZE_VIDEO_")) {
        command.env_remove(name);
    }
    command.env("OMP_NUM_THREADS", "1").env("XDG_CONFIG_HOME", desk.path("config")).current_dir(desk.path(""));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The outcome of a call.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    /// The text that the program printed.
    pub text: String,
}

impl Run {
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }
}

/// Calls the program without painting and waits until it ends.
pub fn call<S: AsRef<OsStr>>(desk: &Desk, arguments: impl IntoIterator<Item = S>) -> Run {
    run(program(desk).args(arguments).args(KEPT))
}

pub fn run(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains("panicked"), "{text}");
    Run { code: output.status.code(), text }
}

/// Makes a clip of `frames` frames whose file looks old.
pub fn clip(desk: &Desk, name: &str, frames: u32) -> PathBuf {
    fs::create_dir_all(desk.path(name).parent().unwrap()).unwrap();
    let path = desk.clip(name, &format!("-f lavfi -i testsrc=s=96x72:r=25 -frames:v {frames} -pix_fmt yuv420p"));
    age(&path);
    path
}

/// Makes a file look unchanged for an hour.
pub fn age(path: &Path) {
    let file = fs::File::options().read(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(3600)).unwrap();
}

/// Returns the files below a folder of the desk that are not hidden, with their bytes.
pub fn files(desk: &Desk, folder: &str) -> BTreeMap<String, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&desk.path(folder), &desk.path(folder), &mut found);
    found
}

/// Returns the names of those files.
pub fn names(desk: &Desk, folder: &str) -> Vec<String> {
    files(desk, folder).into_keys().collect()
}
