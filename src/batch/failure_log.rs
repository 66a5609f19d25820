//! Remembers which inputs failed, so that the same broken file is not tried again and again.
//!
//! The record is `.stylize-video.state.json` in the folder of the outputs; if none is named, in the folder of the job
//! file, or in the first input folder of a command. An input is tried again when anything that determines its result has
//! changed: its content, a setting or the program.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::files;

const NAME: &str = ".stylize-video.state.json";
/// Version of the file format; files of other versions are rejected.
const FORMAT: u32 = 1;
/// Size limit in bytes; we never write a larger file.
const LARGEST: u64 = 64 << 20;

/// The record of one failed input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// [`crate::identity::Identity::id`] of the job that failed; empty for an input that could not be planned.
    pub id: String,
    pub error: String,
    /// Time of the failure in UTC, in the format of RFC 3339.
    pub since: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct State {
    format: u32,
    /// Keyed by the input's path.
    failed: BTreeMap<String, Failure>,
}

impl State {
    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let state: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if state.format == FORMAT { Ok(state) } else { Err("it is of another version of the program".into()) }
    }
}

/// The recorded failures for one output folder. Several jobs of a process may read and write them at once.
#[derive(Debug)]
pub struct FailureLog {
    path: PathBuf,
    turn: Mutex<()>,
}

impl FailureLog {
    /// Creates the record in `folder`, which need not exist yet.
    pub fn of(folder: &Path) -> Self {
        Self { path: folder.join(NAME), turn: Mutex::new(()) }
    }

    /// Returns the recorded failure of `input`, and what is wrong with the file, if anything.
    pub fn look_up(&self, input: &Path) -> (Option<Failure>, Option<String>) {
        match self.read() {
            Ok(mut failed) => (failed.remove(&key(input)), None),
            Err(what) => (None, Some(format!("{}: {what}; failures are recorded from scratch", self.path.display()))),
        }
    }

    /// Records how `input` failed; `None` removes the record.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn note(&self, input: &Path, failure: Option<Failure>) -> io::Result<()> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // The file is read again because another run may have written it meanwhile.
        let mut failed = self.read().unwrap_or_default();
        let before = failed.clone();
        // Records of files that are gone are dropped. A path that is not UTF-8 is not found and is recorded again.
        failed.retain(|path, _| Path::new(path).symlink_metadata().is_ok());
        match failure {
            Some(failure) => failed.insert(key(input), failure),
            None => failed.remove(&key(input)),
        };
        if failed == before {
            return Ok(());
        }
        let bytes = serde_json::to_vec_pretty(&State { format: FORMAT, failed })?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        files::write_whole(&self.path, &bytes)
    }

    fn read(&self) -> Result<BTreeMap<String, Failure>, String> {
        let Ok(data) = self.path.metadata() else { return Ok(BTreeMap::new()) };
        if data.len() > LARGEST {
            return Err(format!("it has {} bytes", data.len()));
        }
        let bytes = std::fs::read(&self.path).map_err(|error| error.to_string())?;
        State::parse(&bytes).map(|state| state.failed)
    }
}

/// Returns a key that does not depend on the working directory.
fn key(input: &Path) -> String {
    let path = input.canonicalize().unwrap_or_else(|_| input.to_path_buf());
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_known_until_it_is_forgotten_or_gone() {
        let desk = tempfile::tempdir().unwrap();
        let inputs = ["a.mp4", "b.mp4"].map(|name| desk.path().join(name));
        inputs.iter().for_each(|input| std::fs::write(input, "x").unwrap());
        let failure_log = FailureLog::of(&desk.path().join("out"));
        let failure = |id: &str| Failure { id: id.into(), error: "broken".into(), since: "now".into() };
        assert_eq!(failure_log.look_up(&inputs[0]), (None, None));
        failure_log.note(&inputs[0], None).unwrap();
        assert!(!desk.path().join("out").exists(), "nothing to write down");
        failure_log.note(&inputs[0], Some(failure("1"))).unwrap();
        failure_log.note(&inputs[1], Some(failure("2"))).unwrap();
        assert_eq!(failure_log.look_up(&inputs[0]).0, Some(failure("1")));
        std::fs::remove_file(&inputs[0]).unwrap();
        failure_log.note(&inputs[1], Some(failure("3"))).unwrap();
        assert_eq!(failure_log.look_up(&inputs[0]), (None, None));
        assert_eq!(failure_log.look_up(&inputs[1]).0, Some(failure("3")));
        failure_log.note(&inputs[1], None).unwrap();
        assert_eq!(failure_log.look_up(&inputs[1]).0, None);
    }

    #[test]
    fn a_damaged_file_is_told_and_replaced() {
        let desk = tempfile::tempdir().unwrap();
        let failure_log = FailureLog::of(desk.path());
        for text in ["{", "[]", "{\"format\": 2, \"failed\": {}}", "\0"] {
            std::fs::write(desk.path().join(NAME), text).unwrap();
            let (found, wrong) = failure_log.look_up(Path::new("a"));
            assert!(found.is_none() && wrong.unwrap().contains(NAME), "{text}");
        }
        let input = desk.path().join("a");
        std::fs::write(&input, "x").unwrap();
        let failure = Failure { id: "1".into(), error: "e".into(), since: "s".into() };
        failure_log.note(&input, Some(failure.clone())).unwrap();
        assert_eq!(failure_log.look_up(&input), (Some(failure), None));
    }
}
