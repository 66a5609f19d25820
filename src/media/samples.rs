//! How the samples of a picture are stored: colour model, depth, subsampling, transparency.

/// The sample format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    pub model: Model,
    /// Bits per component: 8, 10, 12 or 16; 32 for floats.
    pub depth: u8,
    /// Chroma subsampling as powers of two, horizontally and vertically: `(1, 1)` is 4:2:0, `(0, 0)` is 4:4:4.
    pub chroma: (u8, u8),
    pub alpha: bool,
}

impl Samples {
    /// 8-bit RGB, as most pictures have it.
    pub const RGB8: Self = Self { model: Model::Rgb, depth: 8, chroma: (0, 0), alpha: false };
}

/// The colour model of a picture's components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    Yuv,
    Rgb,
    Grey,
}
