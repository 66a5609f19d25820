//! The progress of another job at the same output, kept until this one is worth as much: a slip in a setting must not
//! cost a night's work.
//!
//! It lies in a folder below the work folder, its manifest moved first and moved back last: where that folder has a
//! manifest and the work folder none, whatever of it is still in the one place or already in the other belongs to it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::ResumeError;
use super::manifest::{MANIFEST, Manifest, ManifestError};
use super::work::WorkFolder;
use crate::files;

/// Where it lies in the work folder.
pub(super) const FORMER: &str = "former";

fn place(work: &WorkFolder) -> PathBuf {
    work.path().join(FORMER)
}

/// What is kept of another job; `None` where nothing is, or nothing that can be used.
///
/// # Errors
/// When the disk fails.
pub(super) fn read(work: &WorkFolder) -> Result<Option<Manifest>, ResumeError> {
    match Manifest::read(&place(work)) {
        Ok(found) => Ok(found),
        Err(ManifestError::Unreadable(error)) => Err(ResumeError::io(&place(work).join(MANIFEST), error)),
        Err(_) => Ok(None),
    }
}

/// Painted frames in a work folder: of the job that was there last, and of the one before that was set aside.
pub fn kept(work: &Path) -> (u64, u64) {
    let frames = |folder: &Path| Manifest::read(folder).ok().flatten().map_or(0, |manifest| manifest.frames());
    (frames(work), frames(&work.join(FORMER)))
}

/// Sets aside what a job has left, for one that keeps nothing itself, and removes all else.
///
/// # Errors
/// When the disk fails.
pub fn make_room(work: &WorkFolder) -> Result<(), ResumeError> {
    if let Ok(Some(manifest)) = Manifest::read(work.path()) {
        step_aside(work, &manifest)?;
    }
    work.clear(|name| name == FORMER)
}

/// Sets the work folder's progress aside, unless that of a third job is there and is more.
///
/// # Errors
/// When the disk fails.
pub(super) fn step_aside(work: &WorkFolder, manifest: &Manifest) -> Result<(), ResumeError> {
    let frames = manifest.frames();
    let more = read(work)?.is_some_and(|former| former.frames() > frames);
    if frames == 0 || more { Ok(()) } else { set_aside(work, manifest) }
}

/// Moves the work folder's progress aside, in place of what may be there.
///
/// # Errors
/// When the disk fails.
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

/// Moves what was set aside back, in place of what is in the work folder.
///
/// # Errors
/// When the disk fails.
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

/// Removes what was set aside.
///
/// # Errors
/// When the disk fails.
pub(super) fn discard(work: &WorkFolder) -> Result<(), ResumeError> {
    let folder = place(work);
    // Without its manifest the rest is nothing.
    let removed = remove(&folder.join(MANIFEST)).and_then(|()| match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    });
    removed.map_err(|error| ResumeError::io(&folder, error))
}

/// The first parts of the names of its files.
fn tops(manifest: &Manifest) -> Vec<String> {
    let mut names: Vec<String> =
        manifest.files().filter_map(|piece| piece.name.split('/').next().map(str::to_owned)).collect();
    names.dedup();
    names
}

/// What is not there any more was moved before.
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
