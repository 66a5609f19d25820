//! Reads the pictures of files, folders and videos, in order, in the form that the network sees.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::thread::Scope;

use crossbeam_channel::{Receiver, Sender, bounded};
use image::RgbImage;
use image::imageops::{FilterType, resize};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::best::Place;
use super::{Every, ExploreError};
use crate::batch::plan;
use crate::decode;
use crate::media::{Input, Pixels, Range, area, picture};
use crate::report::causes;
use crate::settings::InputSettings;

/// Number of picture files decoded in parallel.
const AT_ONCE: usize = 8;
/// Capacity of the queue of pictures for the network.
const WAITING: usize = 8;

/// An input file: a picture, or a video with many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub path: PathBuf,
    pub video: bool,
    /// Size in bytes and modification time (nanoseconds since 1970), which identify the same file in a later run.
    pub bytes: u64,
    pub changed: u128,
}

/// How pictures are read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    pub every: Every,
    /// Longest side in pixels; smaller pictures are not resized.
    pub size: usize,
}

/// A picture as the network sees it, 8-bit RGB.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    pub place: Place,
    pub seconds: Option<f64>,
    pub pixels: RgbImage,
}

/// A result of reading an entry.
#[derive(Debug)]
pub enum Found {
    Picture(Picture),
    /// The entry, or the rest of it, cannot be read.
    Broken {
        entry: usize,
        error: String,
    },
}

impl Picture {
    /// Returns the pixels as floats for the network.
    pub fn floats(&self) -> Pixels {
        Pixels::from_rgb8(self.pixels.width() as usize, self.pixels.height() as usize, self.pixels.as_raw())
    }
}

/// Returns the files named by `inputs`, in order; a folder's files in natural order, without files of other kinds.
///
/// # Errors
/// If an input does not exist or is not a picture or video, or a folder contains none.
pub fn entries(inputs: &[PathBuf]) -> Result<Vec<Entry>, ExploreError> {
    let mut entries = Vec::new();
    for input in inputs {
        if input.is_dir() {
            entries.extend(folder(input)?);
            continue;
        }
        match plan::classify(input)? {
            Input::Video(path) => entries.push(entry(path, true)?),
            Input::Picture(path) => entries.push(entry(path, false)?),
            Input::Sequence { files, .. } => {
                for path in files {
                    entries.push(entry(path, false)?);
                }
            }
            Input::Stdin => return Err(ExploreError::Stdin),
        }
    }
    Ok(entries)
}

fn folder(path: &Path) -> Result<Vec<Entry>, ExploreError> {
    let mut entries = Vec::new();
    for file in plan::files_in(path)? {
        match plan::classify(&file) {
            Ok(Input::Video(path)) => entries.push(entry(path, true)?),
            Ok(Input::Picture(path)) => entries.push(entry(path, false)?),
            // Notes, lists and other files that are not pictures or videos.
            _ => {}
        }
    }
    if entries.is_empty() { Err(ExploreError::EmptyFolder(path.into())) } else { Ok(entries) }
}

/// Describes a file in its present state.
///
/// # Errors
/// If it does not exist.
pub fn entry(path: PathBuf, video: bool) -> Result<Entry, ExploreError> {
    let unreadable = |error: std::io::Error| ExploreError::Picture { path: path.clone(), problem: error.to_string() };
    let metadata = std::fs::metadata(&path).map_err(unreadable)?;
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let (bytes, changed) = (metadata.len(), changed.map_or(0, |time| time.as_nanos()));
    Ok(Entry { path: std::path::absolute(&path).unwrap_or(path), video, bytes, changed })
}

/// Returns the expected number of pictures; `None` if a video does not report its frame count or rate.
pub fn count(entries: &[Entry], reading: Reading) -> Option<u64> {
    let one = |entry: &Entry| -> Option<u64> {
        if !entry.video {
            return Some(1);
        }
        let source =
            decode::open(&Input::Video(entry.path.clone()), Range::default(), &InputSettings::default()).ok()?;
        let frames = source.info().frames?;
        Some(match reading.every {
            Every::Frames(n) => frames.div_ceil(n),
            Every::Seconds(s) => {
                let rate = source.info().rate?.value();
                (frames as f64 / (rate * s).max(1.0)).ceil() as u64
            }
        })
    };
    entries.iter().map(one).sum()
}

/// Starts reading pictures in order on a separate thread, beginning at `from`; with `wanted`, only those in it.
/// Dropping the receiver ends the reading.
pub fn read<'scope>(
    scope: &'scope Scope<'scope, '_>,
    entries: &'scope [Entry],
    reading: Reading,
    from: Place,
    wanted: Option<BTreeSet<Place>>,
) -> Receiver<Found> {
    let (sender, receiver) = bounded(WAITING);
    scope.spawn(move || {
        // An error means that the receiver was dropped.
        let _ = Reader { entries, reading, from, wanted, sender }.run();
    });
    receiver
}

