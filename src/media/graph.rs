//! A chain of FFmpeg filters from one video input to one video output.

use ffmpeg_next::{self as ffmpeg, filter, format::Pixel, frame};

use super::ffi;
use super::info::Ratio;
use super::samples::{Model, Samples};
use super::time::TimeBase;

/// Returns the value that stands for white in swscale's float RGB, in conversions to and from it: the integer code for
/// white shifted up to 16 bits, divided by 65535. Limited-range YUV counts as 8 bits, whatever its depth.
///
/// Float samples must be divided by it after a conversion and multiplied by it before one.
pub(crate) fn white(samples: Samples, full_range: bool) -> f32 {
    let limited = samples.model == Model::Yuv && !full_range;
    let depth = if limited { 8 } else { u32::from(samples.depth.clamp(8, 16)) };
    let code = ((1_u32 << depth) - 1) << (16 - depth);
    code as f32 / 65535.0
}

/// The format of the frames that enter a graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub width: u32,
    pub height: u32,
    pub format: Pixel,
    pub base: TimeBase,
    pub sample_aspect: Option<Ratio>,
    pub matrix: ffmpeg::color::Space,
    pub range: ffmpeg::color::Range,
}

impl Entry {
    /// Returns the format of `frame`, for square pixels or where no filter uses the pixel shape.
    pub fn of(frame: &frame::Video, base: TimeBase) -> Self {
        Self {
            width: frame.width(),
            height: frame.height(),
            format: frame.format(),
            base,
            sample_aspect: None,
            matrix: frame.color_space(),
            range: frame.color_range(),
        }
    }

    fn arguments(&self) -> String {
        let Self { width, height, base, .. } = self;
        let aspect = self.sample_aspect.unwrap_or(Ratio::new(0, 1));
        let mut text = format!(
            "video_size={width}x{height}:pix_fmt={}:time_base={}/{}:pixel_aspect={}/{}",
            ffi::pixel_format_name(self.format),
            base.num,
            base.den,
            aspect.num,
            aspect.den
        );
        // From FFmpeg 7 on, the buffer source requires the colour description before the first frame.
        if filter::version() >> 16 >= 10 {
            let matrix: ffmpeg::ffi::AVColorSpace = self.matrix.into();
            let range: ffmpeg::ffi::AVColorRange = self.range.into();
            text += &format!(":colorspace={}:range={}", matrix as i32, range as i32);
        }
        text
    }
}

/// The format of the frames that leave a graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exit {
    pub width: u32,
    pub height: u32,
    pub base: TimeBase,
    pub rate: Option<Ratio>,
    /// `None` for square pixels.
    pub sample_aspect: Option<Ratio>,
}

/// A configured filter chain.
pub(crate) struct VideoGraph {
    graph: filter::Graph,
}

impl VideoGraph {
    /// Creates the graph from `chain`, in FFmpeg's filter syntax.
    pub fn new(entry: &Entry, chain: &str) -> Result<Self, ffmpeg::Error> {
        Self::with_rate(entry, None, chain)
    }

    /// Like `new`, for filters that use the frame rate.
    pub fn with_rate(entry: &Entry, rate: Option<Ratio>, chain: &str) -> Result<Self, ffmpeg::Error> {
        if chain.contains('\0') {
            return Err(ffmpeg::Error::Other { errno: ffmpeg::error::EINVAL });
        }
        let mut arguments = entry.arguments();
        if let Some(rate) = rate {
            arguments += &format!(":frame_rate={}/{}", rate.num, rate.den);
        }
        let source = filter::find("buffer").ok_or(ffmpeg::Error::FilterNotFound)?;
        let sink = filter::find("buffersink").ok_or(ffmpeg::Error::FilterNotFound)?;
        let mut graph = filter::Graph::new();
        graph.add(&source, "in", &arguments)?;
        graph.add(&sink, "out", "")?;
        graph.output("in", 0)?.input("out", 0)?.parse(chain)?;
        graph.validate()?;
        Ok(Self { graph })
    }

    /// Returns the format of the frames that leave the graph.
    pub fn exit(&mut self) -> Result<Exit, ffmpeg::Error> {
        let sink = self.graph.get("out").ok_or(ffmpeg::Error::Bug)?;
        let (width, height, base, rate, aspect) = ffi::sink_form(&sink);
        let known = |ratio: Ratio| (ratio.num > 0 && ratio.den > 0).then_some(ratio);
        let sample_aspect = known(aspect).filter(|aspect| aspect.num != aspect.den);
        Ok(Exit { width, height, base: TimeBase::new(base.num, base.den), rate: known(rate), sample_aspect })
    }

    /// Passes a frame to the graph. Its buffers move into the graph and the frame is left empty.
    pub fn push(&mut self, frame: &mut frame::Video) -> Result<(), ffmpeg::Error> {
        self.graph.get("in").ok_or(ffmpeg::Error::Bug)?.source().add(frame)
    }

    /// Signals the end of input, so that the frames still buffered can be pulled.
    pub fn flush(&mut self) -> Result<(), ffmpeg::Error> {
        self.graph.get("in").ok_or(ffmpeg::Error::Bug)?.source().flush()
    }

    /// Like `flush`, for filters that use frame durations (`fps`): the last frame ends at tick `end` of the entry's
    /// time base.
    pub fn close(&mut self, end: i64) -> Result<(), ffmpeg::Error> {
        let mut source = self.graph.get("in").ok_or(ffmpeg::Error::Bug)?;
        ffi::close_source(&mut source, end)
    }

    /// Returns the next finished frame; `None` until more are pushed, or for good after a flush.
    pub fn pull(&mut self) -> Result<Option<frame::Video>, ffmpeg::Error> {
        let mut frame = frame::Video::empty();
        match self.graph.get("out").ok_or(ffmpeg::Error::Bug)?.sink().frame(&mut frame) {
            Ok(()) => Ok(Some(frame)),
            Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
