//! Checks before any work: no output may overwrite an input or another output, and its folder must be writable.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use super::super::publish::{is_work, pictures_place, work_place};
use super::PlanError;
use super::input::is_picture;
use crate::job::Job;
use crate::media::{Input, Output};
use crate::provenance::CONTENTS;

/// Returns whether both paths are the same file or folder, following links.
fn same(a: &Path, b: &Path) -> bool {
    // An error means that one of them does not exist.
    same_file::is_same_file(a, b).unwrap_or(false)
}

/// Checks that the output is not the input.
///
/// # Errors
/// If it is.
pub fn not_own_input(input: &Input, output: &Output) -> Result<(), PlanError> {
    let is_file = *output != Output::Stdout;
    if is_file && same(input.path(), output.path()) { Err(PlanError::OwnInput(output.path().into())) } else { Ok(()) }
}

/// Longest file name that common file systems accept, in bytes.
pub const LONGEST_NAME: usize = 255;

/// Checks the length of the output's name.
///
/// # Errors
/// If it is too long for a file.
pub fn name(output: &Output) -> Result<(), PlanError> {
    let path = output.path();
    let length = path.file_name().map_or(0, |name| name.len());
    if length > LONGEST_NAME { Err(PlanError::LongName { path: path.into(), length }) } else { Ok(()) }
}

/// Returns whether something exists at the output's path. For a sequence, an empty folder does not count.
///
/// # Errors
/// If there is a folder instead of a file or vice versa, or if the folder cannot be read.
pub fn is_there(output: &Output) -> Result<bool, PlanError> {
    if *output == Output::Stdout {
        return Ok(false);
    }
    let path = output.path();
    // `exists` would follow links, but a dangling link is in the way too.
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(false) };
    let is_dir = metadata.is_dir() || path.is_dir();
    match output {
        Output::Sequence { .. } if !is_dir => {
            Err(PlanError::InTheWay { path: path.into(), is: "file", should: "folder" })
        }
        Output::Sequence { .. } => {
            let unreadable = |source| PlanError::Unreadable { path: path.into(), source };
            for entry in std::fs::read_dir(path).map_err(unreadable)? {
                if !is_in_progress(&entry.map_err(unreadable)?.path(), output) {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Output::Video(_) | Output::Picture(_) if is_dir => {
            Err(PlanError::InTheWay { path: path.into(), is: "folder", should: "file" })
        }
        Output::Video(_) | Output::Picture(_) | Output::Stdout => Ok(true),
    }
}

/// Returns whether a file in the output folder belongs to an interrupted run: its work folder, or a picture that it had
/// already linked into place.
fn is_in_progress(file: &Path, output: &Output) -> bool {
    let (Some(work), Some(pictures)) = (work_place(output), pictures_place(output)) else { return false };
    let Some(name) = file.file_name() else { return false };
    let beside = work.parent().is_some_and(|folder| same(file, &folder.join(name)));
    (is_work(&work, name) && beside) || same(file, &pictures.join(name))
}

/// Checks that an output folder may be replaced.
///
/// # Errors
/// If the folder holds something that no run of ours can have put there, or cannot be read.
pub fn replaceable(output: &Output) -> Result<(), PlanError> {
    let Output::Sequence { folder, .. } = output else { return Ok(()) };
    let unreadable = |source| PlanError::Unreadable { path: folder.clone(), source };
    // Hidden files count here: a `.git` shows that the folder is someone's work.
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        // The list of contents is ours: it names the pictures that we wrote.
        let is_ours = file.file_name().is_some_and(|name| name == CONTENTS) && file.is_file();
        if !is_ours && (!is_picture(&file) || file.is_dir()) && !is_in_progress(&file, output) {
            let foreign = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(PlanError::NotOnlyPictures { path: folder.clone(), foreign });
        }
    }
    Ok(())
}

/// Checks that the output's parent folder exists and is writable; `make` creates it if necessary.
///
/// # Errors
/// If it is missing, read-only or cannot be created.
pub fn folder(output: &Output, make: bool, dry_run: bool) -> Result<(), PlanError> {
    if *output == Output::Stdout {
        return Ok(());
    }
    let folder = match output.path().parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if make && dry_run {
        return Ok(());
    }
    if make {
        std::fs::create_dir_all(folder).map_err(|source| PlanError::Unmakable { folder: folder.into(), source })?;
    }
    if !folder.is_dir() {
        return Err(PlanError::NoFolder(folder.into()));
    }
    if dry_run {
        return Ok(());
    }
    // Only an attempt covers permissions, read-only mounts and quotas alike.
    let tried = tempfile::Builder::new().prefix(".stylize-video-").tempfile_in(folder);
    tried.map(drop).map_err(|error| PlanError::ReadOnly { folder: folder.into(), source: bare(error) })
}

/// Drops the path of the temporary file that tempfile adds to its errors.
fn bare(error: io::Error) -> io::Error {
    io::Error::from(error.kind())
}

/// One planned job: its input as it was found, and whether the job is to run.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    pub input: &'a Path,
    pub job: &'a Job,
    pub runs: bool,
}

/// Checks the jobs against each other and against all inputs.
///
/// # Errors
/// If two jobs have the same output, or if one that is to run would overwrite another's input.
pub fn collisions<'a>(entries: &[Entry<'_>], inputs: impl Iterator<Item = &'a Path>) -> Result<(), PlanError> {
    let inputs: HashMap<PathBuf, &Path> = inputs.map(|input| (resolved(input), input)).collect();
    let mut taken: HashMap<PathBuf, &Path> = HashMap::with_capacity(entries.len());
    for &Entry { input, job, runs } in entries {
        let output = job.output.path();
        let resolved = resolved(output);
        if let Some(other) = inputs.get(&resolved).filter(|other| runs && **other != input) {
            return Err(PlanError::OthersInput { input: input.into(), other: other.to_path_buf() });
        }
        if let Some(first) = taken.insert(resolved, input).filter(|_| job.output != Output::Stdout) {
            return Err(PlanError::Collision { first: first.into(), second: input.into(), output: output.into() });
        }
    }
    Ok(())
}

/// Returns a path that is the same for every spelling: the canonical folder and the name.
pub fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.into(),
    }
}
