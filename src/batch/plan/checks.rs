//! What must hold before any work: no output on top of an input or another output, and a folder to write into.

use std::io;
use std::path::{Path, PathBuf};

use super::input::is_picture;
use super::{Job, PlanError};
use crate::media::{Input, Output};
use crate::provenance::CONTENTS;

/// Whether both are the same file or folder, also through links.
fn same(a: &Path, b: &Path) -> bool {
    // An error means that one is not there.
    same_file::is_same_file(a, b).unwrap_or(false)
}

/// The file or folder that `input` is.
pub fn place(input: &Input) -> &Path {
    match input {
        Input::Video(path) | Input::Picture(path) => path,
        Input::Sequence { folder, .. } if folder.as_os_str().is_empty() => Path::new("."),
        Input::Sequence { folder, .. } => folder,
        Input::Stdin => Path::new("-"),
    }
}

/// # Errors
/// When the output is the input.
pub fn not_own_input(input: &Input, output: &Output) -> Result<(), PlanError> {
    let is_file = *output != Output::Stdout;
    if is_file && same(place(input), output.path()) { Err(PlanError::OwnInput(output.path().into())) } else { Ok(()) }
}

/// Whether something is at the output's place. An empty folder is as good as none for a sequence.
///
/// # Errors
/// When what is there is a folder instead of a file or the other way round.
pub fn is_there(output: &Output) -> Result<bool, PlanError> {
    if *output == Output::Stdout {
        return Ok(false);
    }
    let path = output.path();
    // Not `exists`: a link that leads nowhere is something too.
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(false) };
    let is_dir = metadata.is_dir() || path.is_dir();
    match output {
        Output::Sequence { .. } if !is_dir => {
            Err(PlanError::InTheWay { path: path.into(), is: "file", should: "folder" })
        }
        Output::Sequence { .. } => {
            let unreadable = |source| PlanError::Unreadable { path: path.into(), source };
            Ok(std::fs::read_dir(path).map_err(unreadable)?.next().is_some())
        }
        Output::Video(_) | Output::Picture(_) if is_dir => {
            Err(PlanError::InTheWay { path: path.into(), is: "folder", should: "file" })
        }
        Output::Video(_) | Output::Picture(_) | Output::Stdout => Ok(true),
    }
}

/// # Errors
/// When the output is a folder with something in it that no run of ours has put there.
pub fn replaceable(output: &Output) -> Result<(), PlanError> {
    let Output::Sequence { folder, .. } = output else { return Ok(()) };
    let unreadable = |source| PlanError::Unreadable { path: folder.clone(), source };
    // Hidden files count here: a `.git` says that the folder is someone's work.
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        // Says which pictures are ours.
        let is_ours = file.file_name().is_some_and(|name| name == CONTENTS) && file.is_file();
        if !is_ours && (!is_picture(&file) || file.is_dir()) {
            let foreign = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Err(PlanError::NotOnlyPictures { path: folder.clone(), foreign });
        }
    }
    Ok(())
}

/// Checks that the output's folder is there and can be written into.
///
/// # Errors
/// When it is not.
pub fn folder(output: &Output, dry_run: bool) -> Result<(), PlanError> {
    if *output == Output::Stdout {
        return Ok(());
    }
    let folder = match output.path().parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(PlanError::NoFolder(folder.into()));
    }
    if dry_run {
        return Ok(());
    }
    // Trying is the only test that permissions, read-only mounts and quotas all answer.
    let tried = tempfile::Builder::new().prefix(".stylize-video-").tempfile_in(folder);
    tried.map(drop).map_err(|error| PlanError::ReadOnly { folder: folder.into(), source: bare(error) })
}

/// tempfile adds the path of the file that it tried, which nobody asked for.
fn bare(error: io::Error) -> io::Error {
    io::Error::from(error.kind())
}

/// Checks the jobs that will run against each other and against all inputs.
///
/// # Errors
/// When two have the same output or one would write over another's input.
pub fn collisions(jobs: &[(&Path, &Job)], inputs: &[PathBuf]) -> Result<(), PlanError> {
    let mut taken: Vec<(PathBuf, &Path)> = Vec::with_capacity(jobs.len());
    for &(input, job) in jobs {
        let output = job.output.path();
        if let Some(other) = inputs.iter().find(|other| other.as_path() != input && same(other, output)) {
            return Err(PlanError::OthersInput { input: input.into(), other: other.clone() });
        }
        let resolved = resolved(output);
        if let Some((_, first)) = taken.iter().find(|(path, _)| *path == resolved) {
            return Err(PlanError::Collision { first: (*first).into(), second: input.into(), output: output.into() });
        }
        taken.push((resolved, input));
    }
    Ok(())
}

/// One spelling for one place: the real folder, then the name.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.into(),
    }
}
