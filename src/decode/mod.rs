//! Decode: a source of frames, whatever the input is.

mod clock;
mod demux;
mod ending;
mod error;
mod images;
mod ingest;
mod rate;
mod video;

pub use error::DecodeError;

use crate::media::{Frame, Input, MediaInfo, Range};
use crate::settings::InputSettings;

/// Frames in display order.
pub trait FrameSource: Send {
    /// What the input is; known before the first frame.
    fn info(&self) -> &MediaInfo;
    /// The next frame, or `None` once every frame has been given (the decoder is drained).
    fn next(&mut self) -> Result<Option<Frame>, DecodeError>;
    /// What the user should know about the input and has not been told yet, one line each: after opening how it is
    /// read (deinterlaced, tone-mapped, ...), after the last frame what was damaged and passed over.
    fn take_warnings(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens an input. A video is read up to its first frame, so that its size and colours are certain.
///
/// Errors at once for what can be told without reading on: a missing, empty or foreign file, no video stream, a
/// codec or colours that cannot be read. A file that ends early or is damaged errors at its end, from
/// [`FrameSource::next`].
pub fn open(input: &Input, range: Range, settings: &InputSettings) -> Result<Box<dyn FrameSource>, DecodeError> {
    match input {
        Input::Video(path) => Ok(Box::new(video::VideoSource::open(path, range, settings)?)),
        Input::Stdin => Err(DecodeError::Stdin),
        Input::Picture(path) => Ok(Box::new(images::ImageSource::picture(path)?)),
        Input::Sequence { folder, files } => {
            let base = rate::of(folder, &settings.options)?;
            Ok(Box::new(images::ImageSource::sequence(folder, files, range, base)?))
        }
    }
}
