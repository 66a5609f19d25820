//! From decoded frames to upright, progressive float RGB, with the user's filters on the way.

use std::path::{Path, PathBuf};

use ffmpeg_next::frame;

use super::convert::{Converter, First};
use super::error::DecodeError;
use super::filter::UserFilter;
use super::stage::{Shape, Stage};
use super::turn::Turn;
use crate::media::graph::{Entry, Exit, VideoGraph};
use crate::media::{Pixels, Ratio, Timing};
use crate::settings::{Deinterlace, InputSettings};

/// The filter that makes one progressive picture of each interlaced one.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=interlaced";

/// Everything between the decoder and the pipeline. Without filters of the user, frames leave one for one and keep
/// their timings.
pub(super) struct Ingest {
    path: PathBuf,
    turn: Turn,
    deinterlace: Deinterlace,
    /// Whether an interlaced frame was met: from then on the deinterlacer stays, it passes progressive ones through.
    interlaced: bool,
    /// In front of the user's filters: what makes upright, progressive pictures.
    straight: Stage,
    user: Option<UserFilter>,
    converter: Converter,
    notes: Vec<String>,
}

impl Ingest {
    /// `rate` and `aspect` are those of the stored pictures.
    pub fn new(
        path: &Path,
        settings: &InputSettings,
        turn: Turn,
        rate: Option<Ratio>,
        aspect: Option<Ratio>,
        codec: &str,
    ) -> Self {
        let aspect = if turn.swaps { aspect.map(|aspect| Ratio::new(aspect.den, aspect.num)) } else { aspect };
        let filter = settings.filter.trim();
        Self {
            path: path.into(),
            turn,
            deinterlace: settings.deinterlace,
            interlaced: false,
            straight: Stage::default(),
            user: (!filter.is_empty()).then(|| UserFilter::new(path.into(), filter, rate, aspect)),
            converter: Converter::new(path, settings.hdr, codec),
            notes: Vec::new(),
        }
    }

    /// What the first picture was like, once there was one.
    pub fn first(&self) -> Option<First> {
        self.converter.first()
    }

    pub fn has_filter(&self) -> bool {
        self.user.is_some()
    }

    /// The user's filters, as they were given.
    pub fn filter_text(&self) -> String {
        self.user.as_ref().map(|user| user.text.clone()).unwrap_or_default()
    }

    /// What comes out of the user's filters, where there are any.
    pub fn filtered(&self) -> Option<Exit> {
        self.user.as_ref()?.exit()
    }

    pub fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.append(&mut self.converter.notes);
        notes
    }

    /// Feeds a frame.
    pub fn push(
        &mut self,
        frame: frame::Video,
        timing: Timing,
        ready: &mut impl Extend<(Pixels, Timing)>,
    ) -> Result<(), DecodeError> {
        self.look(&frame)?;
        // The filter takes no smaller pictures.
        let interlaced = self.interlaced && frame.width() >= 4 && frame.height() >= 4;
        if self.user.is_none() {
            let before = if interlaced { format!("{DEINTERLACE},") } else { String::new() };
            return self.converter.push(frame, timing, interlaced, (&before, self.turn.filter), ready);
        }
        if !interlaced && self.turn.filter.is_empty() {
            return self.filter(vec![(frame, timing)], ready);
        }
        let shape = Shape::of(&frame, interlaced);
        let mut out = Vec::new();
        let failed = |source| DecodeError::Libav { path: self.path.clone(), doing: "turning its pictures", source };
        if self.straight.needs(&shape) {
            let entry = Entry::of(&frame, timing.base);
            let chain = format!("{}{}", if interlaced { DEINTERLACE } else { "null" }, self.turn.filter);
            let graph = VideoGraph::new(&entry, &chain).map_err(failed)?;
            self.straight.set(shape, graph, &mut out).map_err(failed)?;
        }
        self.straight.push(frame, timing, &mut out).map_err(failed)?;
        self.filter(out, ready)
    }

    /// No more frames come: takes out what is held back.
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
