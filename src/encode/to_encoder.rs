//! Converts painted pixels to frames in the encoder's pixel format.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, color, frame, picture};

use crate::media::graph::{Entry, VideoGraph, white};
use crate::media::{ColorInfo, Model, Pixels, TimeBase, ffi};

/// swscale flags for full precision: nothing is lost that the target can hold.
pub(super) const FLAGS: &str = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";

/// Up to this number of pixels, waking threads costs more than they save.
const FOR_ONE_THREAD: usize = 640 * 360;

/// Planar float RGB in the native byte order.
const FLOAT: Pixel = if cfg!(target_endian = "big") { Pixel::GBRPF32BE } else { Pixel::GBRPF32LE };
const FLOAT_ALPHA: Pixel = if cfg!(target_endian = "big") { Pixel::GBRAPF32BE } else { Pixel::GBRAPF32LE };

/// Properties of the frames that the encoder takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub format: Pixel,
    pub color: ColorInfo,
    /// Width and height in pixels; not smaller than the pictures'.
    pub coded: (usize, usize),
    pub base: TimeBase,
}

/// The filter graph that converts frames for the encoder. Frames may leave later than they enter.
pub(super) struct ToEncoder {
    form: Form,
    graph: VideoGraph,
    /// The float value that the conversion maps to white.
    white: f32,
    alpha: bool,
    transparent: bool,
}

impl ToEncoder {
    /// `behind` is a chain of filters after the conversion that begins with a comma, or an empty string.
    pub fn new(form: Form, behind: &str) -> Result<Self, ffmpeg::Error> {
        let held = ffi::samples_of(form.format);
        let entry = float_entry(form.coded, form.base, held.alpha);
        let name = ffi::pixel_format_name(form.format);
        // 0: one thread per processor.
        let threads = usize::from(form.coded.0 * form.coded.1 <= FOR_ONE_THREAD);
        let scale = format!("scale={FLAGS}:threads={threads}");
        let chain = if held.model == Model::Rgb {
            format!("{scale},format={name}{behind}")
        } else {
            // Set explicitly, because swscale defaults to BT.601 whatever the size.
            let matrix = form.color.scale_matrix().ok_or(ffmpeg::Error::PatchWelcome)?;
            let range = if form.color.full_range { "pc" } else { "tv" };
            format!("{scale}:out_color_matrix={matrix}:out_range={range},format={name}{behind}")
        };
        let graph = VideoGraph::new(&entry, &chain)?;
        let white = white(held, form.color.full_range);
        Ok(Self { form, graph, white, alpha: held.alpha, transparent: false })
    }

    pub fn push(&mut self, pixels: &Pixels, pts: i64) -> Result<(), ffmpeg::Error> {
        self.transparent |= pixels.alpha.as_ref().is_some_and(|alpha| alpha.iter().any(|&alpha| alpha < 1.0));
        let mut frame = float_frame(pixels, self.form.coded, self.white, self.alpha)?;
        frame.set_pts(Some(pts));
        self.graph.push(&mut frame)
    }

    /// Returns the next frame that is ready.
    pub fn pull(&mut self) -> Result<Option<frame::Video>, ffmpeg::Error> {
        let Some(mut frame) = self.graph.pull()? else { return Ok(None) };
        // Otherwise the picture types of the source would dictate those of the encoder.
        frame.set_kind(picture::Type::None);
        let color = self.form.color;
        frame.set_color_space(color.matrix);
        frame.set_color_range(if color.full_range { color::Range::JPEG } else { color::Range::MPEG });
        frame.set_color_primaries(color.primaries);
        frame.set_color_transfer_characteristic(color.transfer);
        Ok(Some(frame))
    }

    /// Ends the input of the graph.
    pub fn flush(&mut self) -> Result<(), ffmpeg::Error> {
        self.graph.flush()
    }

    /// Whether any picture had a transparent pixel.
    pub fn saw_transparency(&self) -> bool {
        self.transparent
    }
}

/// Returns the input format of a graph that takes pictures.
pub(super) fn float_entry((width, height): (usize, usize), base: TimeBase, alpha: bool) -> Entry {
    Entry {
        width: width as u32,
        height: height as u32,
        format: if alpha { FLOAT_ALPHA } else { FLOAT },
        base,
        sample_aspect: None,
        matrix: color::Space::RGB,
        range: color::Range::JPEG,
    }
}

/// Returns FFmpeg's name of the pixel format in which pictures enter.
pub(super) fn float_name(alpha: bool) -> &'static str {
    ffi::pixel_format_name(if alpha { FLOAT_ALPHA } else { FLOAT })
}

/// Copies our R, G, B into planar float G, B, R. If the coded size is larger than the picture, the last column and row
/// are repeated. Colours are multiplied by `white`. Without `alpha`, transparent pixels are shown over black.
pub(super) fn float_frame(
    pixels: &Pixels,
    (width, height): (usize, usize),
    white: f32,
    alpha: bool,
) -> Result<frame::Video, ffmpeg::Error> {
    let no_memory = || ffmpeg::Error::Other { errno: ffmpeg::error::ENOMEM };
    let mut frame = frame::Video::new(if alpha { FLOAT_ALPHA } else { FLOAT }, width as u32, height as u32);
    frame.set_color_space(color::Space::RGB);
    frame.set_color_range(color::Range::JPEG);
    let plane = pixels.width * pixels.height;
    let row_of = |y: usize| {
        let from = y.min(pixels.height - 1) * pixels.width;
        from..from + pixels.width
    };
    let over_black = pixels.alpha.as_deref().filter(|_| !alpha);
    for (channel, target) in [2, 0, 1].into_iter().enumerate() {
        let source = &pixels.rgb[channel * plane..(channel + 1) * plane];
        for y in 0..height {
            let target = ffi::float_row_mut(&mut frame, target, y, width).ok_or_else(no_memory)?;
            copy_row(target, white, &source[row_of(y)], over_black.map(|alpha| &alpha[row_of(y)]));
        }
    }
    if alpha {
        for y in 0..height {
            let target = ffi::float_row_mut(&mut frame, 3, y, width).ok_or_else(no_memory)?;
            match &pixels.alpha {
                Some(alpha) => copy_row(target, 1.0, &alpha[row_of(y)], None),
                None => target.fill(1.0),
            }
        }
    }
    Ok(frame)
}

/// Copies a row, clamped to 0..=1; NaN becomes black.
fn copy_row(target: &mut [f32], white: f32, source: &[f32], alpha: Option<&[f32]>) {
    // NaN becomes 0: every comparison with it is false.
    let clamp = |value: f32| if value > 0.0 { value.min(1.0) } else { 0.0 };
    for (target, &value) in target.iter_mut().zip(source) {
        *target = white * clamp(value);
    }
    for (target, &alpha) in target.iter_mut().zip(alpha.unwrap_or_default()) {
        *target *= clamp(alpha);
    }
    if let Some(&last) = source.len().checked_sub(1).and_then(|last| target.get(last)) {
        target[source.len()..].fill(last);
    }
}
