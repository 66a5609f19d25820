//! Errors of optical flow.

use std::path::PathBuf;

/// The reason why there is no flow.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    #[error("{}: the flow file cannot be read: {source}; check the path", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{}: is no flow file: {what}; write it as Middlebury .flo", path.display())]
    File { path: PathBuf, what: String },
    #[error("{}: the flow is {width}x{height}, which is not of the frame's shape ({frame_width}x{frame_height})", path.display())]
    Shape { path: PathBuf, width: usize, height: usize, frame_width: usize, frame_height: usize },
    #[error("--flow {0}: needs two numbers, as in flow_%d_%d.flo: the frame it is from, then the frame it is to")]
    Pattern(String),
    #[error(
        "this program was built without OpenCV, which estimates optical flow: build it with the feature `opencv`, give --flow 'flow_%d_%d.flo', or go without: --set init.next=previous --set temporal.weight=0"
    )]
    NotBuilt,
    #[error("optical flow by OpenCV failed: {0}")]
    Library(String),
}

impl FlowError {
    /// Returns whether the error is just a missing file.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound)
    }
}
