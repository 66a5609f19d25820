//! Whether files are still the ones that a job began with, without reading them again.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::batch::plan::Job;
use crate::media::Input;
use crate::settings::Settings;

/// What a file system says of a job's input and style pictures.
#[derive(Debug, PartialEq)]
pub struct Witness(Vec<(PathBuf, Option<Look>)>);

#[derive(Debug, PartialEq)]
struct Look {
    file: (u64, u64),
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Witness {
    /// Looks at them.
    pub fn of(job: &Job, settings: &Settings) -> Self {
        let input: Vec<&Path> = match &job.input {
            Input::Video(path) | Input::Picture(path) => vec![path],
            Input::Sequence { files, .. } => files.iter().map(PathBuf::as_path).collect(),
            Input::Stdin => Vec::new(),
        };
        let styles = settings.style.images.iter().map(|style| Path::new(&style.image));
        // What is built in is nowhere, now and later.
        let look = |path: &Path| (path.to_path_buf(), path.metadata().ok().map(|data| Look::of(&data)));
        Self(input.into_iter().chain(styles).map(look).collect())
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
