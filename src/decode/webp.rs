//! Decodes animated WebP, which FFmpeg does not read.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use image_webp::{DecodingError, WebPDecoder};

use super::error::DecodeError;
use super::limits::Limits;
use super::{FrameSource, check_start, open};
use crate::catch_panic::catch_panic;
use crate::containers::riff;
use crate::media::{ColorInfo, Frame, MediaInfo, Pixels, Range, Ratio, Samples, TimeBase, Timing};

/// Delays are in milliseconds.
const BASE: TimeBase = TimeBase::new(1, 1000);

/// The duration that browsers use for a delay of 0, in milliseconds.
const NO_DELAY: i64 = 100;

/// Whether a file is an animated WebP.
pub(crate) fn is_animated(path: &Path) -> bool {
    const FLAGS: usize = riff::WEBP_FLAGS as usize;
    let mut head = [0; FLAGS + 1];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    // The second bit marks an animation.
    read.is_ok() && riff::is_extended_webp(&head) && head[FLAGS] & 2 != 0
}

pub(super) struct WebpSource {
    path: PathBuf,
    info: MediaInfo,
    decoder: WebPDecoder<BufReader<File>>,
    /// Time at which the next frame of the file is shown, in milliseconds.
    pts: i64,
    /// The first frame of the requested range, read while opening.
    first: Option<(Pixels, Timing)>,
    /// The highest number of frames to return.
    limit: u64,
    given: u64,
}

impl WebpSource {
    pub fn open(path: &Path, range: Range, limits: Limits) -> Result<Self, DecodeError> {
        open::look_at(path)?;
        check_start(path, range)?;
        let file = File::open(path).map_err(|source| DecodeError::Io { path: path.into(), source })?;
        let bad = |source| DecodeError::Animation { path: path.into(), source };
        let mut decoder = WebPDecoder::new(BufReader::new(file)).map_err(bad)?;
        let (width, height) = decoder.dimensions();
        let (count, duration) = (u64::from(decoder.num_frames()), decoder.loop_duration());
        limits.size(path, width.into(), height.into())?;
        limits.frames(path, range.frames.unwrap_or(u64::MAX).min(count))?;
        if range.frames.is_none() {
            limits.duration(path, duration as f64 / 1000.0)?;
        }
        // The background is transparent, whatever the file says: players ignore its colour as well.
        decoder.set_background_color([0; 4]).map_err(bad)?;
        let rate = i32::try_from(1000 * count).ok().zip(i32::try_from(duration).ok());
        let mut source = Self {
            path: path.into(),
            info: MediaInfo {
                width: width as usize,
                height: height as usize,
                frames: None,
                base: BASE,
                rate: rate.filter(|(_, duration)| *duration > 0).map(|(count, duration)| Ratio::new(count, duration)),
                sample_aspect: None,
                color: ColorInfo::BT709,
                samples: Samples { alpha: decoder.has_alpha(), ..Samples::RGB8 },
                codec: "webp",
                first: 0,
                source: None,
            },
            decoder,
            pts: 0,
            first: None,
            limit: range.frames.unwrap_or(u64::MAX),
            given: 0,
        };
        let from = BASE.ticks(range.start);
        while let Some((pixels, timing)) = source.read()? {
            if timing.pts >= from {
                source.first = Some((pixels, timing));
                break;
            }
            source.info.first += 1;
        }
        if source.first.is_none() {
            return Err(DecodeError::StartsAfterEnd { path: path.into(), start: range.start });
        }
        source.info.frames = Some((count - source.info.first).min(source.limit));
        Ok(source)
    }

    /// Reads the next frame of the file, with its time.
    fn read(&mut self) -> Result<Option<(Pixels, Timing)>, DecodeError> {
        let mut bytes = vec![0; self.decoder.output_buffer_size().unwrap_or(0)];
        // A frame whose picture is larger than its header says makes image-webp 0.2.4 index past the end of a buffer,
        // which is a panic. The decoder is not used again after one.
        let panicked = || Err(DecodingError::IoError(std::io::Error::other("a frame contradicts itself")));
        let delay = match catch_panic(|| self.decoder.read_frame(&mut bytes)).unwrap_or_else(panicked) {
            Ok(delay) => i64::from(delay),
            Err(DecodingError::NoMoreFrames) => return Ok(None),
            Err(source) => return Err(DecodeError::Animation { path: self.path.clone(), source }),
        };
        let duration = if delay == 0 { NO_DELAY } else { delay };
        let timing = Timing { pts: self.pts, duration: Some(duration), base: BASE };
        self.pts += duration;
        let (width, height) = (self.info.width, self.info.height);
        let pixels = if self.info.samples.alpha {
            let rgb: Vec<u8> = bytes.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
            let alpha = bytes.chunks_exact(4).map(|pixel| f32::from(pixel[3]) / 255.0).collect();
            Pixels { alpha: Some(alpha), ..Pixels::from_rgb8(width, height, &rgb) }
        } else {
            Pixels::from_rgb8(width, height, &bytes)
        };
        Ok(Some((pixels, timing)))
    }
}

impl FrameSource for WebpSource {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        if self.given >= self.limit {
            return Ok(None);
        }
        let next = match self.first.take() {
            Some(first) => Some(first),
            None => self.read()?,
        };
        let Some((pixels, timing)) = next else { return Ok(None) };
        let index = self.given;
        self.given += 1;
        Ok(Some(Frame { pixels, timing, index }))
    }
}
