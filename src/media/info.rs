//! What an input is, known before its first frame.

/// Properties of the pictures of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaInfo {
    /// Size of the upright picture (after rotation), in pixels.
    pub width: usize,
    pub height: usize,
    /// Expected number of frames where the container tells it. A hint: only the drained decoder knows.
    pub frames: Option<u64>,
}
