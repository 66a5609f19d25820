//! From decoded frames in whatever format to upright float RGB.

use std::collections::VecDeque;

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, Stream, frame, packet};

use crate::media::ffi;
use crate::media::graph::{Entry, VideoGraph};
use crate::media::{ColorInfo, Pixels, TimeBase, Timing};

/// How a stored picture is turned to stand upright.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    filter: &'static str,
    /// Whether width and height change places.
    pub swaps: bool,
}

impl Turn {
    /// From the display matrix of a stream. Only quarter turns and mirrorings occur; anything between becomes the
    /// nearest of them.
    pub fn of(stream: &Stream) -> Self {
        let matrix = stream.side_data().find(|data| data.kind() == packet::side_data::Type::DisplayMatrix);
        let entry = |index: usize| -> i32 {
            let bytes = matrix.as_ref().and_then(|matrix| matrix.data().get(4 * index..4 * index + 4));
            bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes)
        };
        if matrix.is_none() {
            Self::from_matrix(1, 0, 0, 1)
        } else {
            Self::from_matrix(entry(0), entry(1), entry(3), entry(4))
        }
    }

    /// As a filter of FFmpeg; `none` for a picture that stands upright as it is stored.
    pub fn name(self) -> &'static str {
        if self.filter.is_empty() { "none" } else { self.filter.trim_start_matches(',') }
    }

    /// A stored point (x, y) is shown at (a x + c y, b x + d y), y downwards.
    fn from_matrix(a: i32, b: i32, c: i32, d: i32) -> Self {
        let swaps = i64::from(b).abs() + i64::from(c).abs() > i64::from(a).abs() + i64::from(d).abs();
        let filter = match (swaps, if swaps { c < 0 } else { a < 0 }, if swaps { b < 0 } else { d < 0 }) {
            (false, false, false) => "",
            (false, true, false) => ",hflip",
            (false, false, true) => ",vflip",
            (false, true, true) => ",hflip,vflip",
            (true, false, false) => ",transpose=dir=cclock_flip",
            (true, true, false) => ",transpose=dir=clock",
            (true, false, true) => ",transpose=dir=cclock",
            (true, true, true) => ",transpose=dir=clock_flip",
        };
        Self { filter, swaps }
    }
}

/// What a graph is built for: another value needs another graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    width: u32,
    height: u32,
    format: Pixel,
    matrix: Space,
    range: Range,
    interlaced: bool,
}

/// The filter chain in front of the pipeline. Frames leave in the order they enter, one for one.
pub(super) struct Ingest {
    /// Size of the first stored picture, which all others are scaled to.
    width: u32,
    height: u32,
    turn: Turn,
    base: TimeBase,
    graph: Option<(Shape, VideoGraph)>,
    /// Timings of the frames inside the graph.
    inside: VecDeque<Timing>,
}

impl Ingest {
    pub fn new(width: u32, height: u32, turn: Turn, base: TimeBase) -> Self {
        Self { width, height, turn, base, graph: None, inside: VecDeque::new() }
    }

    /// Feeds a frame. Frames of a changed size, format or colour get a new graph; what the old one still held comes
    /// out first, into `ready`.
    pub fn push(
        &mut self,
        mut frame: frame::Video,
        timing: Timing,
        ready: &mut VecDeque<(Pixels, Timing)>,
    ) -> Result<(), ffmpeg::Error> {
        let interlaced_before = self.graph.as_ref().is_some_and(|(shape, _)| shape.interlaced);
        let shape = Shape {
            width: frame.width(),
            height: frame.height(),
            format: frame.format(),
            matrix: frame.color_space(),
            range: frame.color_range(),
            // Once interlaced, the deinterlacer stays: it passes progressive frames through.
            interlaced: frame.is_interlaced() || interlaced_before,
        };
        if self.graph.as_ref().is_none_or(|(built_for, _)| *built_for != shape) {
            self.flush(ready)?;
            self.graph = Some((shape, self.build(&shape, &frame)?));
        }
        let Some((_, graph)) = &mut self.graph else { return Err(ffmpeg::Error::Bug) };
        // The graph's own clock is not used (the deinterlacer changes it), but has to run forward.
        frame.set_pts(Some(timing.pts));
        self.inside.push_back(timing);
        graph.push(&mut frame)?;
        self.drain(ready)
    }

