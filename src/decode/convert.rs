//! Converts frames of any pixel format to float RGB.

use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ffmpeg, filter, frame};

use super::error::DecodeError;
use super::stage::{Shape, Stage, Timed};
use super::tags::{color_of, is_grey, is_transparent};
use crate::media::floats;
use crate::media::graph::{Entry, VideoGraph, white};
use crate::media::{ColorInfo, Model, Pixels, Samples, Timing, ffi};
use crate::settings::Hdr;

/// The properties of the first frame, which all later frames are converted to.
#[derive(Debug, Clone, Copy)]
pub(super) struct First {
    /// Colours of the output, and the sample format of the input.
    pub color: ColorInfo,
    pub samples: Samples,
    /// Stored size; all other frames are scaled to it.
    width: u32,
    height: u32,
    /// Display aspect ratio (width divided by height).
    display: f64,
}

impl First {
    /// Returns the area (width, height, x, y) in which a picture with another aspect ratio fits into this size, or
    /// `None` if no bars are needed.
    fn room(&self, display: f64) -> Option<(u32, u32, u32, u32)> {
        /// Aspect ratios closer to each other than this are treated as equal.
        const ALIKE: f64 = 0.03;
        let ratio = display / self.display;
        if (ratio - 1.0).abs() <= ALIKE || !ratio.is_finite() || self.width < 8 || self.height < 8 {
            return None;
        }
        let part = |whole: u32, ratio: f64| ((f64::from(whole) * ratio / 2.0).round() as u32 * 2).clamp(2, whole);
        let (width, height) = if ratio > 1.0 {
            (self.width, part(self.height, 1.0 / ratio))
        } else {
            (part(self.width, ratio), self.height)
        };
        Some((width, height, (self.width - width) / 4 * 2, (self.height - height) / 4 * 2))
    }
}

pub(super) struct Converter {
    path: PathBuf,
    hdr: Hdr,
    /// Whether alpha is kept only if the first frame uses it: GIF pixel formats have alpha that is mostly unused.
    mostly_opaque: bool,
    first: Option<First>,
    stage: Stage,
    /// The value of white in the floats of the current graph.
    white: f32,
    tone_mapped: bool,
    reshaped: bool,
    pub notes: Vec<String>,
}

const FLAGS: &str = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";

impl Converter {
    pub fn new(path: &Path, hdr: Hdr, codec: &str) -> Self {
        Self {
            path: path.into(),
            hdr,
            mostly_opaque: codec == "gif",
            first: None,
            stage: Stage::default(),
            white: 1.0,
            tone_mapped: false,
            reshaped: false,
            notes: Vec::new(),
        }
    }

    /// Returns the properties of the first frame, once there was one.
    pub fn first(&self) -> Option<First> {
        self.first
    }

    /// Converts a frame. `before` holds filters for the stored picture (`bwdif,`), `after` those for the converted one
    /// (`,hflip`). Frames with a new size, format or colours get a new graph.
    pub fn push(
        &mut self,
        frame: frame::Video,
        timing: Timing,
        interlaced: bool,
        (before, after): (&str, &str),
        ready: &mut impl Extend<(Pixels, Timing)>,
    ) -> Result<(), DecodeError> {
        let shape = Shape::of(&frame, interlaced);
        let mut out = Vec::new();
        if self.stage.needs(&shape) {
            let graph = self.build(&shape, &frame, timing, before, after)?;
            self.stage.set(shape, graph, &mut out).map_err(|e| self.failed(e))?;
            self.copy(std::mem::take(&mut out), ready)?;
            let color = color_of(&frame);
            // zscale, which does the tone mapping, maps white exactly.
            let samples = ffi::samples_of(frame.format());
            self.white = if color.hdr().is_some() { 1.0 } else { white(samples, color.full_range) };
        }
        self.stage.push(frame, timing, &mut out).map_err(|e| self.failed(e))?;
        self.copy(out, ready)
    }

    /// Takes out the frames still held back.
    pub fn flush(&mut self, ready: &mut impl Extend<(Pixels, Timing)>) -> Result<(), DecodeError> {
        let mut out = Vec::new();
        self.stage.flush(&mut out).map_err(|e| self.failed(e))?;
        self.copy(out, ready)
    }

    fn copy(&self, out: Vec<Timed>, ready: &mut impl Extend<(Pixels, Timing)>) -> Result<(), DecodeError> {
        let alpha = self.first.is_some_and(|first| first.samples.alpha);
        for (frame, timing) in out {
            let pixels = floats::pixels(&frame, self.white, alpha).ok_or_else(|| self.failed(ffmpeg::Error::Bug))?;
            ready.extend([(pixels, timing)]);
        }
        Ok(())
    }

