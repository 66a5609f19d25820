//! Records which parts are finished, and finds where a previous run stopped.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::ResumeError;
use super::manifest::{Complete, Finished, MANIFEST, Manifest, ManifestError, Place};
use super::superseded;
use super::tail::{self, Tail};
use super::work::{SUPERSEDED, WorkFolder};
use crate::encode::{Part, Piece};
use crate::files;
use crate::identity::Identity;
use crate::job::Shots;
use crate::media::{Frame, TimeBase};
use crate::stylize::Snapshot;

/// The progress of a job in its work folder.
#[derive(Debug)]
pub struct Journal<'a> {
    work: &'a WorkFolder,
    manifest: Manifest,
}

/// An opened journal, and notes about it for the user.
#[derive(Debug)]
pub struct Opened<'a> {
    pub journal: Journal<'a>,
    pub notes: Vec<String>,
}

impl<'a> Journal<'a> {
    /// Opens the progress that a previous run of this job left in the folder, if there is any and `resumes` is set.
    /// Progress of another job, or of this one without `resumes`, is set aside until this job has finished a part;
    /// files that no manifest names are removed. `threads` is the thread count of a job that starts from scratch, `shots`
    /// the range of shots that the run is confined to.
    ///
    /// # Errors
    /// If the folder cannot be read or tidied.
    pub fn open(
        work: &'a WorkFolder,
        identity: Identity,
        threads: u32,
        resumes: bool,
        shots: Option<Shots>,
    ) -> Result<Opened<'a>, ResumeError> {
        let mut notes = Vec::new();
        let mut found = Self::found(work, &mut notes)?;
        let changed = |manifest: &Manifest| {
            let range = || (manifest.shots != shots).then(|| "the range of shots has changed".to_owned());
            identity.changed(&manifest.identity).or_else(range)
        };
        let same = |manifest: &Manifest| resumes && changed(manifest).is_none();
        let former = superseded::read(work)?;
        if former.is_some()
            && (found.is_none() || (former.as_ref().is_some_and(same) && !found.as_ref().is_some_and(same)))
        {
            superseded::restore(work)?;
            found = Self::found(work, &mut notes)?;
        }
        let mut manifest = match found {
            Some(manifest) if same(&manifest) => manifest,
            Some(manifest) if manifest.frames() > 0 => {
                let since = format!("since {} of its frames were painted", manifest.frames());
                let changed = changed(&manifest);
                notes.extend(changed.map(|changed| format!("starts over because {changed} {since}")));
                superseded::step_aside(work, &manifest)?;
                Manifest::new(identity, threads, shots)
            }
            _ => Manifest::new(identity, threads, shots),
        };
        let whole = whole(&manifest, work)?;
        let before = manifest.frames();
        if manifest.fall_back(|piece| whole.contains(&piece.name)) {
            let lost = before - manifest.frames();
            notes.push(format!("files of the work folder are missing or damaged: {lost} frames are painted again"));
            manifest.write(work.path())?;
        }
        let journal = Self { work, manifest };
        journal.tidy()?;
        Ok(Opened { journal, notes })
    }

    /// Returns the manifest in the work folder; `None` if it is missing or damaged.
    fn found(work: &WorkFolder, notes: &mut Vec<String>) -> Result<Option<Manifest>, ResumeError> {
        match Manifest::read(work.path()) {
            Ok(found) => Ok(found),
            Err(ManifestError::Unreadable(error)) => Err(ResumeError::io(&work.path().join(MANIFEST), error)),
            Err(error) => {
                notes.push(format!("an earlier run's progress is not used: its manifest cannot be read ({error})"));
                Ok(None)
            }
        }
    }

    /// Removes every file that the manifest does not name.
    fn tidy(&self) -> Result<(), ResumeError> {
        let top = |name: &std::ffi::OsStr| {
            name == MANIFEST
                || name == SUPERSEDED
                || self.manifest.files().any(|piece| {
                    let first = std::path::Path::new(&piece.name).components().next();
                    first.is_some_and(|first| first.as_os_str() == name)
                })
        };
        if self.manifest.frames() == 0 {
            return self.work.clear(|name| name == SUPERSEDED);
        }
        self.work.clear(top)
    }

    /// Returns the number of threads that the first run used for its computations; later runs must use the same number.
    pub fn threads(&self) -> u32 {
        self.manifest.threads
    }

    /// Returns the number of frames that earlier runs painted, in parts and in the tail.
    pub fn frames(&self) -> u64 {
        self.manifest.frames()
    }

    /// Returns the index in the job of the frame after the painted ones.
    pub fn next_frame(&self) -> u64 {
        self.manifest.next_frame()
    }

    /// Returns the number of painted frames that are not in any part yet.
    pub fn tail_frames(&self) -> u64 {
        self.manifest.frames() - self.manifest.sealed()
    }

    /// Returns the shots that the run is confined to, if it is.
    pub fn shots(&self) -> Option<Shots> {
        self.manifest.shots
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.manifest.identity
    }

    pub(super) fn work(&self) -> &Path {
        self.work.path()
    }

    pub fn parts(&self) -> Vec<Part> {
        self.manifest.parts.iter().map(|finished| finished.part.clone()).collect()
    }

    /// Returns what is known about the source if no frame is left to paint, else `None`.
    pub fn complete(&self) -> Option<Complete> {
        self.manifest.complete
    }

    /// Reads the state that the next frame needs.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, ResumeError> {
        let Some(state) = &self.manifest.state else { return Ok(Snapshot::default()) };
        let path = state.path(self.work.path()).unwrap_or_default();
        Snapshot::read(&path).map_err(|source| ResumeError::Lost { path, source })
    }

    /// Reads the painted frames that are not in any part yet, in ticks of `base`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn tail(&self, base: TimeBase) -> Result<Vec<Frame>, ResumeError> {
        let index = self.next_frame() - self.tail_frames();
        self.manifest.tail.as_ref().map_or(Ok(Vec::new()), |piece| tail::read(self.work.path(), piece, base, index))
    }

    /// Creates an empty tail in this work folder.
    pub fn new_tail(&self) -> Tail {
        Tail::new(self.work.path(), self.manifest.tail.as_ref())
    }

    /// Records a finished part, which follows the one before it; `snapshot` is the state that the next frame needs.
    ///
    /// # Errors
    /// If the disk is full or fails. The progress recorded so far is kept.
    pub fn sealed(&mut self, part: Part, place: Place, snapshot: &Snapshot) -> Result<(), ResumeError> {
        let mut next = self.manifest.clone();
        next.begin_at(place.first);
        next.parts.push(Finished { part, place: Some(place), shot_ends: snapshot.is_empty() });
        next.tail = None;
        next.state = self.write_state(next.sealed(), snapshot)?;
        self.replace(next)
    }

    /// Records the tail of a run that ends before the job does; `first` is the index of its first frame, `snapshot` the
    /// state that the next frame needs.
    ///
    /// # Errors
    /// As [`Journal::sealed`].
    pub fn paused(&mut self, tail: &mut Tail, first: u64, snapshot: &Snapshot) -> Result<(), ResumeError> {
        if tail.len() as u64 == self.tail_frames() {
            // No frame was added since the last record.
            return Ok(());
        }
        let mut next = self.manifest.clone();
        next.begin_at(first);
        next.tail = tail.secure()?;
        next.state = self.write_state(next.frames(), snapshot)?;
        self.replace(next)
    }

    /// Records that everything is painted, of the job or of the shots; `part` is the last part.
    ///
    /// # Errors
    /// As [`Journal::sealed`].
    pub fn finished(&mut self, part: Option<(Part, Place)>, complete: Complete) -> Result<(), ResumeError> {
        let mut next = self.manifest.clone();
        if let Some((part, place)) = part {
            next.begin_at(place.first);
            next.parts.push(Finished { part, place: Some(place), shot_ends: true });
        }
        (next.tail, next.state, next.complete) = (None, None, Some(complete));
        self.replace(next)
    }

    /// Replaces the progress by `parts`, which are all frames of the job and lie in the work folder.
    pub(super) fn fill(&mut self, parts: Vec<Finished>, threads: u32, complete: Complete) -> Result<(), ResumeError> {
        let mut next = Manifest::new(self.manifest.identity.clone(), threads, None);
        (next.parts, next.complete) = (parts, Some(complete));
        self.replace(next)
    }

    fn write_state(&self, frames: u64, snapshot: &Snapshot) -> Result<Option<Piece>, ResumeError> {
        if snapshot.is_empty() {
            return Ok(None);
        }
        let path = self.work.path().join(format!("state-{frames:08}.safetensors"));
        // A file of this name may be in use: after a pause at the very end of a part.
        let new = path.with_extension("writing");
        let written = snapshot.write(&new).and_then(|()| std::fs::rename(&new, &path));
        written.map_err(|error| ResumeError::io(&path, error))?;
        let piece = Piece::secure(self.work.path(), &path);
        piece.map(Some).map_err(|error| ResumeError::io(&path, std::io::Error::other(error)))
    }

    /// Writes the new manifest and removes the files that only the previous one named.
    fn replace(&mut self, next: Manifest) -> Result<(), ResumeError> {
        // The files are on the disk already; their directory entries must be there too before the manifest names them.
        let folders: BTreeSet<&Path> = next.parts.last().map_or(BTreeSet::new(), |finished| {
            finished.part.files.iter().flat_map(|piece| Path::new(&piece.name).ancestors().skip(1)).collect()
        });
        for folder in folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()) {
            let folder = self.work.path().join(folder);
            files::sync_folder(&folder).map_err(|error| ResumeError::io(&folder, error))?;
        }
        next.write(self.work.path())?;
        if !next.parts.is_empty() {
            // This job now has progress worth keeping, so the other job's progress goes.
            superseded::discard(self.work)?;
        }
        let before = std::mem::replace(&mut self.manifest, next);
        for piece in before.state.iter().chain(before.tail.as_ref().map(|tail| &tail.file)) {
            let still = self.manifest.files().any(|other| other.name == piece.name);
            if let Some(path) = piece.path(self.work.path()).filter(|_| !still) {
                // No manifest names the file any more; the next run would remove it anyway.
                let _ = std::fs::remove_file(path);
            }
        }
        Ok(())
    }
}

/// Returns the names of the files that are still there unchanged.
fn whole(manifest: &Manifest, work: &WorkFolder) -> Result<HashSet<String>, ResumeError> {
    let mut names = HashSet::new();
    for piece in manifest.files() {
        let is_whole = piece.is_whole(work.path());
        if is_whole.map_err(|error| ResumeError::io(&work.path().join(&piece.name), error))? {
            names.insert(piece.name.clone());
        }
    }
    Ok(names)
}
