//! Checks by metadata, without hashing them again, whether a job's files have changed since it began.

use std::path::PathBuf;

use super::referenced_files;
use crate::files::FileStat;
use crate::job::Job;
use crate::media::Input;
use crate::settings::Settings;
use crate::stylize;

/// Metadata of the files that a job reads. Two of these are equal if no file has changed in between.
#[derive(Debug, PartialEq)]
pub struct FileStats(Vec<(PathBuf, Option<FileStat>)>);

impl FileStats {
    /// Records the current metadata of the files.
    pub fn of(job: &Job, settings: &Settings) -> Self {
        let mut files = match &job.input {
            Input::Video(path) | Input::Picture(path) => vec![path.clone()],
            Input::Sequence { files, .. } => files.clone(),
            Input::Stdin => Vec::new(),
        };
        // A list that cannot be read is reported elsewhere.
        files.extend(referenced_files::of_input(&job.input, &settings.input.format).unwrap_or_default());
        files.extend(referenced_files::of_settings(settings));
        // A built-in style picture has no file, and no metadata either time.
        files.extend(settings.style.images.iter().map(|style| PathBuf::from(&style.image)));
        Self::of_files(files)
    }

    /// Records the current metadata of the files that the settings name, apart from an input: weights, style pictures,
    /// and what filters and encoders read.
    pub fn of_settings(settings: &Settings) -> Self {
        let mut files = stylize::weight_files(settings);
        files.extend(referenced_files::of_settings(settings));
        files.extend(settings.style.images.iter().map(|style| PathBuf::from(&style.image)));
        Self::of_files(files)
    }

    fn of_files(files: Vec<PathBuf>) -> Self {
        let stat = |path: PathBuf| {
            let stat = FileStat::of(&path);
            (path, stat)
        };
        Self(files.into_iter().map(stat).collect())
    }
}
