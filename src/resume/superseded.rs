//! Keeps the progress of another job at the same output until the current job has finished a part, so that a wrong
//! setting does not cost a night's work.
//!
//! The progress lies in a folder below the work folder. Its manifest moves there first and moves back last: if that
//! folder has a manifest and the work folder has none, the files in both places belong to that manifest.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ResumeError;
use super::manifest::{MANIFEST, Manifest, ManifestError};
use super::work::{SUPERSEDED, WorkFolder};
use crate::files;

fn place(work: &WorkFolder) -> PathBuf {
    work.path().join(SUPERSEDED)
}

/// Returns the manifest of the job that was set aside; `None` if nothing usable is there.
///
/// # Errors
/// If the disk fails.
pub(super) fn read(work: &WorkFolder) -> Result<Option<Manifest>, ResumeError> {
    match Manifest::read(&place(work)) {
        Ok(found) => Ok(found),
        Err(ManifestError::Unreadable(error)) => Err(ResumeError::io(&place(work).join(MANIFEST), error)),
        Err(_) => Ok(None),
    }
}

/// Returns the number of painted frames in a work folder: of its latest job, and of the earlier job that was set aside.
pub fn kept(work: &Path) -> (u64, u64) {
    let frames = |folder: &Path| Manifest::read(folder).ok().flatten().map_or(0, |manifest| manifest.frames());
    (frames(work), frames(&work.join(SUPERSEDED)))
}

/// Sets the progress in the work folder aside, for a job that keeps no progress itself, and removes everything else.
///
/// # Errors
/// If the disk fails.
pub fn make_room(work: &WorkFolder) -> Result<(), ResumeError> {
    if let Ok(Some(manifest)) = Manifest::read(work.path()) {
        step_aside(work, &manifest)?;
    }
    work.clear(|name| name == SUPERSEDED)
}

/// Sets the work folder's progress aside, unless it is empty or a third job with more frames is already set aside.
///
/// # Errors
/// If the disk fails.
pub(super) fn step_aside(work: &WorkFolder, manifest: &Manifest) -> Result<(), ResumeError> {
    let frames = manifest.frames();
    let more = read(work)?.is_some_and(|former| former.frames() > frames);
    if frames == 0 || more { Ok(()) } else { set_aside(work, manifest) }
}

/// Moves the work folder's progress aside and replaces whatever was set aside before.
///
/// # Errors
/// If the disk fails.
fn set_aside(work: &WorkFolder, manifest: &Manifest) -> Result<(), ResumeError> {
    discard(work)?;
    let to = place(work);
    let moved = || -> io::Result<()> {
        fs::create_dir(&to)?;
        rename(work.path(), &to, MANIFEST)?;
        files::sync_folder(&to)?;
        for name in tops(manifest) {
            rename(work.path(), &to, &name)?;
        }
        files::sync_folder(work.path())
    };
    moved().map_err(|error| ResumeError::io(&to, error))
}

/// Moves the set-aside progress back and replaces the progress in the work folder.
///
/// # Errors
/// If the disk fails.
pub(super) fn restore(work: &WorkFolder) -> Result<(), ResumeError> {
    let from = place(work);
    let moved = || -> io::Result<()> {
        remove(&work.path().join(MANIFEST))?;
        let mut names: Vec<_> =
            fs::read_dir(&from)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<io::Result<_>>()?;
        names.sort_by_key(|name| name == MANIFEST);
        for name in names {
            let to = work.path().join(&name);
            if to.is_dir() {
                fs::remove_dir_all(&to)?;
            }
            fs::rename(from.join(&name), to)?;
        }
        files::sync_folder(work.path())?;
        fs::remove_dir(&from)
    };
    moved().map_err(|error| ResumeError::io(&from, error))
}

/// Removes the set-aside progress.
///
/// # Errors
/// If the disk fails.
pub(super) fn discard(work: &WorkFolder) -> Result<(), ResumeError> {
    let folder = place(work);
    // The manifest goes first: without it the other files count for nothing.
    let removed = remove(&folder.join(MANIFEST)).and_then(|()| match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    });
    removed.map_err(|error| ResumeError::io(&folder, error))
}

/// Returns the first path component of each file that the manifest names.
fn tops(manifest: &Manifest) -> Vec<String> {
    let mut names: Vec<String> =
        manifest.files().filter_map(|piece| piece.name.split('/').next().map(str::to_owned)).collect();
    names.dedup();
    names
}

/// Renames a file; one that is missing was already moved by an interrupted attempt.
fn rename(from: &Path, to: &Path, name: &str) -> io::Result<()> {
    match fs::rename(from.join(name), to.join(name)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        renamed => renamed,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        removed => removed,
    }
}
