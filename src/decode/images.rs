//! Reads frames from picture files: a single picture or a sequence.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::error::DecodeError;
use super::limits::{Limits, is_size};
use super::{FrameSource, check_start, rate};
use crate::media::{ColorInfo, Frame, MediaInfo, Pixels, Range, Ratio, Samples, TimeBase, Timing, picture};
use crate::read_limited;

/// A source of one picture, or of several in order.
pub(super) struct ImageSource {
    info: MediaInfo,
    files: Vec<PathBuf>,
    /// The picture at `files[next]`, if it was decoded already to find its size.
    decoded: Option<Pixels>,
    start: usize,
    next: usize,
    limits: Limits,
    /// Notes about the pictures that have not been reported yet.
    notes: Vec<String>,
    warnings: Vec<String>,
    told: HashSet<String>,
}

impl ImageSource {
    pub fn picture(path: &Path, limits: Limits) -> Result<Self, DecodeError> {
        Self::open(vec![path.into()], 0, rate::DEFAULT, limits)
    }

    /// Opens a range of a sequence. Pictures have no times: picture `n` is shown at tick `n` of `base`.
    pub fn sequence(
        folder: &Path,
        files: &[PathBuf],
        range: Range,
        base: TimeBase,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        if files.is_empty() {
            return Err(DecodeError::NoPictures { folder: folder.into() });
        }
        check_start(folder, range)?;
        let start = base.ticks(range.start).max(0) as usize;
        if start >= files.len() {
            return Err(DecodeError::StartsAfterEnd { path: folder.into(), start: range.start });
        }
        let count = range.frames.and_then(|frames| usize::try_from(frames).ok()).unwrap_or(files.len());
        let end = start.saturating_add(count).min(files.len());
        limits.frames(folder, (end - start) as u64)?;
        Self::open(files[..end].to_vec(), start, base, limits)
    }

    fn open(files: Vec<PathBuf>, start: usize, base: TimeBase, limits: Limits) -> Result<Self, DecodeError> {
        // With a limit of 0 frames the source still needs a size: that of the picture it would start with.
        let decoded = files.get(start).or(files.last()).map(|path| read(path, limits)).transpose()?;
        let (width, height) = decoded.as_ref().map_or((0, 0), |found| (found.pixels.width, found.pixels.height));
        let info = MediaInfo {
            width,
            height,
            frames: Some((files.len() - start) as u64),
            base,
            rate: Some(Ratio::new(base.den, base.num)),
            sample_aspect: None,
            color: ColorInfo::BT709,
            samples: decoded.as_ref().map_or(Samples::RGB8, |found| found.samples),
            codec: "",
            first: start as u64,
            source: None,
        };
        let mut source = Self {
            info,
            files,
            decoded: None,
            start,
            next: start,
            limits,
            notes: Vec::new(),
            warnings: Vec::new(),
            told: HashSet::new(),
        };
        source.decoded = decoded.map(|found| source.heard(found));
        // The sizes are checked by the headers now, so that nothing is painted in vain.
        for path in &source.files[start..] {
            match picture::size(path) {
                Ok(size) => source.check_size(path, size)?,
                // Reading the picture gives the best error message.
                Err(_) => drop(read(path, limits)?),
            }
        }
        Ok(source)
    }
}

impl ImageSource {
    /// Collects the notes and warnings about a picture, each text once, and returns its pixels.
    fn heard(&mut self, found: picture::Found) -> Pixels {
        self.notes.extend(found.notes.into_iter().filter(|note| self.told.insert(note.clone())));
        self.warnings.extend(found.warnings.into_iter().filter(|warning| self.told.insert(warning.clone())));
        found.pixels
    }

    fn check_size(&self, path: &Path, (width, height): (usize, usize)) -> Result<(), DecodeError> {
        let (first_width, first_height) = (self.info.width, self.info.height);
        if (width, height) == (first_width, first_height) {
            return Ok(());
        }
        let first = self.files[self.start].clone();
        Err(DecodeError::Sizes { path: path.into(), width, height, first, first_width, first_height })
    }
}

impl FrameSource for ImageSource {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        let Some(path) = self.files.get(self.next).cloned() else { return Ok(None) };
        let path = path.as_path();
        let pixels = match self.decoded.take() {
            Some(pixels) => pixels,
            None => {
                let found = read(path, self.limits)?;
                self.heard(found)
            }
        };
        self.check_size(path, (pixels.width, pixels.height))?;
        let timing = Timing { pts: self.next as i64, duration: Some(1), base: self.info.base };
        let frame = Frame { pixels, timing, index: (self.next - self.start) as u64 };
        self.next += 1;
        Ok(Some(frame))
    }

    fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }
}

/// Reads a picture and turns it upright according to its EXIF orientation.
fn read(path: &Path, limits: Limits) -> Result<picture::Found, DecodeError> {
    let io = |source| DecodeError::Io { path: path.into(), source };
    let bad = |error| match picture::size(path) {
        Ok((width, height)) if is_size(&error) => match limits.size(path, width as u64, height as u64) {
            Err(told) => told,
            Ok(()) => DecodeError::Picture { path: path.into(), source: error },
        },
        _ => DecodeError::Picture { path: path.into(), source: error },
    };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(DecodeError::Missing { path: path.into() });
        }
        Ok(found) if found.is_file() && found.len() == 0 => return Err(DecodeError::Empty { path: path.into() }),
        _ => {}
    }
    let bytes = read_limited::read(path, read_limited::PICTURE).map_err(io)?;
    picture::look(&bytes, limits.bounds()).map_err(bad)
}
