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
    /// A stream of video on standard input (`-`).
    Stdin,
}

/// A final output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Video of any kind, animations (gif, apng, webp) among them.
    Video(PathBuf),
    Picture(PathBuf),
    /// A folder and the names of the pictures in it.
    Sequence {
        folder: PathBuf,
        names: Names,
    },
    /// A stream of video on standard output (`-`).
    Stdout,
}

impl Output {
    /// The file or folder that appears when the job is done; `-` for standard output.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Picture(path) | Self::Sequence { folder: path, .. } => path,
            Self::Stdout => Path::new("-"),
        }
    }
}

/// The file names of a sequence that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// One for each picture of the input, also for those outside the part that is read.
    Listed(Vec<String>),
    /// Made from the frame's number in the source, which counts from 1.
    Numbered(NumberedName),
}

impl Names {
    /// The name of the picture that is number `index` of the source, counted from 0.
    pub fn of(&self, index: u64) -> Option<String> {
        match self {
            Self::Listed(names) => usize::try_from(index).ok().and_then(|index| names.get(index).cloned()),
            Self::Numbered(name) => Some(name.with(index + 1)),
        }
    }
}

/// A file name with a number in it: `frame_%04d.png`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedName {
    pub before: String,
    /// Digits at least, filled up with zeros.
    pub width: usize,
    pub after: String,
}

impl NumberedName {
    pub fn with(&self, number: u64) -> String {
        format!("{}{number:0width$}{}", self.before, self.after, width = self.width)
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
