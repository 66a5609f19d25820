//! Checks by metadata, without hashing them again, whether a job's files have changed since it began.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::SystemTime;

use super::beside;
use crate::job::Job;
use crate::media::Input;
use crate::settings::Settings;

/// Metadata of the files that a job reads. Two witnesses are equal if no file has changed in between.
#[derive(Debug, PartialEq)]
pub struct Witness(Vec<(PathBuf, Option<Look>)>);

/// Metadata of one file: device and inode number, length and modification time.
#[derive(Debug, PartialEq)]
struct Look {
    file: (u64, u64),
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Witness {
    /// Records the current metadata of the files.
    pub fn of(job: &Job, settings: &Settings) -> Self {
        let mut files = match &job.input {
            Input::Video(path) | Input::Picture(path) => vec![path.clone()],
            Input::Sequence { files, .. } => files.clone(),
            Input::Stdin => Vec::new(),
        };
        // A list that cannot be read is reported elsewhere.
        files.extend(beside::of_input(&job.input, &settings.input.format).unwrap_or_default());
        files.extend(beside::of_settings(settings));
        // A built-in style picture has no file, and no metadata either time.
        files.extend(settings.style.images.iter().map(|style| PathBuf::from(&style.image)));
        let look = |path: PathBuf| {
            let look = path.metadata().ok().map(|data| Look::of(&data));
            (path, look)
        };
        Self(files.into_iter().map(look).collect())
    }
}

impl Look {
    fn of(data: &Metadata) -> Self {
        #[cfg(unix)]
        let file = (std::os::unix::fs::MetadataExt::dev(data), std::os::unix::fs::MetadataExt::ino(data));
        #[cfg(not(unix))]
        let file = (0, 0);
        Self { file, bytes: data.len(), modified: data.modified().ok() }
    }
}
