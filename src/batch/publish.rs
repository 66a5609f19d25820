//! A result appears under its final name only when it is complete.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::files;
use crate::media::Output;
use crate::provenance::CONTENTS;
use crate::resume::{ResumeError, WorkFolder};

/// What an output without a name is called.
const PICTURES: &str = "pictures";
/// Where in the work folder the output is made, so that no name of an output is one of ours.
const RESULT: &str = "result";

/// The work folder beside the final output (so that the last step is a rename), and the output inside it. It goes when
/// the result is published; else, only if there is no progress in it.
#[derive(Debug)]
pub struct Staged {
    work: Work,
    /// The final output's paths, inside `work`.
    output: Output,
    target: PathBuf,
    /// Whether `target` is a folder that must stay what it is: someone stands in it, so that the pictures are moved
    /// into it one by one.
    stays: bool,
}

#[derive(Debug)]
enum Work {
    /// Beside the output; another run may go on in it.
    Beside(WorkFolder),
    /// Of a stream: nothing to rename, and no folder of the user's to do it in.
    Elsewhere(TempDir),
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

/// `.` cannot be renamed, and a shell in a folder that another has replaced is nowhere.
fn stays(target: &Path) -> bool {
    let here = || same_file::is_same_file(target, ".").unwrap_or(false);
    target.is_dir() && (target.file_name().is_none() || here())
}

/// Where an output's work folder is; `None` for a stream, which has none.
pub fn work_place(output: &Output) -> Option<PathBuf> {
    if *output == Output::Stdout {
        return None;
    }
    let target = output.path();
    let folder = match target.parent() {
        _ if stays(target) => target,
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Some(WorkFolder::place(folder, target.file_name().unwrap_or(PICTURES.as_ref())))
}

/// Where the pictures of an output that stays where it is are made, in its work folder.
pub fn pictures_place(output: &Output) -> Option<PathBuf> {
    Some(work_place(output)?.join(RESULT).join(PICTURES))
}

impl Staged {
    /// Makes the folder and locks it, or takes up one that a former run has left.
    ///
    /// # Errors
    /// When the output's folder is missing, read-only or full; when another run works on this output.
    pub fn new(output: &Output) -> Result<Self, StageError> {
        let target = output.path().to_path_buf();
        let Some(place) = work_place(output) else {
            let folder = std::env::temp_dir();
            let work = tempfile::Builder::new().prefix("stylize-video-").tempdir_in(&folder);
            let work = Work::Elsewhere(work.map_err(|source| PublishError::Work { folder, source })?);
            return Ok(Self { work, output: Output::Stdout, target, stays: false });
        };
        let work = WorkFolder::claim(&place)?;
        let stays = stays(&target);
        let name = target.file_name().filter(|_| !stays).unwrap_or(PICTURES.as_ref());
        let place = place.join(RESULT);
        let output = match output {
            Output::Video(_) => Output::Video(place.join(name)),
            Output::Picture(_) => Output::Picture(place.join(name)),
            Output::Sequence { names, .. } => {
                // Their names stand in the manifest, which is text.
                let folder = name.to_str().unwrap_or(PICTURES);
                Output::Sequence { folder: place.join(folder), names: names.clone() }
            }
            Output::Stdout => Output::Stdout,
        };
        Ok(Self { work: Work::Beside(work), output, target, stays })
    }

    /// Makes the folder to write in; what was kept of a former run stays.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn prepare(&self) -> Result<(), PublishError> {
        let Work::Beside(work) = &self.work else { return Ok(()) };
        let folder = work.path().join(RESULT);
        fs::create_dir_all(&folder).map_err(|source| PublishError::Work { folder, source })
    }

    /// Where to write.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// The folder for intermediate files.
    pub fn work(&self) -> &Path {
        match &self.work {
            Work::Beside(folder) => folder.path(),
            Work::Elsewhere(folder) => folder.path(),
        }
    }

    /// The folder that another run could go on in, where there is one.
    pub fn folder(&self) -> Option<&WorkFolder> {
        match &self.work {
            Work::Beside(folder) => Some(folder),
            Work::Elsewhere(_) => None,
        }
    }

    /// Moves the finished output to its place; `replace` says whether something there may go, `keep` whether the work
    /// folder stays.
    ///
    /// # Errors
    /// When something is in the way, or the move fails. What was there before is then still there.
    pub fn publish(self, replace: bool, keep: bool) -> Result<(), PublishError> {
        if self.output != Output::Stdout {
            let placed = if self.stays { self.fill(replace) } else { self.rename(replace) };
            placed.map_err(|error| self.failed(error))??;
        }
        if let (Work::Beside(folder), false) = (self.work, keep) {
            // The result is where it belongs: what cannot be tidied away is no failure of the job.
            if let Err(error) = folder.remove() {
                tracing::warn!(%error, "the work folder cannot be removed");
            }
        }
        Ok(())
    }

    fn failed(&self, source: io::Error) -> PublishError {
        PublishError::Move { path: self.target.clone(), source }
    }

    fn rename(&self, replace: bool) -> io::Result<Result<(), PublishError>> {
        let (finished, target) = (self.output.path(), &self.target);
        // A name must not be on the disk before what it names.
        fs::File::open(finished)?.sync_all()?;
        if !replace {
            let empty = || fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
            if target.symlink_metadata().is_ok() && !empty() {
                return Ok(Err(PublishError::Appeared(target.clone())));
            }
        }
        if replace && target.is_dir() {
            // A folder that is not empty cannot be renamed over: it steps aside, and comes back if the move fails.
            let aside = self.work().join(".replaced");
            fs::rename(target, &aside)?;
            fs::rename(finished, target).inspect_err(|_| {
                // The move's error is the one to tell.
                let _ = fs::rename(&aside, target);
            })?;
        } else {
            fs::rename(finished, target)?;
        }
        let folder = target.parent().unwrap_or(Path::new("."));
        files::sync_folder(folder)?;
        Ok(Ok(()))
    }

    /// Puts the pictures into a folder that stays, each with a second name, so that a run that dies on the way leaves
    /// all of them to the next one.
    fn fill(&self, replace: bool) -> io::Result<Result<(), PublishError>> {
        let (finished, target) = (self.output.path(), &self.target);
        let mut pictures = names_in(finished)?;
        // Whoever finds what says that all are there finds all.
        pictures.sort_by_key(|name| name == CONTENTS);
        let ours = |name: &OsString| same_file::is_same_file(finished.join(name), target.join(name)).unwrap_or(false);
        let work = self.work().file_name();
        let mut before = names_in(target)?;
        before.retain(|name| Some(name.as_os_str()) != work && !ours(name));
        if !replace && !before.is_empty() {
            return Ok(Err(PublishError::Appeared(target.clone())));
        }
        let aside = self.work().join(".replaced");
        if !before.is_empty() {
            fs::create_dir_all(&aside)?;
        }
        move_all(&before, target, &aside)?;
        let placed = pictures.iter().filter(|name| !ours(name)).try_for_each(|name| {
            let (from, to) = (finished.join(name), target.join(name));
            // Some file systems know no second names.
            fs::hard_link(&from, &to).or_else(|_| {
                fs::copy(&from, &to)?;
                fs::File::open(&to)?.sync_all()
            })
        });
        placed.inspect_err(|_| {
            // The first error is the one to tell.
            let _ = move_all(&before, &aside, target);
        })?;
        files::sync_folder(target)?;
        Ok(Ok(()))
    }
}

/// Why there is no place to work in.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error(transparent)]
    Publish(#[from] PublishError),
    #[error(transparent)]
    Resume(#[from] ResumeError),
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
