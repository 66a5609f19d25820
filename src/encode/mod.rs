//! Encode: a sink of frames, whatever the output is.

use crate::media::Frame;

/// Takes frames in display order and, at the end, leaves a finished, verified temporary output.
pub trait FrameSink: Send {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError>;
    /// Drains the encoder, closes the file, adds what the source has beside its pictures, verifies the result.
    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError>;
}

/// What a sink wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    pub frames: u64,
}

/// Why an output cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {}
