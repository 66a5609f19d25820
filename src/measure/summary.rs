//! Means over a video.

use serde::Serialize;

use super::figures::{Figures, Pair};
use super::ghost::Seen;
use super::still::Drift;

/// Number of worst frames that are listed.
const WORST: usize = 5;

/// A frame that differs more than others from the warped previous frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worst {
    /// Counted from 1.
    pub frame: u64,
    /// Between the previous frame and this one.
    pub e_warp: Pair,
}

/// A frame whose moving places show more of an earlier position than those of other frames.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ghost {
    /// Counted from 1.
    pub frame: u64,
    pub ghost: f64,
}

/// The frame that contains the place furthest from the style.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Unpainted {
    /// Counted from 1.
    pub frame: u64,
    pub unpainted: f64,
}

/// The figures of a whole video; see [`super`] for the definitions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub frames: u64,
    /// Number of frames that begin a shot, without the first one.
    pub cuts: u64,
    /// Number of frames that were skipped as flashes.
    pub flashes: u64,
    /// Mean over the measured pairs, 0..=1. This and every figure below is `None` if there is no pair.
    pub coverage: Option<f64>,
    pub e_warp: Option<Pair>,
    /// E_warp of the result divided by that of the source; `None` if that of the source is 0.
    pub ratio: Option<f64>,
    pub ruder_mse: Option<Pair>,
    pub long_term: Option<Pair>,
    /// Share of the pixels that stand still, 0..=1.
    pub still: Option<f64>,
    /// In 1/255 per 100 frames; `None` if nothing stood still.
    pub luma_drift: Option<f64>,
    /// Largest distance of the still pixels' mean luma from the start of its shot, in 1/255.
    pub luma_furthest: Option<f64>,
    /// In 1/255; `None` if no pixel stood still throughout a shot.
    pub still_deviation: Option<Pair>,
    /// In 1/255.
    pub flicker: Option<Pair>,
    pub fdb: Option<f64>,
    /// Mean over the frames in which something moves; the same holds for `ghost`.
    pub content_moving: Option<f64>,
    pub ghost: Option<f64>,
    /// Mean over the evaluated frames; `None` if the style is not known.
    pub unpainted: Option<f64>,
    /// The frames with the largest E_warp of the result, the worst first; frames with 0 are left out.
    pub worst: Vec<Worst>,
    /// The frames with the largest ghosts, the worst first; frames with 0 are left out.
    pub worst_ghosts: Vec<Ghost>,
    /// The frame with the largest `unpainted`; the first one if several are equal.
    pub most_unpainted: Option<Unpainted>,
}

#[derive(Debug, Default)]
pub(super) struct Totals {
    pub cuts: u64,
    pub flashes: u64,
    coverage: Mean,
    e_warp: PairMean,
    ruder_mse: PairMean,
    long_term: PairMean,
    still: Mean,
    drift: Drift,
    flicker: PairMean,
    fdb: Mean,
    /// Sum over pixels and number of pixels, for the result and the source.
    deviations: [(f64, u64); 2],
    worst: Vec<Worst>,
    content_moving: Mean,
    ghost: Mean,
    unpainted: Mean,
    worst_ghosts: Vec<Ghost>,
    most_unpainted: Option<Unpainted>,
}

#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}

#[derive(Debug, Default)]
struct PairMean {
    result: Mean,
    source: Mean,
}

impl PairMean {
    fn add(&mut self, pair: Option<Pair>) {
        self.result.add(pair.map(|pair| pair.result));
        self.source.add(pair.map(|pair| pair.source));
    }

    fn value(&self) -> Option<Pair> {
        self.result.value().zip(self.source.value()).map(|(result, source)| Pair { result, source })
    }
}

impl Totals {
    /// Adds a frame that continues the shot.
    pub fn add(&mut self, frame: u64, figures: &Figures) {
        self.coverage.add(figures.coverage);
        self.e_warp.add(figures.e_warp);
        self.ruder_mse.add(figures.ruder_mse);
        self.long_term.add(figures.long_term);
        self.still.add(figures.still);
        self.flicker.add(figures.flicker);
        self.fdb.add(figures.fdb);
        match figures.still_luma {
            Some(change) => self.drift.add(change),
            None => self.drift.end_run(),
        }
        if let Some(e_warp) = figures.e_warp.filter(|pair| pair.result > 0.0) {
            let at = self.worst.partition_point(|worst| worst.e_warp.result >= e_warp.result);
            self.worst.insert(at, Worst { frame, e_warp });
            self.worst.truncate(WORST);
        }
    }

    /// Adds the network's figures for a frame; it may be the first of a shot.
    pub fn add_seen(&mut self, frame: u64, seen: &Seen) {
        self.content_moving.add(seen.content_moving);
        self.ghost.add(seen.ghost);
        self.unpainted.add(seen.unpainted);
        if let Some(ghost) = seen.ghost.filter(|ghost| *ghost > 0.0) {
            let at = self.worst_ghosts.partition_point(|worst| worst.ghost >= ghost);
            self.worst_ghosts.insert(at, Ghost { frame, ghost });
            self.worst_ghosts.truncate(WORST);
        }
        let most = self.most_unpainted.map_or(0.0, |most| most.unpainted);
        if let Some(unpainted) = seen.unpainted.filter(|unpainted| *unpainted > most) {
            self.most_unpainted = Some(Unpainted { frame, unpainted });
        }
    }

    /// Ends the shot; adds the deviations of the pixels of result and source that stood still throughout it.
    pub fn end_shot(&mut self, deviations: [(f64, u64); 2]) {
        self.drift.end_run();
        for ((sum, pixels), (more, count)) in self.deviations.iter_mut().zip(deviations) {
            *sum += more;
            *pixels += count;
        }
    }

    pub fn summary(self, frames: u64) -> Summary {
        let e_warp = self.e_warp.value();
        let deviations = self.deviations.map(|(sum, pixels)| (pixels > 0).then(|| 255.0 * sum / pixels as f64));
        Summary {
            frames,
            cuts: self.cuts,
            flashes: self.flashes,
            coverage: self.coverage.value(),
            e_warp,
            ratio: e_warp.filter(|pair| pair.source > 0.0).map(|pair| pair.result / pair.source),
            ruder_mse: self.ruder_mse.value(),
            long_term: self.long_term.value(),
            still: self.still.value(),
            luma_drift: self.drift.slope().map(|change| 100.0 * change),
            luma_furthest: self.drift.furthest(),
            still_deviation: deviations[0].zip(deviations[1]).map(|(result, source)| Pair { result, source }),
            flicker: self.flicker.value(),
            fdb: self.fdb.value(),
            content_moving: self.content_moving.value(),
            ghost: self.ghost.value(),
            unpainted: self.unpainted.value(),
            worst: self.worst,
            worst_ghosts: self.worst_ghosts,
            most_unpainted: self.most_unpainted,
        }
    }
}
