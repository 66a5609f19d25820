//! Measures the figures frame by frame.

use std::collections::VecDeque;

use super::compare::{masked_mean_square, mean_change, root_mean_square_of_changes};
use super::figures::{Figures, FrameFigures, Pair, Place};
use super::flicker::{Flicker, HighPass};
use super::ghost::{LAG, Seen};
use super::still::{Deviation, standing};
use super::summary::{Summary, Totals};
use crate::media::Pixels;
use crate::motion::{Consistency, FlowField, Shot, Step, Trail, Transition};

/// Distance in frames between the ends of a long-term pair.
const LONG: usize = 10;

/// The same frame of both videos.
struct Entry {
    source: Pixels,
    result: Pixels,
    /// Luma of the result and of the source.
    lumas: [Vec<f32>; 2],
}

impl Entry {
    fn lumas(&self) -> [&[f32]; 2] {
        [&self.lumas[0], &self.lumas[1]]
    }

    fn is_of_size_of(&self, other: &Self) -> bool {
        (self.source.width, self.source.height) == (other.source.width, other.source.height)
    }
}

/// Compares a result with its source, frame by frame.
pub struct Meter {
    rules: Consistency,
    filter: Option<HighPass>,
    /// The last frames of the shot, the newest last: as many as a long-term pair needs, or one.
    frames: VecDeque<Entry>,
    trail: Trail,
    long: bool,
    count: u64,
    /// Number of frames of the shot, flashes not counted.
    in_shot: u64,
    deviations: [Deviation; 2],
    flicker: Option<Flicker>,
    totals: Totals,
}

impl Meter {
    /// Creates a meter for videos with `rate` frames per second.
    pub fn new(rate: f64) -> Self {
        let rules = Consistency { blur: 0.0, ..Consistency::default() };
        Self {
            rules,
            filter: HighPass::new(rate),
            frames: VecDeque::new(),
            trail: Trail::new(LONG),
            long: false,
            count: 0,
            in_shot: 0,
            deviations: Default::default(),
            flicker: None,
            totals: Totals::default(),
        }
    }

    /// Also measures long-term pairs, which needs eleven frames of both videos in memory.
    #[must_use]
    pub fn with_long_term(self) -> Self {
        Self { long: true, ..self }
    }

    /// Takes the next frame of both videos, in display order, and the source's motion since the previous frame. A step
    /// on a grid of another size is rescaled.
    ///
    /// # Panics
    /// If the two pictures differ in size.
    pub fn push(&mut self, source: Pixels, result: Pixels, transition: &Transition) -> FrameFigures {
        assert_eq!((source.width, source.height), (result.width, result.height), "frames of one size");
        self.count += 1;
        let frame = self.count;
        if transition.shot == Shot::Flash {
            self.totals.flashes += 1;
            return FrameFigures { frame, place: Place::Flash, figures: Figures::default() };
        }
        let lumas = [result.luma(), source.luma()];
        let entry = Entry { source, result, lumas };
        let step = transition.step.as_ref().filter(|_| transition.shot == Shot::Continues);
        let Some(figures) = step.and_then(|step| self.figures(&entry, step)) else {
            self.begin_shot(entry);
            return FrameFigures { frame, place: Place::New, figures: Figures::default() };
        };
        self.in_shot += 1;
        self.frames.push_back(entry);
        if self.frames.len() > if self.long { LONG } else { 1 } {
            self.frames.pop_front();
        }
        self.totals.add(frame, &figures);
        FrameFigures { frame, place: Place::Continues, figures }
    }

    /// As [`Meter::push`], with the network's figures for the frame. The figures that compare with an earlier frame are
    /// left out if this meter sees a cut in between.
    ///
    /// # Panics
    /// As [`Meter::push`].
    pub fn push_seen(&mut self, source: Pixels, result: Pixels, transition: &Transition, seen: Seen) -> FrameFigures {
        let mut told = self.push(source, result, transition);
        if told.place == Place::Flash {
            return told;
        }
        let seen = if self.in_shot > LAG { seen } else { Seen { unpainted: seen.unpainted, ..Seen::default() } };
        self.totals.add_seen(told.frame, &seen);
        let Seen { content_moving, ghost, unpainted } = seen;
        told.figures = Figures { content_moving, ghost, unpainted, ..told.figures };
        told
    }

