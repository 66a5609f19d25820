//! Errors of the `layers` command.

use std::path::PathBuf;

use crate::batch::plan::PlanError;
use crate::stylize::StyleError;

/// Why a network cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ExploreError {
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Style(#[from] StyleError),
    #[error("{}: no picture or video in it: give pictures, videos or folders of them", .0.display())]
    EmptyFolder(PathBuf),
    #[error("layers needs files: standard input (-) can be gone through only once; save it first")]
    Stdin,
    #[error("none of the {tried} inputs could be read; the first: {first}")]
    NothingRead { tried: usize, first: String },
    #[error("--units {unit}: the largest of the chosen layers, {layer}, has units 0 to {}", channels - 1)]
    NoSuchUnit { unit: usize, layer: String, channels: usize },
    #[error(
        "{}: holds files but no {}, so it is not a folder that this command made: choose another with -o",
        folder.display(), super::STATE_FILE
    )]
    ForeignFolder { folder: PathBuf },
    #[error(
        "{}: holds the result of other settings ({what} changed): choose another folder with -o, or start over with \
         --restart", folder.display()
    )]
    OtherRun { folder: PathBuf, what: String },
    #[error("{}: is damaged ({problem}): start over with --restart", path.display())]
    State { path: PathBuf, problem: String },
    #[error("{}: cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}: cannot be drawn: {source}", path.display())]
    Draw { path: PathBuf, source: image::ImageError },
    #[error("{}: cannot be read: {problem}", path.display())]
    Picture { path: PathBuf, problem: String },
    #[error("interrupted after {pictures} pictures: the same command continues from there")]
    Cancelled { pictures: u64 },
}

impl ExploreError {
    /// Returns 2 for a mistake in the command, 1 for everything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(error) => error.exit_code(),
            Self::Stdin | Self::NoSuchUnit { .. } | Self::OtherRun { .. } | Self::ForeignFolder { .. } => 2,
            Self::Style(StyleError::UnknownLayer { .. }) => 2,
            _ => 1,
        }
    }
}
