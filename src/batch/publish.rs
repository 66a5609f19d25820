//! A result appears under its final name only when it is complete.

use std::ffi::OsString;
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
    /// Whether `target` is a folder that must stay what it is: someone stands in it, so that the pictures are moved
    /// into it one by one.
    stays: bool,
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
            return Ok(Self { work, output: Output::Stdout, target, stays: false });
        }
        // `.` cannot be renamed, and a shell in a folder that another has replaced is nowhere.
        let here = || same_file::is_same_file(&target, ".").unwrap_or(false);
        let stays = target.is_dir() && (target.file_name().is_none() || here());
        let folder = match target.parent() {
            _ if stays => target.clone(),
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
            _ => PathBuf::from("."),
        };
        let name = target.file_name().unwrap_or("pictures".as_ref());
        let mut prefix = OsString::from(".");
        // With what is added, a long name would be too long.
        prefix.push(if name.len() < 200 { name } else { "output".as_ref() });
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
        Ok(Self { work, output, target, stays })
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
        if self.stays {
            return self.publish_into(replace);
        }
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
    /// Moves the pictures into a folder that stays.
    fn publish_into(&self, replace: bool) -> Result<(), PublishError> {
        let failed = |source| PublishError::Move { path: self.target.clone(), source };
        let work = self.work.path().file_name();
        let mut before = names_in(&self.target).map_err(failed)?;
        before.retain(|name| Some(name.as_os_str()) != work);
        if !replace && !before.is_empty() {
            return Err(PublishError::Appeared(self.target.clone()));
        }
        let finished = self.output.path();
        let aside = self.work.path().join(".replaced");
        let pictures = names_in(finished).map_err(failed)?;
        fs::create_dir(&aside).map_err(failed)?;
        let moved = move_all(&before, &self.target, &aside).and_then(|()| {
            move_all(&pictures, finished, &self.target).inspect_err(|_| {
                // The move's error is the one to tell.
                let _ = move_all(&before, &aside, &self.target);
            })
        });
        moved.map_err(failed)
    }
}

fn names_in(folder: &Path) -> io::Result<Vec<OsString>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect()
}

/// Moves all or, when one fails, none.
fn move_all(names: &[OsString], from: &Path, to: &Path) -> io::Result<()> {
    for (done, name) in names.iter().enumerate() {
        if let Err(error) = fs::rename(from.join(name), to.join(name)) {
            for name in &names[..done] {
                // The first error is the one to tell.
                let _ = fs::rename(to.join(name), from.join(name));
            }
            return Err(error);
        }
    }
    Ok(())
}
