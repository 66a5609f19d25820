//! Filters that give one frame for each, in order: the timings go around them.

use std::collections::VecDeque;

use ffmpeg_next::color::{Primaries, Range, Space, TransferCharacteristic};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, frame};

use crate::media::Timing;
use crate::media::graph::VideoGraph;

/// Frames with their timings.
pub(super) type Timed = (frame::Video, Timing);

/// What a graph is built for: another value needs another graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    pub width: u32,
    pub height: u32,
    pub format: Pixel,
    matrix: Space,
    range: Range,
    primaries: Primaries,
    transfer: TransferCharacteristic,
    /// Shape of a pixel, 0/1 where it is not told.
    aspect: (i32, i32),
    /// Whether it goes through the deinterlacer.
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

    /// Width to height as it is shown.
    pub fn display(&self) -> f64 {
        let pixel = match self.aspect {
            (num, den) if num > 0 && den > 0 => f64::from(num) / f64::from(den),
            _ => 1.0,
        };
        f64::from(self.width.max(1)) * pixel / f64::from(self.height.max(1))
    }
}

/// A graph that is built anew when the frames change.
#[derive(Default)]
pub(super) struct Stage {
    graph: Option<(Shape, VideoGraph)>,
    /// Timings of the frames inside the graph.
    inside: VecDeque<Timing>,
}

impl Stage {
    /// Whether frames of that shape need another graph; then [`Stage::set`] it.
    pub fn needs(&self, shape: &Shape) -> bool {
        self.graph.as_ref().is_none_or(|(built_for, _)| built_for != shape)
    }

    /// Takes another graph into use. What the old one still held comes out first.
    pub fn set(&mut self, shape: Shape, graph: VideoGraph, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        self.flush(out)?;
        self.graph = Some((shape, graph));
        Ok(())
    }

    pub fn push(&mut self, mut frame: frame::Video, timing: Timing, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        let Some((_, graph)) = &mut self.graph else { return Err(ffmpeg::Error::Bug) };
        // The graph's own clock is not used (the deinterlacer changes it), but has to run forward.
        frame.set_pts(Some(timing.pts));
        self.inside.push_back(timing);
        graph.push(&mut frame)?;
        self.drain(out)
    }

    /// Takes out what the graph holds back. A push needs a new graph afterwards.
    pub fn flush(&mut self, out: &mut Vec<Timed>) -> Result<(), ffmpeg::Error> {
        if let Some((_, graph)) = &mut self.graph {
            graph.flush()?;
            self.drain(out)?;
        }
        self.graph = None;
        // One for one: a frame that went in and did not come out is a bug worth hearing of.
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