    /// Takes out what the graph holds back. Afterwards a push starts a new graph.
    pub fn flush(&mut self, ready: &mut VecDeque<(Pixels, Timing)>) -> Result<(), ffmpeg::Error> {
        if let Some((_, graph)) = &mut self.graph {
            graph.flush()?;
            self.drain(ready)?;
        }
        self.graph = None;
        // One for one: a frame that went in and did not come out is a bug worth hearing of.
        if self.inside.is_empty() { Ok(()) } else { Err(ffmpeg::Error::Bug) }
    }

    fn drain(&mut self, ready: &mut VecDeque<(Pixels, Timing)>) -> Result<(), ffmpeg::Error> {
        let Some((_, graph)) = &mut self.graph else { return Ok(()) };
        while let Some(frame) = graph.pull()? {
            let timing = self.inside.pop_front().ok_or(ffmpeg::Error::Bug)?;
            ready.push_back((pixels(&frame)?, timing));
        }
        Ok(())
    }

    fn build(&self, shape: &Shape, frame: &frame::Video) -> Result<VideoGraph, ffmpeg::Error> {
        let color = color_of(frame);
        let entry = Entry {
            width: shape.width,
            height: shape.height,
            format: shape.format,
            base: self.base,
            sample_aspect: None,
            matrix: shape.matrix,
            range: shape.range,
        };
        const FLAGS: &str = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";
        let mut range = if color.full_range { "pc" } else { "tv" };
        let mut first = String::new();
        if shape.interlaced {
            first += "bwdif=mode=send_frame:deint=interlaced,";
        }
        if is_grey(shape.format) {
            // swscale makes green of grey when it writes float planes.
            first += &format!("scale={FLAGS}:in_range={range}:out_range=tv,format=yuv444p16le,");
            range = "tv";
        }
        // Matrix and range are always spelled out: left alone, swscale takes BT.601 whatever the tags say. Turning
        // comes after the conversion, where every plane has the full size.
        let chain = format!(
            "{first}scale=w={}:h={}:{FLAGS}:in_color_matrix={}:in_range={range},format=gbrpf32le{}",
            self.width,
            self.height,
            color.scale_matrix().ok_or(ffmpeg::Error::PatchWelcome)?,
            self.turn.filter,
        );
        VideoGraph::new(&entry, &chain)
    }
}

/// The colours of a decoded frame, with what it leaves unsaid filled in.
pub(super) fn color_of(frame: &frame::Video) -> ColorInfo {
    let range = match frame.color_range() {
        // Grey comes from still-picture codecs, which do not tag what is always so.
        Range::Unspecified if is_grey(frame.format()) => Range::JPEG,
        // The old "JPEG" formats are of full range by their name.
        _ if ffi::pixel_format_name(frame.format()).starts_with("yuvj") => Range::JPEG,
        tagged => tagged,
    };
    ColorInfo::resolve(
        frame.width(),
        frame.height(),
        frame.color_space(),
        range,
        frame.color_primaries(),
        frame.color_transfer_characteristic(),
    )
}

fn is_grey(format: Pixel) -> bool {
    let name = ffi::pixel_format_name(format);
    ["gray", "ya8", "ya16", "mono"].iter().any(|grey| name.starts_with(grey))
}

/// Copies planar float G, B, R into our R, G, B.
fn pixels(frame: &frame::Video) -> Result<Pixels, ffmpeg::Error> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut pixels = Pixels::black(width, height);
    for (channel, plane) in [2, 0, 1].into_iter().enumerate() {
        let target = &mut pixels.rgb[channel * width * height..(channel + 1) * width * height];
        for (y, target) in target.chunks_exact_mut(width).enumerate() {
            let row = ffi::row(frame, plane, y, 4 * width).ok_or(ffmpeg::Error::Bug)?;
            for (value, bytes) in target.iter_mut().zip(row.chunks_exact(4)) {
                *value = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            }
        }
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_turns_and_mirrorings() {
        assert_eq!(Turn::from_matrix(65536, 0, 0, 65536).filter, "");
        assert_eq!(Turn::from_matrix(0, 65536, -65536, 0).filter, ",transpose=dir=clock");
        assert_eq!(Turn::from_matrix(0, -65536, 65536, 0).filter, ",transpose=dir=cclock");
        assert_eq!(Turn::from_matrix(-65536, 0, 0, -65536).filter, ",hflip,vflip");
        assert_eq!(Turn::from_matrix(-65536, 0, 0, 65536).filter, ",hflip");
        assert!(Turn::from_matrix(0, 65536, -65536, 0).swaps);
        assert!(!Turn::from_matrix(i32::MIN, 0, 0, 1).swaps);
    }
}
