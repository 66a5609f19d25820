//! The tail: painted frames since the last part, kept in case the run is interrupted before they fill a part.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::ResumeError;
use super::manifest::TailPiece;
use crate::encode::{Piece, Shown};
use crate::media::{Frame, Pixels, TimeBase, Timing, raw};

/// The two file names alternate: the previous run's tail is still needed while this run writes its own.
const FILES: [&str; 2] = ["tail-a.raw", "tail-b.raw"];
/// Bytes of frames that stay in memory; beyond that, they go to the disk.
const MEMORY: usize = 256 << 20;

/// Returns the bytes on the disk of a tail of `frames` frames of `frame_bytes` each, while the run lasts.
pub fn tail_bytes(frame_bytes: u64, frames: u64) -> u64 {
    let all = frame_bytes * frames;
    if all > MEMORY as u64 { all } else { 0 }
}

/// Keeps painted frames unencoded, in memory while they are few and on the disk otherwise.
#[derive(Debug)]
pub struct Tail {
    work: PathBuf,
    file: PathBuf,
    waiting: Vec<Pixels>,
    bytes: usize,
    disk: Option<BufWriter<File>>,
    shown: Vec<Shown>,
}

impl Tail {
    /// Creates a tail in a work folder that may already hold the tail `before`.
    pub(super) fn new(work: &Path, before: Option<&TailPiece>) -> Self {
        let taken = |name: &&str| before.is_some_and(|before| before.file.name == *name);
        let file = work.join(FILES.into_iter().find(|name| !taken(name)).unwrap_or(FILES[0]));
        Self { work: work.into(), file, waiting: Vec::new(), bytes: 0, disk: None, shown: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.shown.len()
    }

    pub fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    /// Appends a frame.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub fn push(&mut self, frame: &Frame) -> Result<(), ResumeError> {
        self.shown.push(frame.timing.into());
        self.bytes += frame.pixels.bytes();
        self.waiting.push(frame.pixels.clone());
        if self.bytes > MEMORY { self.spill().map_err(|error| self.failed(error)) } else { Ok(()) }
    }

    /// Drops the frames: they are in a part now.
    pub fn clear(&mut self) {
        self.waiting.clear();
        (self.bytes, self.disk) = (0, None);
        self.shown.clear();
    }

    fn failed(&self, error: io::Error) -> ResumeError {
        ResumeError::io(&self.file, error)
    }

    fn spill(&mut self) -> io::Result<()> {
        if self.disk.is_none() {
            self.disk = Some(BufWriter::new(File::create(&self.file)?));
        }
        if let Some(disk) = &mut self.disk {
            self.waiting.drain(..).try_for_each(|pixels| raw::write(disk, &pixels))?;
        }
        self.bytes = 0;
        Ok(())
    }

    /// Writes all frames to the disk; returns `None` if the tail is empty.
    ///
    /// # Errors
    /// If the disk is full or fails.
    pub(super) fn secure(&mut self) -> Result<Option<TailPiece>, ResumeError> {
        if self.shown.is_empty() {
            return Ok(None);
        }
        let written = self.spill().and_then(|()| self.disk.as_mut().map_or(Ok(()), Write::flush));
        written.map_err(|error| self.failed(error))?;
        let file = Piece::secure(&self.work, &self.file).map_err(|error| self.failed(io::Error::other(error)))?;
        Ok(Some(TailPiece { file, shown: self.shown.clone() }))
    }
}

/// Reads the frames of a tail; the first one gets the number `index`.
pub(super) fn read(work: &Path, piece: &TailPiece, base: TimeBase, index: u64) -> Result<Vec<Frame>, ResumeError> {
    let path = piece.file.path(work).unwrap_or_default();
    let lost = |source| ResumeError::Lost { path: path.clone(), source };
    let mut file = BufReader::new(File::open(&path).map_err(lost)?);
    let frames = (index..).zip(&piece.shown).map(|(index, &Shown(pts, duration))| {
        let pixels = raw::read(&mut file).map_err(lost)?;
        Ok(Frame { pixels, timing: Timing { pts, duration, base }, index })
    });
    frames.collect()
}
