//! Whether files are still the ones that a job began with, without reading them again.

use std::fs::Metadata;
use std::path::PathBuf;
use std::time::SystemTime;

use super::beside;
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
        let mut files = match &job.input {
            Input::Video(path) | Input::Picture(path) => vec![path.clone()],
            Input::Sequence { files, .. } => files.clone(),
            Input::Stdin => Vec::new(),
        };
        // What cannot be read fails with words of its own.
        files.extend(beside::of_input(&job.input, &settings.input.format).unwrap_or_default());
        files.extend(beside::of_settings(settings));
        // What is built in is nowhere, now and later.
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
