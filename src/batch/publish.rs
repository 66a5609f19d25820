//! Publishing: a result appears under its final name only when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::files;
use crate::job::{Job, Shots};
use crate::media::Output;
use crate::provenance::CONTENTS;
use crate::resume::{ResumeError, WorkFolder};

/// Name of the result inside the work folder if the output has no usable name.
const PICTURES: &str = "pictures";
/// Subfolder of the work folder that holds the output, so that its name cannot clash with our own files.
const RESULT: &str = "result";

/// The work folder next to the final output (so that the last step is a rename), and the output inside it. The folder
/// is removed when the result is published, and otherwise only if it holds no progress.
#[derive(Debug)]
pub struct Staged {
    work: Work,
    /// The output with its paths inside `work`.
    output: Output,
    target: PathBuf,
    /// Whether `target` is a folder that must not be replaced, because it is the working directory or its path ends in
    /// no name, as `..`; the pictures are then put into it one by one.
    stays: bool,
}

#[derive(Debug)]
enum Work {
    /// Next to the output; another run may continue in it.
    NextToOutput(WorkFolder),
    /// For a stream: nothing is renamed, and the user has no folder for it.
    Temporary(TempDir),
}

/// Why a result could not be moved to its final place.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error("cannot make a work folder in {}: {source}; check that it exists and can be written to", folder.display())]
    Work { folder: PathBuf, source: io::Error },
    #[error("{} has appeared meanwhile and is not replaced: --if-exists replace would", .0.display())]
    Appeared(PathBuf),
    #[error("cannot move the result to {}: {source}", path.display())]
    Move { path: PathBuf, source: io::Error },
}

/// Returns whether `target` is a folder that must stay: `.` cannot be renamed, and replacing the working directory of a
/// shell would leave that shell without one.
fn stays(target: &Path) -> bool {
    let here = || same_file::is_same_file(target, ".").unwrap_or(false);
    target.is_dir() && (target.file_name().is_none() || here())
}

/// Returns the path of a job's work folder; `None` for a stream, which has none.
pub fn work_of(job: &Job) -> Option<PathBuf> {
    place(&job.output, job.share.shots())
}

/// Returns the path of the work folder of an output that is made as a whole; `None` for a stream, which has none.
pub fn work_place(output: &Output) -> Option<PathBuf> {
    place(output, None)
}

