//! Writes frames as a video file: first the pictures alone, in segments, then one pass that adds the other streams.

use std::path::{Path, PathBuf};

use super::codec::{self, Chosen, Coder, Container, Setup};
use super::concat::{self, concatenate};
use super::mux;
use super::part::{Part, Piece, Shown};
use super::rehearsal::Rehearsal;
use super::segment::{Segment, Store};
use super::streams::Plan;
use super::timeline::Pictures;
use super::to_encoder::Form;
use super::track::Track;
use super::verify::{self, Known};
use super::{EncodeError, Encoded, FrameSink};
use crate::label;
use crate::media::{Frame, MediaInfo, ffi};
use crate::settings::OutputSettings;

/// A sink that encodes to segments, then joins and muxes them.
///
/// Colours and sample format follow the source as far as the encoder allows: see [`codec::choose`].
pub(super) struct VideoSink {
    path: PathBuf,
    work: PathBuf,
    container: Container,
    info: MediaInfo,
    track: Track,
    plan: Plan,
    warnings: Vec<String>,
    setup: Setup,
    /// The encoder that was opened as a test; the first segment uses it.
    coder: Option<Coder>,
    known: Known,
    form: Form,
    store: Store,
    /// Whether transparent pixels would be lost without a warning at the start.
    loses_alpha: bool,
    transparent: bool,
    /// Finished segments.
    pieces: Vec<concat::Piece>,
    segment: Option<Segment>,
    /// The frames of the segment in progress.
    shown: Vec<Shown>,
    /// pts of the frames so far, in the source's ticks.
    pts: Vec<i64>,
    last_duration: i64,
    /// Whether segments are kept for a resume.
    sealed: bool,
    label: Option<String>,
}

impl VideoSink {
    pub fn open(
        path: &Path,
        container: Container,
        work: &Path,
        info: &MediaInfo,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let mut source = match &info.source {
            Some(source) => Some(
                ffi::open_source(source)
                    .map_err(|error| EncodeError::libav(&source.path, "opening it again", error))?,
            ),
            None => None,
        };
        let mut plan = match &mut source {
            Some(source) => Plan::new(source, info, path, container, work, settings)?,
            None => Plan::default(),
        };
        let Chosen { setup, coder, family, warnings } = codec::choose(path, container, info, settings)?;
        if let Some(source) = &source {
            let strict = settings.strict_streams;
            Rehearsal { path, container, coder: &coder, info, work, strict }.check(source, &mut plan)?;
        }
        let left_to_us = settings.codec == "auto" && settings.pix_fmt == "auto" && settings.encoder_options.is_empty();
        let known = Known { every_frame: false, same_look: left_to_us && warnings.is_empty() };
        let form = Form { format: setup.format, color: setup.color, coded: setup.coded, base: info.base };
        let alpha = ffi::samples_of(form.format).alpha;
        Ok(Self {
            path: path.into(),
            work: work.into(),
            container,
            info: info.clone(),
            track: Track::new(path, info),
            warnings: warnings.into_iter().chain(plan.warnings.iter().cloned()).collect(),
            plan,
            setup,
            coder: Some(coder),
            known,
            form,
            store: Store::of(family, alpha),
            loses_alpha: !alpha && !info.samples.alpha,
            transparent: false,
            pieces: Vec::new(),
            segment: None,
            shown: Vec::new(),
            pts: Vec::new(),
            last_duration: 1,
            sealed: false,
            label: None,
        })
    }

    /// Sets the text to embed in the file.
    pub fn labelled(self, label: Option<&str>) -> Self {
        Self { label: label.map(str::to_owned), ..self }
    }

    /// Continues after the segments of a previous run.
    pub fn with(mut self, parts: &[Part]) -> Result<Self, EncodeError> {
        let lost = |what: &str| EncodeError::Segment { path: self.path.clone(), what: what.into() };
        for part in parts {
            let [piece] = part.files.as_slice() else { return Err(lost("a part of several files")) };
            let file = piece.path(&self.work).ok_or_else(|| lost("a strange name"))?;
            for &shown in &part.shown {
                let moment = self.track.note(shown, self.info.base);
                self.last_duration = moment.duration;
                self.pts.push(moment.pts);
            }
            self.transparent |= part.transparent;
            self.pieces.push(concat::Piece { file, frames: part.shown.len() });
            self.sealed = true;
        }
        Ok(self)
    }

