//! Decode: a source of frames, whatever the input is.

use crate::media::{Frame, MediaInfo};

/// Frames in display order.
pub trait FrameSource: Send {
    /// What the input is; known before the first frame.
    fn info(&self) -> &MediaInfo;
    /// The next frame, or `None` once every frame has been given (the decoder is drained).
    fn next(&mut self) -> Result<Option<Frame>, DecodeError>;
}

/// Why an input cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {}
