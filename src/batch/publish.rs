//! A result appears under its final name only when it is complete.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::media::Output;

/// A temporary folder beside the final output (so that the last step is a rename), and the output inside it. Removed
/// with all it holds unless published.
#[derive(Debug)]
pub struct Staged {
    work: TempDir,
    /// The final output's paths, inside `work`.
    output: Output,
    target: PathBuf,
}

/// Why a result could not be put in its place.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("cannot make a work folder in {}: {source}; check that it exists and can be written to", folder.display())]
    Work { folder: PathBuf, source: io::Error },
    #[error("{} has appeared meanwhile and is not replaced: --if-exists replace would", .0.display())]
    Appeared(PathBuf),
    #[error("cannot move the result to {}: {source}", path.display())]
    Move { path: PathBuf, source: io::Error },
}

impl Staged {
    /// Makes the folder.
    ///
    /// # Errors
    /// When the output's folder is missing, read-only or full.
    pub fn new(output: &Output) -> Result<Self, PublishError> {
        let target = output.path().to_path_buf();
        if *output == Output::Stdout {
            // Nothing to rename, and no folder of the user's to do it in.
            let folder = std::env::temp_dir();
            let work = tempfile::Builder::new().prefix("stylize-video-").tempdir_in(&folder);
            let work = work.map_err(|source| PublishError::Work { folder, source })?;
            return Ok(Self { work, output: Output::Stdout, target });
        }
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let name = target.file_name().unwrap_or_default();
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".stylize-");
        let work = tempfile::Builder::new()
            .prefix(&prefix)
            .tempdir_in(&folder)
            .map_err(|source| PublishError::Work { folder, source })?;
        let inside = work.path().join(name);
        let output = match output {
            Output::Video(_) => Output::Video(inside),
            Output::Picture(_) => Output::Picture(inside),
            Output::Sequence { names, .. } => Output::Sequence { folder: inside, names: names.clone() },
            Output::Stdout => Output::Stdout,
        };
        Ok(Self { work, output, target })
    }

    /// Where to write.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The folder for intermediate files.
    pub fn work(&self) -> &Path {
        self.work.path()
    }

    /// Moves the finished output to its place; `replace` says whether something there may go.
    ///
    /// # Errors
    /// When something is in the way, or the move fails. What was there before is then still there.
    pub fn publish(self, replace: bool) -> Result<(), PublishError> {
        if self.output == Output::Stdout {
            return Ok(());
        }
        let failed = |source| PublishError::Move { path: self.target.clone(), source };
        let finished = self.output.path();
        if !replace {
            let empty = || fs::read_dir(&self.target).is_ok_and(|mut entries| entries.next().is_none());
            if self.target.symlink_metadata().is_ok() && !empty() {
                return Err(PublishError::Appeared(self.target.clone()));
            }
            return fs::rename(finished, &self.target).map_err(failed);
        }
        if !self.target.is_dir() {
            return fs::rename(finished, &self.target).map_err(failed);
        }
        // A folder that is not empty cannot be renamed over: it steps aside, and comes back if the move fails.
        let aside = self.work.path().join(".replaced");
        fs::rename(&self.target, &aside).map_err(failed)?;
        fs::rename(finished, &self.target).map_err(|error| {
            // The move's error is the one to tell.
            let _ = fs::rename(&aside, &self.target);
            failed(error)
        })
    }
}