fn place(output: &Output, shots: Option<Shots>) -> Option<PathBuf> {
    if *output == Output::Stdout {
        return None;
    }
    let target = output.path();
    let folder = match target.parent() {
        _ if stays(target) => target,
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut name = target.file_name().unwrap_or(PICTURES.as_ref()).to_owned();
    if let Some(Shots { from, to }) = shots {
        name.push(format!(".shots-{from}-"));
        name.push(to.map_or("end".into(), |to| to.to_string()));
    }
    Some(WorkFolder::place(folder, &name))
}

/// Whether `name` is that of an output's work folder `work`, or of one that holds some shots of it.
pub fn is_work(work: &Path, name: &OsStr) -> bool {
    let Some(whole) = work.file_name() else { return false };
    let base = |name: &OsStr| name.to_str().and_then(|name| name.strip_suffix(".stylize")).map(str::to_owned);
    let of_shots = base(whole).zip(base(name)).and_then(|(whole, name)| {
        let shots = name.strip_prefix(&whole)?.strip_prefix(".shots-")?;
        Some(shots.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'))
    });
    whole == name || of_shots.unwrap_or(false)
}

/// Returns the folder inside the work folder where the pictures are made if the output folder itself must stay.
pub fn pictures_place(output: &Output) -> Option<PathBuf> {
    Some(work_place(output)?.join(RESULT).join(PICTURES))
}

impl Staged {
    /// Creates and locks the work folder, or reuses the one that a previous run left.
    ///
    /// # Errors
    /// If the output's folder is missing, read-only or full, or if another run works on this output.
    pub fn new(job: &Job) -> Result<Self, StageError> {
        let output = &job.output;
        let target = output.path().to_path_buf();
        let Some(place) = work_of(job) else {
            let folder = std::env::temp_dir();
            let work = tempfile::Builder::new().prefix("stylize-video-").tempdir_in(&folder);
            let work = Work::Temporary(work.map_err(|source| PublishError::Work { folder, source })?);
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
                // The manifest contains the names of the pictures, and it is text.
                let folder = name.to_str().unwrap_or(PICTURES);
                Output::Sequence { folder: place.join(folder), names: names.clone() }
            }
            Output::Stdout => Output::Stdout,
        };
        Ok(Self { work: Work::NextToOutput(work), output, target, stays })
    }

    /// Creates the folder for the output and keeps what a previous run left.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn prepare(&self) -> Result<(), PublishError> {
        let Work::NextToOutput(work) = &self.work else { return Ok(()) };
        let folder = work.path().join(RESULT);
        fs::create_dir_all(&folder).map_err(|source| PublishError::Work { folder, source })
    }

    /// Returns the output to write to.
    pub fn output(&self) -> &Output {
        &self.output
    }

    /// Returns the folder for intermediate files.
    pub fn work(&self) -> &Path {
        match &self.work {
            Work::NextToOutput(folder) => folder.path(),
            Work::Temporary(folder) => folder.path(),
        }
    }

    /// Returns the folder that another run could continue in; `None` for a stream.
    pub fn folder(&self) -> Option<&WorkFolder> {
        match &self.work {
            Work::NextToOutput(folder) => Some(folder),
            Work::Temporary(_) => None,
        }
    }

    /// Moves the finished output to its final place. `replace` allows replacing an existing output; `keep` keeps the
    /// work folder.
    ///
    /// # Errors
    /// If something is in the way or the move fails. An existing output is then still there.
    pub fn publish(self, replace: bool, keep: bool) -> Result<(), PublishError> {
        if self.output != Output::Stdout {
            let placed = if self.stays { self.fill(replace) } else { self.rename(replace) };
            placed.map_err(|error| self.failed(error))??;
        }
        if let (Work::NextToOutput(folder), false) = (self.work, keep) {
            // The result is in its final place, so a failed cleanup is not a failure of the job.
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
        // The data must be on the disk before the name that refers to it.
        fs::File::open(finished)?.sync_all()?;
        if !replace {
            let empty = || fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_none());
            if target.symlink_metadata().is_ok() && !empty() {
                return Ok(Err(PublishError::Appeared(target.clone())));
            }
        }
        if replace && target.is_dir() {
            // A folder that is not empty cannot be the target of a rename. It is moved aside first, and back if the
            // move fails.
            let aside = self.work().join(".replaced");
            fs::rename(target, &aside)?;
            fs::rename(finished, target).inspect_err(|_| {
                // The error of the move is the one to report.
                let _ = fs::rename(&aside, target);
            })?;
        } else {
            fs::rename(finished, target)?;
        }
        let folder = target.parent().unwrap_or(Path::new("."));
        files::sync_folder(folder)?;
        Ok(Ok(()))
    }

    /// Hard-links the pictures into a folder that must stay. The originals remain, so a run that dies halfway leaves
    /// all of them to the next run.
    fn fill(&self, replace: bool) -> io::Result<Result<(), PublishError>> {
        let (finished, target) = (self.output.path(), &self.target);
        let mut pictures = names_in(finished)?;
        // The list of contents comes last: whoever finds it finds all pictures.
        pictures.sort_by_key(|name| name == CONTENTS);
        let ours = |name: &OsString| same_file::is_same_file(finished.join(name), target.join(name)).unwrap_or(false);
        let work = self.work();
        let mut before = names_in(target)?;
        before.retain(|name| !is_work(work, name) && !ours(name));
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
            // Some file systems have no hard links.
            fs::hard_link(&from, &to).or_else(|_| {
                fs::copy(&from, &to)?;
                fs::File::open(&to)?.sync_all()
            })
        });
        placed.inspect_err(|_| {
            // The first error is the one to report.
            let _ = move_all(&before, &aside, target);
        })?;
        files::sync_folder(target)?;
        Ok(Ok(()))
    }
}

/// Why an output cannot be staged in a work folder.
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

/// Moves all files, or none if one move fails.
fn move_all(names: &[OsString], from: &Path, to: &Path) -> io::Result<()> {
    for (done, name) in names.iter().enumerate() {
        if let Err(error) = fs::rename(from.join(name), to.join(name)) {
            for name in &names[..done] {
                // The first error is the one to report.
                let _ = fs::rename(to.join(name), from.join(name));
            }
            return Err(error);
        }
    }
    Ok(())
}
