//! What an input is, known before its first frame.

use std::path::PathBuf;

use super::color::ColorInfo;
use super::job::Range;
use super::time::TimeBase;

/// A fraction, for frame rates (frames per second) and sample aspect ratios (width to height of a pixel).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    pub num: i32,
    pub den: i32,
}

impl Ratio {
    pub const fn new(num: i32, den: i32) -> Self {
        Self { num, den }
    }

    /// As a number; 0 for a fraction without meaning.
    pub fn value(self) -> f64 {
        if self.den == 0 { 0.0 } else { f64::from(self.num) / f64::from(self.den) }
    }
}

/// Properties of the pictures of an input.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaInfo {
    /// Size of the upright picture (after rotation), in pixels.
    pub width: usize,
    pub height: usize,
    /// Expected number of frames where the container tells it. A hint: only the drained decoder knows.
    pub frames: Option<u64>,
    /// The time base of every frame's `Timing`.
    pub base: TimeBase,
    /// Frames per second, where it is known. A hint for encoders: it never decides a timestamp.
    pub rate: Option<Ratio>,
    /// Shape of a pixel of the upright picture; `None` means square or unknown.
    pub sample_aspect: Option<Ratio>,
    /// How the decoded frames are to be written again (see [`ColorInfo::written`]).
    pub color: ColorInfo,
    /// What the source's samples are like, which the output's follow.
    pub samples: Samples,
    /// FFmpeg's name of the source's video codec (`h264`, `prores`, ...); empty for pictures.
    pub codec: &'static str,
    /// Number in the source, from 0, of the first frame given.
    pub first: u64,
    /// The video the pictures come from, whose other streams a video output takes over. `None` for pictures.
    pub source: Option<Source>,
}

/// What the samples of a picture are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Samples {
    pub model: Model,
    /// Bits of each component: 8, 10, 12, 16; 32 for floats.
    pub depth: u8,
    /// How much smaller chroma is than luma, as powers of two, across and down: `(1, 1)` is 4:2:0, `(0, 0)` 4:4:4.
    pub chroma: (u8, u8),
    pub alpha: bool,
}

impl Samples {
    /// 8-bit RGB, as most pictures have it.
    pub const RGB8: Self = Self { model: Model::Rgb, depth: 8, chroma: (0, 0), alpha: false };
}

/// What a picture's components are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    Yuv,
    Rgb,
    Grey,
}

/// A video file, as the origin of streams to copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub path: PathBuf,
    /// The demuxer and its options, each `key=value`, where the file alone does not tell (`[input]` of the settings).
    pub format: String,
    pub options: Vec<String>,
    /// Index of the stream the pictures come from.
    pub stream: usize,
    /// Whether a clock that begins far from 0 stays as it is.
    pub keep_clock: bool,
    /// What of its pictures is not read, in words.
    pub lost: Option<String>,
    /// The part of the input that is read. Where it begins later than the input, every stream of the output is
    /// moved so that the first frame is at 0.
    pub range: Range,
}
