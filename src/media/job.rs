//! Inputs and outputs of a job, as paths.

use std::path::{Path, PathBuf};

/// An input by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    Video(PathBuf),
    Picture(PathBuf),
    /// Pictures in display order.
    Sequence {
        folder: PathBuf,
        files: Vec<PathBuf>,
    },
    /// A video stream on standard input (`-`).
    Stdin,
}

impl Input {
    /// Returns the file, or the folder of a sequence; `-` for standard input.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Picture(path) => path,
            Self::Sequence { folder, .. } if folder.as_os_str().is_empty() => Path::new("."),
            Self::Sequence { folder, .. } => folder,
            Self::Stdin => Path::new("-"),
        }
    }
}

/// An output by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Any video, including animations (gif, apng, webp).
    Video(PathBuf),
    Picture(PathBuf),
    /// A folder and the names of the pictures written to it.
    Sequence {
        folder: PathBuf,
        names: Names,
    },
    /// A video stream on standard output (`-`).
    Stdout,
}

impl Output {
    /// Returns the file or folder that exists when the job is done; `-` for standard output.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(path) | Self::Picture(path) | Self::Sequence { folder: path, .. } => path,
            Self::Stdout => Path::new("-"),
        }
    }
}

/// The file names of an output sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Names {
    /// One name per picture of the input, including those outside the range that is read.
    Listed(Vec<String>),
    /// Names made from the frame's number in the source, counted from 1.
    Numbered(NumberedName),
}

impl Names {
    /// Returns the name for picture `index` of the source, counted from 0.
    pub fn of(&self, index: u64) -> Option<String> {
        match self {
            Self::Listed(names) => usize::try_from(index).ok().and_then(|index| names.get(index).cloned()),
            Self::Numbered(name) => Some(name.with(index + 1)),
        }
    }
}

/// A file name that contains a number: `frame_%04d.png`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberedName {
    pub before: String,
    /// Minimum number of digits; shorter numbers are padded with zeros.
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
    /// Maximum number of frames.
    pub frames: Option<u64>,
}