struct Reader<'a> {
    entries: &'a [Entry],
    reading: Reading,
    from: Place,
    wanted: Option<BTreeSet<Place>>,
    sender: Sender<Found>,
}

/// Error: the receiver was dropped.
struct Gone;

impl Reader<'_> {
    fn run(&self) -> Result<(), Gone> {
        let mut stills = Vec::new();
        for (index, entry) in self.entries.iter().enumerate().skip(self.from.entry) {
            let whole = Place { entry: index, frame: 0 }..=Place { entry: index, frame: u64::MAX };
            if self.wanted.as_ref().is_some_and(|wanted| wanted.range(whole).next().is_none()) {
                continue;
            }
            if entry.video || stills.len() == AT_ONCE {
                self.stills(&mut stills)?;
            }
            if entry.video {
                self.video(index, &entry.path)?;
            } else if (Place { entry: index, frame: 0 }) >= self.from {
                stills.push(index);
            }
        }
        self.stills(&mut stills)
    }

    fn send(&self, found: Found) -> Result<(), Gone> {
        self.sender.send(found).map_err(|_| Gone)
    }

    fn stills(&self, indices: &mut Vec<usize>) -> Result<(), Gone> {
        let decoded: Vec<Found> = indices
            .par_iter()
            .map(|&entry| match still(&self.entries[entry].path, self.reading.size) {
                Ok(pixels) => Found::Picture(Picture { place: Place { entry, frame: 0 }, seconds: None, pixels }),
                Err(problem) => {
                    let error = format!("{}: {problem}", self.entries[entry].path.display());
                    Found::Broken { entry, error }
                }
            })
            .collect();
        indices.clear();
        decoded.into_iter().try_for_each(|found| self.send(found))
    }

    fn video(&self, entry: usize, path: &Path) -> Result<(), Gone> {
        let broken = |error: decode::DecodeError| Found::Broken { entry, error: causes(&error) };
        let input = Input::Video(path.into());
        let mut source = match decode::open(&input, Range::default(), &InputSettings::default()) {
            Ok(source) => source,
            Err(error) => return self.send(broken(error)),
        };
        let (begin, mut period) = (source.begin(), None);
        loop {
            let frame = match source.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => return Ok(()),
                Err(error) => return self.send(broken(error)),
            };
            let seconds = frame.timing.base.seconds(frame.timing.pts) - begin;
            let chosen = match self.reading.every {
                Every::Frames(n) => frame.index % n == 0,
                Every::Seconds(s) => {
                    // A timestamp rounded down to a tick still belongs to its period.
                    let now = ((seconds + 1e-3) / s).floor();
                    period.replace(now) != Some(now)
                }
            };
            let place = Place { entry, frame: frame.index };
            let last = self.wanted.as_ref().and_then(|wanted| wanted.last()).copied();
            if last.is_some_and(|last| place > last) {
                return Ok(());
            }
            if !chosen || place < self.from || self.wanted.as_ref().is_some_and(|wanted| !wanted.contains(&place)) {
                continue;
            }
            let pixels = scaled(&frame.pixels, self.reading.size);
            self.send(Found::Picture(Picture { place, seconds: Some(seconds), pixels }))?;
        }
    }
}

/// Reads one picture as the network sees it.
///
/// # Errors
/// A one-line description of the problem, without the file's name.
pub fn still(path: &Path, size: usize) -> Result<RgbImage, String> {
    let bytes = crate::read_limited::read(path, crate::read_limited::PICTURE).map_err(|error| error.to_string())?;
    let pixels = picture::decode(&bytes).map_err(|error| causes(&error))?;
    if pixels.width == 0 || pixels.height == 0 {
        return Err("the picture has no pixels".into());
    }
    Ok(scaled(&pixels, size))
}

/// Converts to 8-bit and reduces to at most `size` pixels along either side.
pub fn scaled(pixels: &Pixels, size: usize) -> RgbImage {
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    let image = RgbImage::from_raw(width, height, pixels.to_rgb8()).unwrap_or_default();
    let (to_width, to_height) = area::within(pixels.width, pixels.height, size);
    if (to_width, to_height) == (pixels.width, pixels.height) {
        return image;
    }
    // `resize` widens the kernel when shrinking, so aliasing does not create false edges.
    resize(&image, to_width as u32, to_height as u32, FilterType::CatmullRom)
}
