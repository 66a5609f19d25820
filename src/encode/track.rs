//! Checks and counts the frames that a sink takes.

use std::path::{Path, PathBuf};

use super::EncodeError;
use super::part::Shown;
use crate::media::{Frame, MediaInfo, Ratio, TimeBase};

/// State of the frames so far.
pub(super) struct Track {
    path: PathBuf,
    size: (usize, usize),
    rate: f64,
    first: Option<i64>,
    last: Option<i64>,
    pub frames: u64,
}

/// When a frame is shown, in the source's ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub pts: i64,
    /// The pts relative to the first frame.
    pub since_first: i64,
    pub duration: i64,
}

impl Track {
    pub fn new(path: &Path, info: &MediaInfo) -> Self {
        let rate = info.rate.map_or(0.0, Ratio::value);
        let rate = if rate > 0.0 { rate } else { 25.0 };
        Self { path: path.into(), size: (info.width, info.height), rate, first: None, last: None, frames: 0 }
    }

    /// Checks and counts a frame.
    ///
    /// # Errors
    /// If its size is not the announced one, or it does not come after the previous frame.
    pub fn take(&mut self, frame: &Frame) -> Result<Moment, EncodeError> {
        let Frame { pixels, timing, index } = frame;
        let (index, path) = (*index, self.path.clone());
        if (pixels.width, pixels.height) != self.size {
            let (expected_width, expected_height) = self.size;
            let (width, height) = (pixels.width, pixels.height);
            return Err(EncodeError::Size { path, index, width, height, expected_width, expected_height });
        }
        if let Some(last) = self.last.filter(|&last| last >= timing.pts) {
            return Err(EncodeError::Order { path, index, pts: timing.pts, last });
        }
        Ok(self.note(Shown::from(*timing), timing.base))
    }

    /// Counts a frame, without checks; also used for frames that a previous run has written.
    pub fn note(&mut self, Shown(pts, duration): Shown, base: TimeBase) -> Moment {
        let since_last = || self.last.map(|last| pts - last);
        // Containers that store only time differences lose a last frame of duration 0.
        let duration = duration.or_else(since_last).unwrap_or_else(|| base.ticks(1.0 / self.rate)).max(1);
        let first = *self.first.get_or_insert(pts);
        self.last = Some(pts);
        self.frames += 1;
        Moment { pts, since_first: pts - first, duration }
    }
}
