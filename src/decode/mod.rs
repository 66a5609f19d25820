//! Decodes any supported input (video, animation, picture, sequence, standard input) into a stream of frames.

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
mod rotation;
mod stage;
mod survey;
mod tags;
mod video;
mod webp;

use std::path::Path;

pub(crate) use clock::Clock;
pub(crate) use ending::clock_time;
pub use error::DecodeError;
pub(crate) use open::{look_at, refused, video_decoder, video_stream};
pub(crate) use rotation::Rotation;

use crate::media::{Frame, Input, MediaInfo, Range, ffi, picture};
use crate::settings::InputSettings;

/// A source of frames in display order.
pub trait FrameSource: Send {
    /// Returns the properties of the input, which are known before the first frame.
    fn info(&self) -> &MediaInfo;
    /// Returns the time on the source's clock at which the input begins, in seconds; [`Range::start`] counts from
    /// there.
    fn begin(&self) -> f64 {
        0.0
    }
    /// Returns the next frame, or `None` after the last one.
    fn next(&mut self) -> Result<Option<Frame>, DecodeError>;
    /// After the last frame: whether each video packet from the first to the last frame became exactly one frame at the
    /// packet's own time. `false` after damage, with interlaced frames or filters, and if the source cannot tell.
    fn gave_every_frame(&self) -> bool {
        false
    }
    /// Takes the warnings that have not been reported yet, one line each: after opening, how the input is read
    /// (deinterlaced, tone-mapped, ...); after the last frame, what was damaged and skipped.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }
    /// Takes the notes that are only good to know, for example how the input's timestamps were corrected.
    fn take_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens an input. A video is decoded up to the first frame that is returned, so that its size and colours are certain.
///
/// Fails at once on anything that can be found without reading on: a missing, empty or unknown file, no video stream, a
/// codec or colours that cannot be read, wrong options or filters and, if the container shows it, a missing end. Damage
/// is an error of [`FrameSource::next`], as soon as there is more of it than the settings allow.
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

/// Whether a file with a picture's name holds an animation: an animated PNG or WebP.
pub fn is_animation(path: &Path) -> bool {
    webp::is_animated(path) || container::is_animated_png(path)
}

/// The kind of content that a file's first bytes indicate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    /// One picture.
    Still,
    /// A video or an animation.
    Moving,
    Unknown,
}

/// Classifies a file by its first bytes, without FFmpeg.
pub fn kind_of(path: &Path) -> MediaKind {
    if is_animation(path) {
        return MediaKind::Moving;
    }
    match picture::is_still(path) {
        true => MediaKind::Still,
        false => MediaKind::Unknown,
    }
}

/// Classifies a file by its content with FFmpeg. Returns `None` for unknown content, audio, subtitles and playlists.
pub fn recognised(path: &Path) -> Option<MediaKind> {
    // A pipe can be read only once.
    if !std::fs::metadata(path).is_ok_and(|found| found.is_file()) {
        return None;
    }
    let name = ffi::demuxer_of(path)?;
    if name == "image2" || (name.ends_with("_pipe") && name != "gif_pipe") {
        return Some(MediaKind::Still);
    }
    is_video(path).then_some(MediaKind::Moving)
}

/// Whether FFmpeg finds a video stream in a file, judging by its content alone.
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
