//! What goes in and what comes out, as paths.

use std::path::{Path, PathBuf};

/// An input, classified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Video(PathBuf),
    Picture(PathBuf),
    /// Pictures in display order.
    Sequence {
        folder: PathBuf,
        files: Vec<PathBuf>,
    },
}

/// A final output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    Video(PathBuf),
    Picture(PathBuf),
    /// A folder and, for each input picture, the file name in it.
    Sequence {
        folder: PathBuf,
        names: Vec<String>,
    },
}

impl Output {
    /// The file or folder that appears when the job is done.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Picture(path) | Self::Sequence { folder: path, .. } => path,
        }
    }
}

/// The part of the input that is stylised.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Range {
    /// Seconds from the beginning of the input.
    pub start: f64,
    /// At most so many frames.
    pub frames: Option<u64>,
}