    fn build(
        &mut self,
        shape: &Shape,
        frame: &frame::Video,
        timing: Timing,
        before: &str,
        after: &str,
    ) -> Result<VideoGraph, DecodeError> {
        let color = color_of(frame);
        let matrix = color.scale_matrix().ok_or_else(|| DecodeError::Colour {
            path: self.path.clone(),
            matrix: color.matrix.name().unwrap_or("an unknown matrix"),
        })?;
        let tone_map = self.tone_map(color)?;
        let mut samples = ffi::samples_of(frame.format());
        // A palette has room for alpha but hardly ever uses it.
        let shown = !self.mostly_opaque && ffi::pixel_format_name(frame.format()) != "pal8";
        samples.alpha = samples.alpha && (shown || is_transparent(frame));
        let out = if tone_map.is_some() { ColorInfo::BT709 } else { color };
        let first = *self.first.get_or_insert(First {
            color: out,
            samples,
            width: shape.width,
            height: shape.height,
            display: shape.display(),
        });
        let bars = self.bars(&first, shape, matrix, color.full_range);
        let before = format!("{before}{bars}");
        let (float, wide) =
            if first.samples.alpha { ("gbrapf32le", "yuva444p16le") } else { ("gbrpf32le", "yuv444p16le") };
        let mut range = if color.full_range { "pc" } else { "tv" };
        let size = format!("scale=w={}:h={}:{FLAGS}", first.width, first.height);
        // Matrix and range are always given explicitly: by default swscale uses BT.601 whatever the tags say. Rotation
        // comes after the conversion, where every plane has the full size.
        let chain = if let Some(tone_map) = tone_map {
            // zscale does not accept odd sizes with subsampled chroma.
            let wide = if samples.model == Model::Yuv { format!(",format={wide}") } else { String::new() };
            let same = format!("in_color_matrix={matrix}:out_color_matrix={matrix}:in_range={range}:out_range={range}");
            format!("{before}{size}:{same}{wide},{tone_map},format={float}{after}")
        } else {
            let mut grey = String::new();
            if is_grey(shape.format) {
                // swscale turns grey green when it writes float planes.
                grey = format!("scale={FLAGS}:in_range={range}:out_range=tv,format={wide},");
                range = "tv";
            }
            format!("{before}{grey}{size}:in_color_matrix={matrix}:in_range={range},format={float}{after}")
        };
        let entry = Entry::of(frame, timing.base);
        VideoGraph::new(&entry, &chain).map_err(|e| self.failed(e))
    }

    /// Returns filters that fit a picture into the first picture's size with bars; empty if the aspect ratio is the
    /// same.
    fn bars(&mut self, first: &First, shape: &Shape, matrix: &str, full: bool) -> String {
        let Some((width, height, x, y)) = first.room(shape.display()) else { return String::new() };
        if !std::mem::replace(&mut self.reshaped, true) {
            self.notes.push(
                "the shape of its pictures changes: those of another shape than the first are shown with bars".into(),
            );
        }
        let range = if full { "pc" } else { "tv" };
        let same = format!("in_color_matrix={matrix}:out_color_matrix={matrix}:in_range={range}:out_range={range}");
        format!("scale=w={width}:h={height}:{FLAGS}:{same},pad=w={}:h={}:x={x}:y={y},", first.width, first.height)
    }

    /// Returns the filters that convert HDR to BT.709 as float RGB; `None` for SDR. All colour tags are set explicitly:
    /// zscale finds no conversion path if one is missing.
    fn tone_map(&mut self, color: ColorInfo) -> Result<Option<String>, DecodeError> {
        let Some(transfer) = color.hdr() else { return Ok(None) };
        if self.hdr == Hdr::Refuse {
            return Err(DecodeError::Hdr { path: self.path.clone(), transfer });
        }
        if let Some(filter) = ["zscale", "tonemap"].into_iter().find(|name| filter::find(name).is_none()) {
            return Err(DecodeError::NoToneMapping { path: self.path.clone(), transfer, filter });
        }
        if !std::mem::replace(&mut self.tone_mapped, true) {
            self.notes.push(format!(
                "HDR ({transfer}) is tone-mapped to SDR (BT.709; Hable's curve, reference white at 100 nit)"
            ));
        }
        let curve = if transfer == "PQ" { "smpte2084" } else { "arib-std-b67" };
        let primaries = match color.primaries {
            ffmpeg::color::Primaries::BT709 => "bt709",
            ffmpeg::color::Primaries::SMPTE432 => "smpte432",
            ffmpeg::color::Primaries::SMPTE431 => "smpte431",
            _ => "bt2020",
        };
        let matrix = match color.matrix {
            ffmpeg::color::Space::RGB => "gbr",
            ffmpeg::color::Space::BT709 => "bt709",
            ffmpeg::color::Space::SMPTE170M | ffmpeg::color::Space::BT470BG => "smpte170m",
            _ => "bt2020nc",
        };
        let range = if color.full_range { "pc" } else { "tv" };
        Ok(Some(format!(
            "setparams=range={range}:color_primaries={primaries}:color_trc={curve}:colorspace={matrix},\
             zscale=t=linear:npl=100:m=gbr:r=pc,format=gbrpf32le|gbrapf32le,zscale=p=bt709,\
             tonemap=tonemap=hable:desat=0,zscale=t=bt709"
        )))
    }

    fn failed(&self, source: ffmpeg::Error) -> DecodeError {
        DecodeError::Libav { path: self.path.clone(), doing: "converting its pictures to RGB", source }
    }
}
