//! Applies the user's filters to sources that FFmpeg does not decode: pictures and animated WebP.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, frame};

use super::FrameSource;
use super::error::DecodeError;
use super::ingest::Ingest;
use super::rotation::Rotation;
use crate::media::{self as words, Frame, MediaInfo, Pixels, Timing, ffi};
use crate::settings::InputSettings;

pub(super) struct Filtered {
    path: PathBuf,
    inner: Box<dyn FrameSource>,
    info: MediaInfo,
    ingest: Ingest,
    ready: VecDeque<(Pixels, Timing)>,
    ended: bool,
    given: u64,
}

impl Filtered {
    pub fn open(inner: Box<dyn FrameSource>, path: &Path, settings: &InputSettings) -> Result<Self, DecodeError> {
        words::init();
        let info = inner.info().clone();
        let ingest = Ingest::new(path, settings, Rotation::NONE, info.rate, None, "");
        let mut source =
            Self { path: path.into(), inner, info, ingest, ready: VecDeque::new(), ended: false, given: 0 };
        source.advance()?;
        let (Some(exit), Some((pixels, _))) = (source.ingest.filtered(), source.ready.front()) else {
            return Err(DecodeError::NothingLeft { path: path.into(), graph: settings.filter.trim().into() });
        };
        let info = &mut source.info;
        (info.width, info.height) = (pixels.width, pixels.height);
        (info.base, info.rate, info.sample_aspect) = (exit.base, exit.rate, exit.sample_aspect);
        info.samples.alpha = pixels.alpha.is_some();
        Ok(source)
    }

    fn advance(&mut self) -> Result<(), DecodeError> {
        while self.ready.is_empty() && !self.ended {
            match self.inner.next()? {
                Some(frame) => {
                    let picture = self.picture(&frame.pixels)?;
                    self.ingest.push(picture, frame.timing, &mut self.ready)?;
                }
                None => {
                    self.ended = true;
                    self.ingest.finish(&mut self.ready)?;
                }
            }
        }
        Ok(())
    }

    /// Converts pixels to a frame for FFmpeg's filters: planar RGB with 8 or 16 bits per sample.
    fn picture(&self, pixels: &Pixels) -> Result<frame::Video, DecodeError> {
        let deep = self.info.samples.depth > 8;
        let format = match (deep, pixels.alpha.is_some()) {
            (false, false) => Pixel::GBRP,
            (false, true) => Pixel::GBRAP,
            (true, false) => Pixel::GBRP16LE,
            (true, true) => Pixel::GBRAP16LE,
        };
        let (width, height) = (pixels.width, pixels.height);
        let mut picture = frame::Video::new(format, width as u32, height as u32);
        picture.set_color_space(Space::RGB);
        picture.set_color_range(Range::JPEG);
        let plane = width * height;
        let red = |channel: usize| &pixels.rgb[channel * plane..(channel + 1) * plane];
        let planes = [Some(red(1)), Some(red(2)), Some(red(0)), pixels.alpha.as_deref()];
        for (index, samples) in planes.into_iter().enumerate().filter_map(|(index, plane)| Some((index, plane?))) {
            for (y, samples) in samples.chunks_exact(width).enumerate() {
                let bytes = if deep { 2 * width } else { width };
                let row = ffi::row_mut(&mut picture, index, y, bytes).ok_or_else(|| DecodeError::Libav {
                    path: self.path.clone(),
                    doing: "filtering its pictures",
                    source: ffmpeg::Error::Bug,
                })?;
                if deep {
                    for (bytes, value) in row.chunks_exact_mut(2).zip(samples) {
                        bytes.copy_from_slice(&((value * 65535.0).round() as u16).to_le_bytes());
                    }
                } else {
                    for (byte, value) in row.iter_mut().zip(samples) {
                        *byte = words::to_u8(*value);
                    }
                }
            }
        }
        Ok(picture)
    }
}

impl FrameSource for Filtered {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        self.advance()?;
        let Some((pixels, timing)) = self.ready.pop_front() else { return Ok(None) };
        let index = self.given;
        self.given += 1;
        Ok(Some(Frame { pixels, timing, index }))
    }

    fn take_warnings(&mut self) -> Vec<String> {
        let mut notes = self.inner.take_warnings();
        notes.extend(self.ingest.take_notes());
        notes
    }

    fn take_notes(&mut self) -> Vec<String> {
        self.inner.take_notes()
    }
}
