//! Turns decoded frames into upright, progressive float RGB and runs the user's filters in between.

use std::path::{Path, PathBuf};

use ffmpeg_next::frame;

use super::convert::{Converter, First};
use super::error::DecodeError;
use super::filter::UserFilter;
use super::rotation::Rotation;
use super::stage::{Shape, Stage};
use crate::media::graph::{Entry, Exit, VideoGraph};
use crate::media::{Pixels, Ratio, Timing};
use crate::settings::{Deinterlace, InputSettings};

/// The filter that makes one progressive picture from each interlaced one.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=interlaced";

/// All processing between the decoder and the pipeline. Without user filters, each frame yields one frame and keeps its
/// timing.
pub(super) struct Ingest {
    path: PathBuf,
    rotation: Rotation,
    deinterlace: Deinterlace,
    /// Whether an interlaced frame was seen. From then on the deinterlacer stays; it passes progressive frames through.
    interlaced: bool,
    /// The filters in front of the user's ones: they make the pictures upright and progressive.
    straight: Stage,
    user: Option<UserFilter>,
    converter: Converter,
    notes: Vec<String>,
}

impl Ingest {
    /// Creates the stage. `rate` and `aspect` are those of the stored pictures.
    pub fn new(
        path: &Path,
        settings: &InputSettings,
        rotation: Rotation,
        rate: Option<Ratio>,
        aspect: Option<Ratio>,
        codec: &str,
    ) -> Self {
        let aspect = if rotation.swaps { aspect.map(|aspect| Ratio::new(aspect.den, aspect.num)) } else { aspect };
        let filter = settings.filter.trim();
        Self {
            path: path.into(),
            rotation,
            deinterlace: settings.deinterlace,
            interlaced: false,
            straight: Stage::default(),
            user: (!filter.is_empty()).then(|| UserFilter::new(path.into(), filter, rate, aspect)),
            converter: Converter::new(path, settings.hdr, codec),
            notes: Vec::new(),
        }
    }

    /// Returns the properties of the first picture, once there was one.
    pub fn first(&self) -> Option<First> {
        self.converter.first()
    }

    pub fn has_filter(&self) -> bool {
        self.user.is_some()
    }

    /// Returns the text of the user's filters.
    pub fn filter_text(&self) -> String {
        self.user.as_ref().map(|user| user.text.clone()).unwrap_or_default()
    }

    /// Returns the output properties of the user's filters, if there are any.
    pub fn filtered(&self) -> Option<Exit> {
        self.user.as_ref()?.exit()
    }

    pub fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.append(&mut self.converter.notes);
        notes
    }

    /// Feeds one frame. Finished pictures are appended to `ready`.
    pub fn push(
        &mut self,
        frame: frame::Video,
        timing: Timing,
        ready: &mut impl Extend<(Pixels, Timing)>,
    ) -> Result<(), DecodeError> {
        self.look(&frame)?;
        // The deinterlacer does not accept smaller pictures.
        let interlaced = self.interlaced && frame.width() >= 4 && frame.height() >= 4;
        if self.user.is_none() {
            let before = if interlaced { format!("{DEINTERLACE},") } else { String::new() };
            return self.converter.push(frame, timing, interlaced, (&before, self.rotation.filter), ready);
        }
        if !interlaced && self.rotation.filter.is_empty() {
            return self.filter(vec![(frame, timing)], ready);
        }
        let shape = Shape::of(&frame, interlaced);
        let mut out = Vec::new();
        let failed = |source| DecodeError::Libav { path: self.path.clone(), doing: "turning its pictures", source };
        if self.straight.needs(&shape) {
            let entry = Entry::of(&frame, timing.base);
            let chain = format!("{}{}", if interlaced { DEINTERLACE } else { "null" }, self.rotation.filter);
            let graph = VideoGraph::new(&entry, &chain).map_err(failed)?;
            self.straight.set(shape, graph, &mut out).map_err(failed)?;
        }
        self.straight.push(frame, timing, &mut out).map_err(failed)?;
        self.filter(out, ready)
    }

    /// Ends the input and hands out the frames still held back.
    pub fn finish(&mut self, ready: &mut impl Extend<(Pixels, Timing)>) -> Result<(), DecodeError> {
        let mut out = Vec::new();
        self.straight.flush(&mut out).map_err(|source| DecodeError::Libav {
            path: self.path.clone(),
            doing: "turning its pictures",
            source,
        })?;
        self.filter(out, ready)?;
        if let Some(user) = &mut self.user {
            let mut out = Vec::new();
            user.finish(&mut out)?;
            for (frame, timing) in out {
                self.converter.push(frame, timing, false, ("", ""), ready)?;
            }
        }
        self.converter.flush(ready)
    }

    fn filter(
        &mut self,
        frames: Vec<(frame::Video, Timing)>,
        ready: &mut impl Extend<(Pixels, Timing)>,
    ) -> Result<(), DecodeError> {
        let Some(user) = &mut self.user else { return Ok(()) };
        for (frame, timing) in frames {
            let mut out = Vec::new();
            user.push(frame, timing, &mut out)?;
            for (frame, timing) in out {
                self.converter.push(frame, timing, false, ("", ""), ready)?;
            }
        }
        Ok(())
    }

    fn look(&mut self, frame: &frame::Video) -> Result<(), DecodeError> {
        if !frame.is_interlaced() || self.interlaced {
            return Ok(());
        }
        match self.deinterlace {
            Deinterlace::Off => {}
            Deinterlace::Refuse => return Err(DecodeError::Interlaced { path: self.path.clone() }),
            Deinterlace::Auto => {
                self.interlaced = true;
                self.notes.push("interlaced: one progressive picture is made of each (bwdif)".into());
            }
        }
        Ok(())
    }
}
