//! Errors of keeping a job's progress and of resuming from it.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::holder::Holder;

#[derive(Debug, thiserror::Error)]
pub enum ResumeError {
    #[error("another run works on this output: {holder}; wait for it, or end it")]
    Busy { holder: Holder },
    #[error("cannot make the work folder {}: {source}; check that the folder exists and can be written to", path.display())]
    Work { path: PathBuf, source: io::Error },
    #[error("{} is in the way of the work folder: move it elsewhere", .0.display())]
    InTheWay(PathBuf),
    #[error("the disk is full: {} cannot be written; what is painted so far is kept: make room and run again", .0.display())]
    DiskFull(PathBuf),
    #[error("{} would be larger than this process or file system may write: raise the limit of the file size (ulimit -f) and run again; what is painted so far is kept", .0.display())]
    TooLarge(PathBuf),
    #[error("{}: the job's progress cannot be kept: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{}: the progress of an earlier run cannot be read: {source}; run again with --no-resume", path.display())]
    Lost { path: PathBuf, source: io::Error },
    #[error("{} cannot be joined: {why}", path.display())]
    NotJoined { path: PathBuf, why: String },
    #[error("missing in the given work folders, counted from 0: {0}; --shots paints them")]
    MissingShots(String),
    #[error("{} and {} differ in frames {}..{}: join only one of the two", one.display(), two.display(), frames.start, frames.end)]
    Differ { frames: Range<u64>, one: PathBuf, two: PathBuf },
}

impl ResumeError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        let path = path.to_path_buf();
        match source.kind() {
            StorageFull | QuotaExceeded => Self::DiskFull(path),
            FileTooLarge => Self::TooLarge(path),
            _ => Self::Io { path, source },
        }
    }
}