    /// Skips a frame without data: the shot ends before it.
    pub fn skip(&mut self) {
        self.count += 1;
        self.end_shot();
        self.frames.clear();
        self.in_shot = 0;
    }

    fn end_shot(&mut self) {
        self.totals.end_shot(std::mem::take(&mut self.deviations).map(|deviation| deviation.sum()));
        self.flicker = None;
        self.trail = Trail::new(LONG);
    }

    fn begin_shot(&mut self, entry: Entry) {
        self.totals.cuts += u64::from(!self.frames.is_empty());
        self.end_shot();
        self.deviations = entry.lumas().map(Deviation::begin);
        self.flicker = self.filter.map(|filter| Flicker::begin(filter, entry.lumas()));
        self.frames.clear();
        self.in_shot = 1;
        self.frames.push_back(entry);
    }

    /// Returns `None` if nothing can be compared: no pixel of the previous frame is reliably seen in this one.
    fn figures(&mut self, now: &Entry, step: &Step) -> Option<Figures> {
        let before = self.frames.back().filter(|before| before.is_of_size_of(now))?;
        let (width, height) = (now.source.width, now.source.height);
        let (forth, back) = rayon::join(|| step.forth.resized(width, height), || step.back.resized(width, height));
        // The first result lies on the grid of the previous frame, the second on that of this frame.
        let (earlier, later) = rayon::join(|| self.rules.judge(&forth, &back), || self.rules.judge(&back, &forth));
        let e_warp = pair(before, now, |before, now| warp_error(&forth, &earlier.weights, now, before))?;
        let ruder_mse = pair(before, now, |before, now| warp_error(&back, &later.seen, before, now));
        let standing = standing(&back, &later.weights, &before.lumas[1], &now.lumas[1]);
        let changes = [0, 1].map(|video| mean_change(&before.lumas[video], &now.lumas[video], &standing));
        let still_luma = changes[0].zip(changes[1]).map(|(result, source)| 255.0 * (result - source));
        let of_changes = [&now.result, &before.result, &now.source, &before.source].map(|pixels| pixels.rgb.as_slice());
        let fdb = root_mean_square_of_changes(width, of_changes);
        for (deviation, luma) in self.deviations.iter_mut().zip(now.lumas()) {
            deviation.add(luma, &standing);
        }
        let flicker = self.flicker.as_mut().and_then(|flicker| flicker.next(now.lumas(), &back, &later.weights));
        let still = standing.iter().filter(|&&standing| standing).count() as f64 / standing.len().max(1) as f64;
        Some(Figures {
            coverage: Some(earlier.coverage()),
            e_warp: Some(e_warp),
            ruder_mse,
            long_term: self.long_term(now, step),
            still: Some(still),
            still_luma,
            flicker: flicker.map(|[result, source]| Pair { result: 255.0 * result, source: 255.0 * source }),
            fdb: Some(fdb),
            ..Figures::default()
        })
    }

    fn long_term(&mut self, now: &Entry, step: &Step) -> Option<Pair> {
        if !self.long {
            return None;
        }
        self.trail.push(step.clone());
        let oldest = self.frames.len().checked_sub(LONG).map(|n| &self.frames[n])?;
        let path = self.trail.to(LONG, &self.rules)?;
        let (width, height) = (now.source.width, now.source.height);
        let (forth, back) = rayon::join(|| path.forth.resized(width, height), || path.back.resized(width, height));
        let mask = self.rules.judge(&forth, &back);
        pair(oldest, now, |oldest, now| warp_error(&forth, &mask.weights, now, oldest))
    }

    /// Returns the means over all frames.
    pub fn finish(mut self) -> Summary {
        self.end_shot();
        self.totals.summary(self.count)
    }
}

/// Returns a figure of two frames, for the result and for the source.
fn pair(old: &Entry, new: &Entry, of: impl Fn(&Pixels, &Pixels) -> Option<f64> + Sync) -> Option<Pair> {
    let (result, source) = rayon::join(|| of(&old.result, &new.result), || of(&old.source, &new.source));
    result.zip(source).map(|(result, source)| Pair { result, source })
}

/// Σ M (W(`moved`) − `fixed`)² / Σ M, where `flow` leads from the grid of `fixed` to `moved`.
fn warp_error(flow: &FlowField, weights: &[f32], moved: &Pixels, fixed: &Pixels) -> Option<f64> {
    masked_mean_square(fixed.width, weights, &flow.warp(&moved.rgb), &fixed.rgb)
}
