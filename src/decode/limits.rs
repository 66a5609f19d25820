//! How much of an input is read: its pictures' size, its length, its streams.

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
            bounds: Bounds::of(settings),
            duration: settings.max_duration,
            frames: settings.max_frames,
            streams: settings.max_streams,
        }
    }

    pub fn bounds(self) -> Bounds {
        self.bounds
    }

    /// # Errors
    /// When pictures of this size are too large.
    pub fn size(self, path: &Path, width: u64, height: u64) -> Result<(), DecodeError> {
        let Bounds { pixels, side } = self.bounds;
        let (limit, key) = match () {
            () if width.max(height) > side => (format!("{side} pixels along a side"), "input.max_side"),
            () if width.saturating_mul(height) > pixels => (format!("{pixels} pixels"), "input.max_pixels"),
            () => return Ok(()),
        };
        Err(DecodeError::Limit { path: path.into(), what: format!("its pictures are {width}x{height}"), limit, key })
    }

    /// # Errors
    /// When there are more frames than may be read.
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

    /// # Errors
    /// When so many seconds are more than may be read.
    pub fn duration(self, path: &Path, seconds: f64) -> Result<(), DecodeError> {
        if seconds <= self.duration {
            return Ok(());
        }
        let (what, limit) = (format!("it lasts {seconds:.0} s"), format!("{} s", self.duration));
        Err(DecodeError::Limit { path: path.into(), what, limit, key: "input.max_duration" })
    }

    /// Whether so many frames may be read.
    pub fn allows(self, frames: u64) -> bool {
        frames <= self.frames
    }

    /// What a file says of itself. How long it lasts is but a claim: that is looked at while it is read.
    ///
    /// # Errors
    /// When that is beyond a limit.
    pub fn check_header(self, path: &Path, input: &Input, index: usize) -> Result<(), DecodeError> {
        self.streams(path, input.nb_streams().into())?;
        let Some(stream) = input.stream(index) else { return Ok(()) };
        let told = read::parameters(&stream);
        self.size(path, told.width.into(), told.height.into())
    }

    /// # Errors
    /// When a file has more streams than may be.
    pub fn streams(self, path: &Path, streams: u64) -> Result<(), DecodeError> {
        if streams <= self.streams {
            return Ok(());
        }
        let (what, limit) = (format!("it has {streams} streams"), self.streams.to_string());
        Err(DecodeError::Limit { path: path.into(), what, limit, key: "input.max_streams" })
    }
}

/// Whether a picture was not read because it is too large.
pub(super) fn is_size(error: &ImageError) -> bool {
    matches!(error, ImageError::Limits(limit) if matches!(limit.kind(), LimitErrorKind::DimensionError))
}
