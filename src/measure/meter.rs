//! Figures of one frame after another.

use std::collections::VecDeque;

use serde::Serialize;

use super::still::{Still, standing};
use super::summary::{Summary, Totals};
use crate::media::Pixels;
use crate::motion::{Consistency, FlowError, FlowEstimator, FlowField, Luma, Reliability, View};

/// Frames between the ends of a long-term pair.
const LONG: usize = 10;
/// Long side of the picture that flow is estimated on.
const FLOW_SIZE: usize = 480;
/// More of the frame than this unseen in the other one is a cut.
const CUT: f32 = 0.88;

/// A figure of the result beside the same of the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    pub result: f64,
    pub source: f64,
}

/// What was measured between a frame and the one before it; nothing for a shot's first frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FrameFigures {
    /// From 0.
    pub frame: u64,
    /// Share of pixels that the masked figures speak of, 0..=1.
    pub coverage: f64,
    /// `None` at a cut.
    pub e_warp: Option<Pair>,
    /// `None` within the first ten frames of a shot.
    pub long_term: Option<Pair>,
    /// Change of the still pixels' mean luma since the frame before, less the source's, in 1/255.
    pub still_luma: Option<f64>,
    /// In 1/255.
    pub flicker: Option<Pair>,
    pub fdb: f64,
}

/// A frame of both videos.
struct Entry {
    source: Pixels,
    result: Pixels,
    luma: Luma,
    /// Flow from this frame to the next and back, at the luma's size; `None` for the newest.
    next: Option<(FlowField, FlowField)>,
}

/// Measures a result beside its source, frame by frame, with the memory of eleven frames.
pub struct Meter {
    estimator: Box<dyn FlowEstimator>,
    rules: Consistency,
    frames: VecDeque<Entry>,
    count: u64,
    still: Still,
    totals: Totals,
}

impl Meter {
    pub fn new(estimator: Box<dyn FlowEstimator>) -> Self {
        let rules = Consistency { blur: 0.0, ..Consistency::default() };
        let still = Still::default();
        Self { estimator, rules, frames: VecDeque::new(), count: 0, still, totals: Totals::default() }
    }

    /// The next frame of both.
    ///
    /// # Errors
    /// When flow cannot be had.
    ///
    /// # Panics
    /// When the two are of different sizes, or of another size than the frames before.
    pub fn push(&mut self, source: Pixels, result: Pixels) -> Result<FrameFigures, FlowError> {
        assert_eq!((source.width, source.height), (result.width, result.height), "frames of one size");
        let luma = Luma::of(&source, FLOW_SIZE);
        let frame = self.count;
        self.count += 1;
        let entry = Entry { source, result, luma, next: None };
        let Some(previous) = self.frames.back_mut() else {
            self.begin_shot(entry);
            return Ok(FrameFigures {
                frame,
                coverage: 0.0,
                e_warp: None,
                long_term: None,
                still_luma: None,
                flicker: None,
                fdb: 0.0,
            });
        };
        let (before, now) =
            (View { number: frame - 1, luma: &previous.luma }, View { number: frame, luma: &entry.luma });
        let (forth, back) = rayon::join(|| self.estimator.flow(before, now), || self.estimator.flow(now, before));
        previous.next = Some((forth?, back?));
        self.frames.push_back(entry);
        let figures = self.figures(frame);
        self.totals.add(&figures);
        if figures.e_warp.is_none() {
            // A cut: what comes before has nothing to say about what comes after.
            if let Some(entry) = self.frames.pop_back() {
                self.begin_shot(entry);
            }
        } else if self.frames.len() > LONG {
            self.frames.pop_front();
        }
        Ok(figures)
    }

    fn begin_shot(&mut self, entry: Entry) {
        self.totals.add_still(self.still.deviations());
        self.still = Still::begin(&entry.result.luma());
        self.frames.clear();
        self.frames.push_back(entry);
    }

