//! Decode: a source of frames, whatever the input is.

mod clock;
mod container;
mod convert;
mod damage;
mod demux;
mod ending;
mod error;
mod filter;
mod filtered;
mod images;
mod ingest;
mod limits;
mod open;
mod rate;
mod stage;
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

use crate::media::{Frame, Input, MediaInfo, Range};
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

fn check_start(path: &Path, range: Range) -> Result<(), DecodeError> {
    if range.start.is_finite() && range.start >= 0.0 {
        return Ok(());
    }
    Err(DecodeError::BadStart { path: path.into(), start: range.start })
}
