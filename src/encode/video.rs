//! Frames as a video file: first the pictures alone, then one pass that joins them with the source's audio.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::{self as ffmpeg, Packet, color, encoder, frame, picture};

use super::codec::Container;
use super::mux::{self, Pictures};
use super::streams::Plan;
use super::{EncodeError, Encoded, FrameSink, verify};
use crate::media::graph::{Entry, VideoGraph};
use crate::media::{self, ColorInfo, Frame, MediaInfo, Pixels, TimeBase, Timing, ffi};
use crate::settings::OutputSettings;

/// Encodes to an intermediate file, then muxes.
///
/// Colours are written as limited-range BT.709, whatever the source has, and tagged so (see
/// [`ColorInfo::written`]).
pub(super) struct VideoSink {
    path: PathBuf,
    container: Container,
    info: MediaInfo,
    plan: Plan,
    color: ColorInfo,
    coded: (usize, usize),
    encoder: encoder::Video,
    graph: VideoGraph,
    /// Its time stamps count from the first frame: every container holds those exactly.
    intermediate: PathBuf,
    output: Output,
    /// Time base the muxer chose for the intermediate.
    output_base: TimeBase,
    /// Timestamps of the frames pushed, in the source's ticks.
    pts: Vec<i64>,
    last_duration: Option<i64>,
    /// Durations of the frames inside the encoder, by pts.
    durations: HashMap<i64, i64>,
}

impl VideoSink {
    pub fn open(path: &Path, work: &Path, info: &MediaInfo, settings: &OutputSettings) -> Result<Self, EncodeError> {
        media::init();
        let container = Container::of(path)?;
        let plan = match &info.source {
            Some(source) => {
                let mut input = ffi::open_input(&source.path)
                    .map_err(|error| EncodeError::libav(&source.path, "opening it again", error))?;
                Plan::new(&mut input, info, path, container, work, settings.strict_streams)?
            }
            None => Plan::default(),
        };
        let color = info.color.written();
        let encoder = container.video.open(path, info, color, settings)?;
        let coded = container.video.coded_size(info.width, info.height);
        let graph = egress(coded, info.base).map_err(|error| EncodeError::libav(path, "preparing it", error))?;
        let intermediate = work.join(format!("{}.pictures", container.extension));
        let fail = |error| EncodeError::libav(path, "creating its intermediate file", error);
        // The QuickTime family holds any time base exactly; Matroska would round to milliseconds.
        let mut output = ffi::open_output(&intermediate, "mp4").map_err(fail)?;
        let mut stream = output.add_stream_with(&encoder).map_err(fail)?;
        stream.set_time_base(info.base);
        let unused = output.write_header_with(mux::quicktime_options(info.base, &[])).map_err(fail)?;
        mux::all_used(&unused).map_err(fail)?;
        drop(unused);
        let output_base = output.stream(0).map_or(info.base, |stream| stream.time_base().into());
        Ok(Self {
            path: path.into(),
            container,
            info: info.clone(),
            plan,
            color,
            coded,
            encoder,
            graph,
            intermediate,
            output,
            output_base,
            pts: Vec::new(),
            last_duration: None,
            durations: HashMap::new(),
        })
    }

    fn fail(&self, doing: &'static str) -> impl Fn(ffmpeg::Error) -> EncodeError + use<> {
        let path = self.path.clone();
        move |error| EncodeError::libav(&path, doing, error)
    }

    /// The frame as the encoder takes it.
    fn convert(&mut self, pixels: &Pixels) -> Result<frame::Video, ffmpeg::Error> {
        self.graph.push(&mut float_frame(pixels, self.coded)?)?;
        let mut frame = self.graph.pull()?.ok_or(ffmpeg::Error::Bug)?;
        // Left as it came, a source's picture types would dictate the encoder's.
        frame.set_kind(picture::Type::None);
        frame.set_color_space(self.color.matrix);
        frame.set_color_range(color::Range::MPEG);
        frame.set_color_primaries(self.color.primaries);
        frame.set_color_transfer_characteristic(self.color.transfer);
        Ok(frame)
    }

    /// How long a frame is shown, in ticks. Containers that store only differences lose a last frame of no length.
    fn duration(&self, timing: &Timing) -> i64 {
        let since_last = || self.pts.last().map(|last| timing.pts - last);
        let nominal = || {
            let rate = self.info.rate.map_or(25.0, media::Ratio::value);
            timing.base.ticks(1.0 / if rate > 0.0 { rate } else { 25.0 })
        };
        timing.duration.or_else(since_last).unwrap_or_else(nominal).max(1)
    }

