//! The properties of an input that are known before its first frame.

use std::path::PathBuf;

use super::color::ColorInfo;
use super::job::Range;
use super::samples::Samples;
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

    /// Returns the fraction as a number; 0 if the denominator is 0.
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
    /// Expected number of frames, if the container states it. This is only a hint: the exact number is known once the
    /// decoder is drained.
    pub frames: Option<u64>,
    /// The time base of every frame's `Timing`.
    pub base: TimeBase,
    /// Frames per second, if known. A hint for encoders: it never determines a timestamp.
    pub rate: Option<Ratio>,
    /// Sample aspect ratio of the upright picture; `None` means square or unknown.
    pub sample_aspect: Option<Ratio>,
    /// Colour description for writing the decoded frames (see [`ColorInfo::written`]).
    pub color: ColorInfo,
    /// Sample format of the source, which the output follows.
    pub samples: Samples,
    /// FFmpeg's name for the source's video codec (`h264`, `prores`, ...); empty for pictures.
    pub codec: &'static str,
    /// Number, from 0, of the first frame delivered, counted in the source.
    pub first: u64,
    /// The video that the pictures come from; a video output copies its other streams. `None` for pictures.
    pub source: Option<Source>,
}

/// A video file as the source of streams to copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub path: PathBuf,
    /// Name of the demuxer, where the file alone does not determine it (`[input]` in the settings).
    pub format: String,
    /// Options of the demuxer, each as `key=value`.
    pub options: Vec<String>,
    /// Index of the stream that the pictures come from.
    pub stream: usize,
    /// Whether a clock that starts far from 0 is left unchanged.
    pub keep_clock: bool,
    /// Description of the pictures that are not read, if any.
    pub lost: Option<String>,
    /// The part of the input that is read. If it begins later than the input, every stream of the output is moved so
    /// that the first frame is at 0.
    pub range: Range,
}