    /// Returns the segment in progress, and begins one if there is none.
    fn segment(&mut self) -> Result<&mut Segment, EncodeError> {
        if self.segment.is_none() {
            let coder = match self.coder.take() {
                Some(coder) => coder,
                None => self.setup.open(&self.path, &self.info)?,
            };
            let file = self.work.join(format!("part-{:06}.{}", self.pieces.len() + 1, self.store.muxer));
            self.segment = Some(Segment::create(&self.path, file, coder, self.form, self.store)?);
        }
        self.segment.as_mut().ok_or_else(|| EncodeError::NoFrame { path: self.path.clone() })
    }

    /// Ends the segment in progress, if any, and returns its file.
    fn end_segment(&mut self) -> Result<Option<PathBuf>, EncodeError> {
        let Some(segment) = self.segment.take() else { return Ok(None) };
        let (file, transparent) = segment.close()?;
        self.transparent |= transparent;
        self.pieces.push(concat::Piece { file: file.clone(), frames: self.shown.len() });
        Ok(Some(file))
    }

    /// Returns one file with all the pictures.
    fn joined(&self) -> Result<PathBuf, EncodeError> {
        if let [piece] = self.pieces.as_slice() {
            return Ok(piece.file.clone());
        }
        let file = self.work.join(format!("{}.pictures", self.container.extension));
        let form = (self.store, self.info.base);
        concatenate(&self.path, &self.pieces, form, (&self.pts, self.last_duration), &file)?;
        Ok(file)
    }

    /// Removes the intermediate files that are no longer needed.
    fn tidy(&self, pictures: &Path) -> Result<(), EncodeError> {
        let segments = self.pieces.iter().map(|piece| piece.file.as_path());
        // A resumed run still needs the sealed segments.
        let kept = |file: &Path| self.sealed && self.pieces.iter().any(|piece| piece.file == file);
        let mut files: Vec<&Path> = segments.chain([pictures]).filter(|file| !kept(file)).collect();
        files.dedup();
        files.into_iter().try_for_each(|file| std::fs::remove_file(file).map_err(|error| EncodeError::io(file, error)))
    }
}

impl FrameSink for VideoSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let moment = self.track.take(&frame)?;
        let begin = self.shown.first().map_or(moment.pts, |shown| shown.0);
        self.last_duration = moment.duration;
        self.segment()?.push(&frame.pixels, moment.pts - begin, moment.duration)?;
        self.pts.push(moment.pts);
        self.shown.push(frame.timing.into());
        Ok(())
    }

    fn expect_every_frame(&mut self) {
        self.known.every_frame = true;
    }

    fn seal(&mut self) -> Result<Option<Part>, EncodeError> {
        let Some(file) = self.end_segment()? else { return Ok(None) };
        self.sealed = true;
        let files = vec![Piece::secure(&self.work, &file)?];
        let shown = std::mem::take(&mut self.shown);
        Ok(Some(Part { files, shown, transparent: self.transparent }))
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        self.end_segment()?;
        if self.pts.is_empty() {
            return Err(EncodeError::NoFrame { path: self.path });
        }
        let mut warnings = Vec::new();
        if self.loses_alpha && self.transparent {
            warnings.push(codec::alpha_lost());
        }
        let file = self.joined()?;
        let Self { path, container, info, plan, known, pts, store, last_duration, label, .. } = &*self;
        let pictures = Pictures { file: &file, exact: store.exact, pts, last_duration: *last_duration, info };
        let muxed = mux::join(path, *container, &pictures, plan, label.as_deref())?;
        if let Some(label) = label.as_deref().filter(|_| container.is_quicktime()) {
            label::in_file(path, label).map_err(|error| EncodeError::io(path, error))?;
        }
        let differences = verify::check(path, &pictures, plan.painted(), &muxed, *known)?;
        self.tidy(&file)?;
        warnings.extend(muxed.warnings.into_iter().chain(differences));
        Ok(Encoded { frames: self.pts.len() as u64, warnings })
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}