    /// Writes what the encoder has ready.
    fn drain(&mut self) -> Result<(), ffmpeg::Error> {
        loop {
            let mut packet = Packet::empty();
            match self.encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(error) => return Err(error),
            }
            let duration = packet.pts().and_then(|pts| self.durations.remove(&pts));
            packet.set_duration(duration.unwrap_or_else(|| packet.duration()));
            packet.rescale_ts(self.info.base, self.output_base);
            packet.set_stream(0);
            packet.write_interleaved(&mut self.output)?;
        }
    }

    fn close_intermediate(&mut self) -> Result<(), EncodeError> {
        let encode = self.fail("encoding");
        self.encoder.send_eof().map_err(&encode)?;
        self.drain().map_err(encode)?;
        let close = |error| EncodeError::libav(&self.path, "closing its intermediate file", error);
        self.output.write_trailer().map_err(close)?;
        ffi::flush_output(&mut self.output).map_err(close)
    }
}

impl FrameSink for VideoSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let Frame { pixels, timing, index } = frame;
        if (pixels.width, pixels.height) != (self.info.width, self.info.height) {
            return Err(EncodeError::Size {
                path: self.path.clone(),
                index,
                width: pixels.width,
                height: pixels.height,
                expected_width: self.info.width,
                expected_height: self.info.height,
            });
        }
        if let Some(&last) = self.pts.last().filter(|&&last| last >= timing.pts) {
            return Err(EncodeError::Order { path: self.path.clone(), index, pts: timing.pts, last });
        }
        let encode = self.fail("encoding");
        let mut picture = self.convert(&pixels).map_err(&encode)?;
        let since_first = timing.pts - self.pts.first().unwrap_or(&timing.pts);
        picture.set_pts(Some(since_first));
        let duration = self.duration(&timing);
        self.durations.insert(since_first, duration);
        self.last_duration = Some(duration);
        self.pts.push(timing.pts);
        self.encoder.send_frame(&picture).map_err(&encode)?;
        self.drain().map_err(encode)
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        let (Some(last_duration), false) = (self.last_duration, self.pts.is_empty()) else {
            return Err(EncodeError::NoFrame { path: self.path });
        };
        self.close_intermediate()?;
        let Self { path, container, info, plan, intermediate, output, pts, .. } = *self;
        drop(output);
        let pictures = Pictures { file: &intermediate, pts: &pts, last_duration, info: &info };
        let muxed = mux::join(&path, container, &pictures, &plan)?;
        verify::check(&path, &pictures, plan.painted(), &muxed)?;
        std::fs::remove_file(&intermediate).map_err(|source| EncodeError::io(&intermediate, source))?;
        Ok(Encoded { frames: pts.len() as u64, warnings: muxed.warnings })
    }

    fn warnings(&self) -> &[String] {
        &self.plan.warnings
    }
}

/// The filters behind the pipeline: float RGB to limited-range BT.709 4:2:0, spelled out, for swscale's default is
/// BT.601 whatever the size.
fn egress((width, height): (usize, usize), base: TimeBase) -> Result<VideoGraph, ffmpeg::Error> {
    let entry = Entry {
        width: width as u32,
        height: height as u32,
        format: Pixel::GBRPF32LE,
        base,
        sample_aspect: None,
        matrix: color::Space::RGB,
        range: color::Range::JPEG,
    };
    let chain = "scale=flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp\
                 :out_color_matrix=bt709:out_range=tv,format=yuv420p";
    VideoGraph::new(&entry, chain)
}

/// Copies our R, G, B into planar float G, B, R. A last column or row that the coded size has beyond the picture's
/// repeats the one before it.
fn float_frame(pixels: &Pixels, (width, height): (usize, usize)) -> Result<frame::Video, ffmpeg::Error> {
    let mut frame = frame::Video::new(Pixel::GBRPF32LE, width as u32, height as u32);
    frame.set_color_space(color::Space::RGB);
    frame.set_color_range(color::Range::JPEG);
    let plane = pixels.width * pixels.height;
    for (channel, target) in [2, 0, 1].into_iter().enumerate() {
        let source = &pixels.rgb[channel * plane..(channel + 1) * plane];
        for y in 0..height {
            let from = y.min(pixels.height - 1) * pixels.width;
            let row = &source[from..from + pixels.width];
            let target = ffi::row_mut(&mut frame, target, y, 4 * width);
            let target = target.ok_or(ffmpeg::Error::Other { errno: ffmpeg::error::ENOMEM })?;
            let edge = row.last().into_iter().cycle();
            for (bytes, value) in target.chunks_exact_mut(4).zip(row.iter().chain(edge)) {
                // Outside 0..=1 there is no colour; NaN becomes black.
                let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
                bytes.copy_from_slice(&value.to_le_bytes());
            }
        }
    }
    Ok(frame)
}
