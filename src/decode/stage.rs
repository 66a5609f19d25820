//! Filters that return exactly one frame per input frame, in order. Timings do not pass through the graph.

use std::collections::VecDeque;

use ffmpeg_next::color::{Primaries, Range, Space, TransferCharacteristic};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, frame};

use crate::media::Timing;
use crate::media::graph::VideoGraph;

/// A frame with its timing.
pub(super) type Timed = (frame::Video, Timing);

/// The frame properties that a filter graph is built for. If one of them changes, the graph must be rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub width: u32,
    pub height: u32,
    pub format: Pixel,
    matrix: Space,
    range: Range,
    primaries: Primaries,
    transfer: TransferCharacteristic,
    /// Sample aspect ratio, 0/1 if unknown.
    aspect: (i32, i32),
    /// Whether the frame goes through the deinterlacer.
    pub interlaced: bool,
}

impl Shape {
    pub fn of(frame: &frame::Video, interlaced: bool) -> Self {
        Self {
            width: frame.width(),
            height: frame.height(),
            format: frame.format(),
            matrix: frame.color_space(),
            range: frame.color_range(),
            primaries: frame.color_primaries(),
            transfer: frame.color_transfer_characteristic(),
            aspect: (frame.aspect_ratio().numerator(), frame.aspect_ratio().denominator()),
            interlaced,
        }
    }

    /// Returns the display aspect ratio (width divided by height).
    pub fn display(&self) -> f64 {
        let pixel = match self.aspect {
            (num, den) if num > 0 && den > 0 => f64::from(num) / f64::from(den),
            _ => 1.0,
        };
        f64::from(self.width.max(1)) * pixel / f64::from(self.height.max(1))
    }
}

/// A filter graph that is rebuilt when the properties of the frames change.
#[derive(Default)]
pub(super) struct Stage {
    graph: Option<(Shape, VideoGraph)>,
    /// Timings of the frames that are inside the graph.
    inside: VecDeque<Timing>,
}

impl Stage {
    /// Whether frames of this shape need another graph, to be passed to [`Stage::set`].
    pub fn needs(&self, shape: &Shape) -> bool {
        self.graph.as_ref().is_none_or(|(built_for, _)| built_for != shape)
    }

    /// Replaces the graph. Frames still held by the old one come out first.
    pub fn set(&mut self, shape: Shape, graph: VideoGraph, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        self.flush(out)?;
        self.graph = Some((shape, graph));
        Ok(())
    }

    pub fn push(&mut self, mut frame: frame::Video, timing: Timing, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        let Some((_, graph)) = &mut self.graph else { return Err(ffmpeg::Error::Bug) };
        // The graph's own timestamps are not used (the deinterlacer changes them), but they must increase.
        frame.set_pts(Some(timing.pts));
        self.inside.push_back(timing);
        graph.push(&mut frame)?;
        self.drain(out)
    }

    /// Takes out the frames that the graph holds back. The next push needs a new graph.
    pub fn flush(&mut self, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        if let Some((_, graph)) = &mut self.graph {
            graph.flush()?;
            self.drain(out)?;
        }
        self.graph = None;
        // Each input frame must come out once: a missing one is a bug, and is reported.
        if self.inside.is_empty() { Ok(()) } else { Err(ffmpeg::Error::Bug) }
    }

    fn drain(&mut self, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        let Some((_, graph)) = &mut self.graph else { return Ok(()) };
        while let Some(frame) = graph.pull()? {
            let timing = self.inside.pop_front().ok_or(ffmpeg::Error::Bug)?;
            out.push((frame, timing));
        }
        Ok(())
    }
}