    fn figures(&mut self, frame: u64) -> FrameFigures {
        let last = self.frames.len() - 1;
        let (before, now) = (&self.frames[last - 1], &self.frames[last]);
        let step = self.path(last - 1, last);
        let mask = &step.mask;
        let fdb = fdb(before, now);
        let cut = FrameFigures {
            frame,
            coverage: mask.coverage(),
            e_warp: None,
            long_term: None,
            still_luma: None,
            flicker: None,
            fdb,
        };
        if mask.inconsistent > CUT || mask.coverage() == 0.0 {
            return FrameFigures { coverage: 0.0, ..cut };
        }
        let standing = standing(&step.flow, &mask.weights);
        let change = |old: &Pixels, new: &Pixels| mean_change(&old.luma(), &new.luma(), &standing);
        let still_luma = change(&before.result, &now.result)
            .zip(change(&before.source, &now.source))
            .map(|(result, source)| 255.0 * (result - source));
        let luma = now.result.luma();
        let figures = FrameFigures {
            e_warp: Some(self.e_warp(last - 1, last, &step)),
            long_term: (last >= LONG)
                .then(|| self.path(last - LONG, last))
                .filter(|path| path.mask.coverage() > 0.0)
                .map(|path| self.e_warp(last - LONG, last, &path)),
            still_luma,
            flicker: (last >= 2).then(|| self.flicker(last)).flatten(),
            ..cut
        };
        self.still.add(&luma, &standing);
        figures
    }

    /// The flow between two frames in the window, in full size, and where it holds.
    fn path(&self, from: usize, to: usize) -> Path {
        let steps = || self.frames.range(from..to).filter_map(|entry| entry.next.as_ref());
        let forth = steps().map(|(forth, _)| forth.clone()).reduce(|path, step| path.then(&step));
        let back = steps().rev().map(|(_, back)| back.clone()).reduce(|path, step| path.then(&step));
        let (width, height) = (self.frames[to].source.width, self.frames[to].source.height);
        let still = || FlowField::still(width, height);
        let flow = forth.map_or_else(still, |flow| flow.resized(width, height));
        let back = back.map_or_else(still, |flow| flow.resized(width, height));
        Path { mask: self.rules.judge(&flow, &back), flow }
    }

    fn e_warp(&self, from: usize, to: usize, path: &Path) -> Pair {
        let (old, new) = (&self.frames[from], &self.frames[to]);
        let error = |old: &Pixels, new: &Pixels| {
            let warped = path.flow.warp(&new.rgb);
            let difference = |i: usize| warped[i] - old.rgb[i];
            masked_mean_square(3, &path.mask, difference)
        };
        Pair { result: error(&old.result, &new.result), source: error(&old.source, &new.source) }
    }

    /// V(t-2) - 2 V(t-1) + V(t) on the grid of t-2.
    fn flicker(&self, last: usize) -> Option<Pair> {
        let (one, two) = (self.path(last - 2, last - 1), self.path(last - 2, last));
        let weights = one.mask.weights.iter().zip(&two.mask.weights).map(|(a, b)| a * b).collect();
        let mask = Reliability { weights, ..two.mask };
        if mask.coverage() == 0.0 {
            return None;
        }
        let rms = |pick: fn(&Entry) -> &Pixels| {
            let luma = |back: usize| pick(&self.frames[last - back]).luma();
            let (oldest, middle, newest) = (luma(2), one.flow.warp(&luma(1)), two.flow.warp(&luma(0)));
            255.0 * masked_mean_square(1, &mask, |i| oldest[i] - 2.0 * middle[i] + newest[i]).sqrt()
        };
        Some(Pair { result: rms(|entry| &entry.result), source: rms(|entry| &entry.source) })
    }

    /// Means over everything that was pushed.
    pub fn finish(mut self) -> Summary {
        self.totals.add_still(self.still.deviations());
        self.totals.summary(self.count)
    }
}

struct Path {
    flow: FlowField,
    mask: Reliability,
}

/// Σ M d² / Σ M over all channels.
fn masked_mean_square(channels: usize, mask: &Reliability, difference: impl Fn(usize) -> f32) -> f64 {
    let plane = mask.weights.len();
    let (mut sum, mut weight) = (0.0, 0.0);
    for i in 0..channels * plane {
        let m = f64::from(mask.weights[i % plane]);
        // Where the mask is 0 there may be nothing to compare.
        if m > 0.0 {
            sum += m * f64::from(difference(i)).powi(2);
            weight += m;
        }
    }
    if weight > 0.0 { sum / weight } else { 0.0 }
}

fn mean_change(old: &[f32], new: &[f32], standing: &[bool]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u64);
    for ((old, new), _) in old.iter().zip(new).zip(standing).filter(|(_, standing)| **standing) {
        sum += f64::from(new - old);
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

fn fdb(before: &Entry, now: &Entry) -> f64 {
    let (old, new) = (&before.result.rgb, &now.result.rgb);
    let (old_source, new_source) = (&before.source.rgb, &now.source.rgb);
    let square = |i: usize| f64::from((new[i] - old[i]) - (new_source[i] - old_source[i])).powi(2);
    ((0..new.len()).map(square).sum::<f64>() / new.len().max(1) as f64).sqrt()
}
