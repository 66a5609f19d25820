//! The manifest: how far a job has come, as JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::ResumeError;
use crate::encode::{Part, Piece, Shown};
use crate::files;
use crate::identity::Identity;
use crate::job::Shots;

pub(super) const MANIFEST: &str = "manifest.json";
/// Version of the file format; files of other versions are rejected.
const FORMAT: u32 = 2;
const MOST_THREADS: u32 = 1024;
/// Limit of frame and shot numbers.
const MOST_FRAMES: u64 = 1 << 48;
/// Size limit of a manifest in bytes. A million frames take 20 MB.
const LARGEST: u64 = 1 << 30;

/// The progress of a job that is on the disk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: u32,
    /// Identifies the job.
    pub identity: Identity,
    /// Number of CPU threads that computations are divided among, the same for all frames: the last bits depend on it.
    pub threads: u32,
    /// Index in the job of the first painted frame, from 0.
    #[serde(default)]
    first: u64,
    /// Finished parts, in order and without gaps.
    pub parts: Vec<Finished>,
    /// State that the frame after the last part (and the tail) needs; `None` if it needs none.
    pub state: Option<Piece>,
    pub tail: Option<TailPiece>,
    /// Set once every frame is painted, of the job or of `shots`.
    /// The shots that the run is confined to; `None` if it does the whole job.
    #[serde(default)]
    pub shots: Option<Shots>,
    pub complete: Option<Complete>,
}

/// A finished part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    pub part: Part,
    /// `None` if an earlier version, which did not record it, wrote the part.
    #[serde(default)]
    pub place: Option<Place>,
    /// Whether a shot ends here, so that the next frame needs no state.
    pub shot_ends: bool,
}

/// Where a part belongs in its job: it covers as many frames from `first` on as it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Number of the shot, from 0.
    pub shot: u64,
    /// Index of its first frame, from 0.
    pub first: u64,
}

/// Painted frames that do not fill a part yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TailPiece {
    pub file: Piece,
    pub shown: Vec<Shown>,
}

/// Facts about the source that are known once all frames are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Complete {
    /// See [`crate::encode::FrameSink::expect_every_frame`]; known only at the source's end.
    pub every_frame: bool,
    /// Whether the last painted frame is the job's last one.
    #[serde(default = "to_the_end")]
    pub ends: bool,
}

/// Earlier versions always painted to the end.
fn to_the_end() -> bool {
    true
}

/// Why a manifest is rejected.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("it is of another version of the program")]
    Version,
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// The file cannot be read, so its content is unknown.
    #[error("{0}")]
    Unreadable(#[from] std::io::Error),
}

impl Manifest {
    /// Creates the manifest of a job that starts from scratch.
    pub fn new(identity: Identity, threads: u32, shots: Option<Shots>) -> Self {
        let (parts, state, tail, complete) = (Vec::new(), None, None, None);
        Self { format: FORMAT, identity, threads, first: 0, parts, state, tail, shots, complete }
    }

    /// Parses the text of a manifest.
    ///
    /// # Errors
    /// If it is not a manifest, is cut off, belongs to another version, or its parts leave a gap.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let damaged = |error: serde_json::Error| ManifestError::Damaged(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
        if head.format != FORMAT {
            return Err(ManifestError::Version);
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        if !(1..=MOST_THREADS).contains(&manifest.threads) {
            return Err(ManifestError::Damaged(format!("no machine has {} threads", manifest.threads)));
        }
        manifest.check_places()?;
        Ok(manifest)
    }

    /// Checks that the parts follow each other from where the run begins.
    fn check_places(&self) -> Result<(), ManifestError> {
        if self.shots.is_none() && self.first > 0 {
            return Err(ManifestError::Damaged(format!("a whole job does not begin at frame {}", self.first)));
        }
        let mut next = self.first;
        for finished in &self.parts {
            if finished.place.is_some_and(|place| place.first != next || place.shot > MOST_FRAMES) {
                return Err(ManifestError::Damaged(format!("the part at frame {next} claims another place")));
            }
            next = next.saturating_add(finished.part.frames());
        }
        if next > MOST_FRAMES {
            return Err(ManifestError::Damaged(format!("no video has {next} frames")));
        }
        Ok(())
    }

    /// Reads the manifest in a work folder; `None` if the folder has no manifest.
    ///
    /// # Errors
    /// As [`Manifest::parse`], and if the disk fails.
    pub fn read(work: &Path) -> Result<Option<Self>, ManifestError> {
        let path = work.join(MANIFEST);
        let data = match path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            data => data?,
        };
        if data.len() > LARGEST || !data.is_file() {
            return Err(ManifestError::Damaged(format!("it has {} bytes", data.len())));
        }
        Self::parse(&std::fs::read(&path)?).map(Some)
    }

    /// Writes the manifest and atomically replaces the previous one.
    ///
    /// # Errors
    /// If the disk is full or fails; the previous manifest is then still there.
    pub fn write(&self, work: &Path) -> Result<(), ResumeError> {
        let path = work.join(MANIFEST);
        let bytes = serde_json::to_vec(self).map_err(std::io::Error::other);
        bytes.and_then(|bytes| files::write_whole(&path, &bytes)).map_err(|error| ResumeError::io(&path, error))
    }

    /// Returns the number of frames in finished parts.
    pub fn sealed(&self) -> u64 {
        self.parts.iter().map(|finished| finished.part.frames()).sum()
    }

    /// Returns the number of painted frames, including the tail.
    pub fn frames(&self) -> u64 {
        self.sealed() + self.tail.as_ref().map_or(0, |tail| tail.shown.len() as u64)
    }

    /// Returns the index of the frame after the painted ones.
    pub fn next_frame(&self) -> u64 {
        self.first + self.frames()
    }

    /// Sets the index of the first painted frame, if none is painted yet.
    pub(super) fn begin_at(&mut self, first: u64) {
        if self.frames() == 0 {
            self.first = first;
        }
    }

    /// Returns every file that the manifest names.
    pub fn files(&self) -> impl Iterator<Item = &Piece> {
        let parts = self.parts.iter().flat_map(|finished| &finished.part.files);
        parts.chain(&self.state).chain(self.tail.as_ref().map(|tail| &tail.file))
    }

    /// Drops progress until only intact files that the job can resume from are left. Returns whether anything was lost.
    pub fn fall_back(&mut self, is_whole: impl Fn(&Piece) -> bool) -> bool {
        let whole = self.parts.iter().take_while(|finished| finished.part.files.iter().all(&is_whole)).count();
        let all = whole == self.parts.len();
        let stands = |piece: &Option<Piece>| piece.as_ref().is_none_or(&is_whole);
        let tail = self.tail.as_ref().is_none_or(|tail| is_whole(&tail.file));
        if all && stands(&self.state) && tail {
            return false;
        }
        // The state belongs after the tail; if either is lost, the job can only resume at the end of a shot.
        let ends = |finished: &Finished| finished.shot_ends;
        let keeps = self.parts[..whole].iter().rposition(ends).map_or(0, |place| place + 1);
        let keeps = if all && self.complete.is_some() { whole } else { keeps };
        self.parts.truncate(keeps);
        (self.state, self.tail) = (None, None);
        if !all {
            self.complete = None;
        }
        true
    }
}
