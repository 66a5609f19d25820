//! Decode: a source of frames, whatever the input is.

mod clock;
mod container;
mod convert;
mod damage;
mod demux;
mod ending;
mod error;
mod evidence;
mod filter;
mod filtered;
mod images;
mod ingest;
mod layers;
mod limits;
mod open;
mod rate;
mod stage;
mod survey;
mod tags;
mod turn;
mod video;
mod webp;

use std::path::Path;

pub(crate) use clock::Clock;
pub(crate) use ending::clock_time;
pub use error::DecodeError;
pub(crate) use open::{look_at, refused, video_decoder, video_stream};
pub(crate) use turn::Turn;

use crate::media::{Frame, Input, MediaInfo, Range, ffi, picture};
use crate::settings::InputSettings;

/// Frames in display order.
pub trait FrameSource: Send {
    /// What the input is; known before the first frame.
    fn info(&self) -> &MediaInfo;
    /// Seconds on the source's clock at which the input begins: where [`Range::start`] counts from.
    fn begin(&self) -> f64 {
        0.0
    }
    /// The next frame, or `None` once every frame has been given (the decoder is drained).
    fn next(&mut self) -> Result<Option<Frame>, DecodeError>;
    /// Once the last frame was given: whether each packet of the video, from the first frame given to the last, became
    /// one frame at its own time. Not so with damage, fields, filters, or where nobody can tell.
    fn gave_every_frame(&self) -> bool {
        false
    }
    /// What the user should know about the input and has not been told yet, one line each: after opening how it is
    /// read (deinterlaced, tone-mapped, ...), after the last frame what was damaged and passed over.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }
    /// What is merely good to know, likewise: how the input's clock was taken.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens an input. A video is read up to the first frame that is given, so that its size and colours are certain.
///
/// Errors at once for what can be told without reading on: a missing, empty or foreign file, no video stream, a
/// codec or colours that cannot be read, wrong options or filters, and where the container tells it also an end that
/// is missing. Damage is an error of [`FrameSource::next`], as soon as there is more of it than the settings allow.
pub fn open(input: &Input, range: Range, settings: &InputSettings) -> Result<Box<dyn FrameSource>, DecodeError> {
    let limits = limits::Limits::of(settings);
    let (source, path): (Box<dyn FrameSource>, &Path) = match input {
        Input::Video(path) if settings.format.is_empty() && webp::is_animated(path) => {
            (Box::new(webp::WebpSource::open(path, range, limits)?), path)
        }
        Input::Video(path) => return Ok(Box::new(video::VideoSource::open(Some(path), range, settings)?)),
        Input::Stdin => return Ok(Box::new(video::VideoSource::open(None, range, settings)?)),
        Input::Picture(path) => (Box::new(images::ImageSource::picture(path, limits)?), path),
        Input::Sequence { folder, files } => {
            let base = rate::of(folder, &settings.options)?;
            (Box::new(images::ImageSource::sequence(folder, files, range, base, limits)?), folder)
        }
    };
    if settings.filter.trim().is_empty() {
        return Ok(source);
    }
    Ok(Box::new(filtered::Filtered::open(source, path, settings)?))
}

/// Whether a file named like a picture holds several: an animated PNG or WebP.
pub fn is_animation(path: &Path) -> bool {
    webp::is_animated(path) || container::is_animated_png(path)
}

/// What a file holds, as far as its first bytes tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// One picture.
    Still,
    /// A video or an animation.
    Moving,
    Unknown,
}

/// Looks at the first bytes, without FFmpeg.
pub fn sort_of(path: &Path) -> Sort {
    if is_animation(path) {
        return Sort::Moving;
    }
    match picture::is_still(path) {
        true => Sort::Still,
        false => Sort::Unknown,
    }
}

/// What FFmpeg recognises a file as, by its content alone; `None` for nothing, and for sound, texts and lists.
pub fn recognised(path: &Path) -> Option<Sort> {
    // A pipe can be read but once.
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    let name = ffi::demuxer_of(path)?;
    if name == "image2" || (name.ends_with("_pipe") && name != "gif_pipe") {
        return Some(Sort::Still);
    }
    is_video(path).then_some(Sort::Moving)
}

/// Whether FFmpeg recognises a video in a file, by its content alone.
pub fn is_video(path: &Path) -> bool {
    let regular = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    regular && ffi::open_input(path).is_ok_and(|input| video_stream(&input, None).is_some())
}

fn check_start(path: &Path, range: Range) -> Result<(), DecodeError> {
    if range.start.is_finite() && range.start >= 0.0 {
        return Ok(());
    }
    Err(DecodeError::BadStart { path: path.into(), start: range.start })
}
