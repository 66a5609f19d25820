//! Limits on an input: the size of its pictures, its duration, its frames and its streams.

use std::path::Path;

use ffmpeg_next::format::context::Input;
use image::ImageError;
use image::error::LimitErrorKind;

use super::DecodeError;
use crate::media::ffi::read;
use crate::media::picture::Bounds;
use crate::settings::InputSettings;

#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    bounds: Bounds,
    duration: f64,
    frames: u64,
    streams: u64,
}

impl Limits {
    pub fn of(settings: &InputSettings) -> Self {
        Self {
            bounds: settings.bounds(),
            duration: settings.max_duration,
            frames: settings.max_frames,
            streams: settings.max_streams,
        }
    }

    pub fn bounds(self) -> Bounds {
        self.bounds
    }

    /// Checks the size of a picture.
    ///
    /// # Errors
    /// If pictures of this size are too large.
    pub fn size(self, path: &Path, width: u64, height: u64) -> Result<(), DecodeError> {
        let Bounds { pixels, side } = self.bounds;
        let (limit, key) = match () {
            () if width.max(height) > side => (format!("{side} pixels along a side"), "input.max_side"),
            () if width.saturating_mul(height) > pixels => (format!("{pixels} pixels"), "input.max_pixels"),
            () => return Ok(()),
        };
        Err(DecodeError::Limit { path: path.into(), what: format!("its pictures are {width}x{height}"), limit, key })
    }

    /// Checks the number of frames.
    ///
    /// # Errors
    /// If there are more frames than allowed.
    pub fn frames(self, path: &Path, frames: u64) -> Result<(), DecodeError> {
        if frames <= self.frames {
            return Ok(());
        }
        let limit = self.frames.to_string();
        Err(DecodeError::Limit {
            path: path.into(),
            what: format!("it has {frames} frames"),
            limit,
            key: "input.max_frames",
        })
    }

    /// Checks a duration in seconds.
    ///
    /// # Errors
    /// If it is longer than allowed.
    pub fn duration(self, path: &Path, seconds: f64) -> Result<(), DecodeError> {
        if seconds <= self.duration {
            return Ok(());
        }
        let (what, limit) = (format!("it lasts {seconds:.0} s"), format!("{} s", self.duration));
        Err(DecodeError::Limit { path: path.into(), what, limit, key: "input.max_duration" })
    }

    /// Whether this many frames are allowed.
    pub fn allows(self, frames: u64) -> bool {
        frames <= self.frames
    }

    /// Checks the stream count and picture size of a file's header. The duration in a header is only a claim, so it is
    /// checked while reading.
    ///
    /// # Errors
    /// If one of them exceeds its limit.
    pub fn check_header(self, path: &Path, input: &Input, index: usize) -> Result<(), DecodeError> {
        self.streams(path, input.nb_streams().into())?;
        let Some(stream) = input.stream(index) else { return Ok(()) };
        let told = read::parameters(&stream);
        self.size(path, told.width.into(), told.height.into())
    }

    /// Checks the number of streams.
    ///
    /// # Errors
    /// If a file has more streams than allowed.
    pub fn streams(self, path: &Path, streams: u64) -> Result<(), DecodeError> {
        if streams <= self.streams {
            return Ok(());
        }
        let (what, limit) = (format!("it has {streams} streams"), self.streams.to_string());
        Err(DecodeError::Limit { path: path.into(), what, limit, key: "input.max_streams" })
    }
}

/// Whether a picture was rejected because it is too large.
pub(super) fn is_size(error: &ImageError) -> bool {
    matches!(error, ImageError::Limits(limit) if matches!(limit.kind(), LimitErrorKind::DimensionError))
}
