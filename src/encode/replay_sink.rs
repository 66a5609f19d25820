//! Resume for outputs that cannot be written in parts: the painted frames are also kept as raw pictures.
//!
//! An animation, or the user's filters, has one state from its first frame to its last. A resumed run feeds the kept
//! pictures to the sink again, which needs no painting.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::PathBuf;

use super::part::{Part, Piece, Shown};
use super::{EncodeError, Encoded, FrameSink, Target};
use crate::media::{Frame, MediaInfo, TimeBase, Timing, raw};

/// A sink that passes frames on and keeps a raw copy of each.
pub(super) struct ReplaySink {
    inner: Box<dyn FrameSink>,
    work: PathBuf,
    base: TimeBase,
    /// Number of sealed parts.
    parts: usize,
    file: Option<(PathBuf, BufWriter<File>)>,
    shown: Vec<Shown>,
    frames: u64,
}

impl ReplaySink {
    /// Wraps a sink that was just opened, and feeds it the pictures of `parts`.
    pub fn around(
        inner: Box<dyn FrameSink>,
        target: &Target,
        info: &MediaInfo,
        parts: &[Part],
    ) -> Result<Box<dyn FrameSink>, EncodeError> {
        let work = target.work.clone();
        let mut sink = Self { inner, work, base: info.base, parts: 0, file: None, shown: Vec::new(), frames: 0 };
        parts.iter().try_for_each(|part| sink.replay(part))?;
        Ok(Box::new(sink))
    }

    fn replay(&mut self, part: &Part) -> Result<(), EncodeError> {
        let lost = |what: &str| EncodeError::Segment { path: self.work.clone(), what: what.into() };
        let [piece] = part.files.as_slice() else { return Err(lost("a part of several files")) };
        let path = piece.path(&self.work).ok_or_else(|| lost("a strange name"))?;
        let fail = |source| EncodeError::io(&path, source);
        let mut file = BufReader::new(File::open(&path).map_err(fail)?);
        for &Shown(pts, duration) in &part.shown {
            let pixels = raw::read(&mut file).map_err(fail)?;
            let timing = Timing { pts, duration, base: self.base };
            self.inner.push(Frame { pixels, timing, index: self.frames })?;
            self.frames += 1;
        }
        self.parts += 1;
        Ok(())
    }

    fn keep(&mut self, frame: &Frame) -> Result<(), EncodeError> {
        let path = self.work.join(format!("part-{:06}.raw", self.parts + 1));
        let fail = |source| EncodeError::io(&path, source);
        if self.file.is_none() {
            self.file = Some((path.clone(), BufWriter::new(File::create(&path).map_err(fail)?)));
        }
        if let Some((_, file)) = &mut self.file {
            raw::write(file, &frame.pixels).map_err(fail)?;
        }
        self.shown.push(frame.timing.into());
        Ok(())
    }
}

impl FrameSink for ReplaySink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        self.keep(&frame)?;
        self.frames += 1;
        self.inner.push(frame)
    }

    fn expect_every_frame(&mut self) {
        self.inner.expect_every_frame();
    }

    fn seal(&mut self) -> Result<Option<Part>, EncodeError> {
        let Some((path, mut file)) = self.file.take() else { return Ok(None) };
        file.flush().map_err(|source| EncodeError::io(&path, source))?;
        drop(file);
        self.parts += 1;
        let files = vec![Piece::secure(&self.work, &path)?];
        Ok(Some(Part { files, shown: std::mem::take(&mut self.shown), transparent: false }))
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        self.inner.finish()
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}
