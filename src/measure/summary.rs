//! Means over a video.

use serde::Serialize;

use super::figures::{Figures, Pair};
use super::ghost::Seen;
use super::still::Drift;

/// So many of the worst frames are listed.
const WORST: usize = 5;

/// A frame that is further than others from what the frame before shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Worst {
    /// From 1.
    pub frame: u64,
    /// Between the frame before and this one.
    pub e_warp: Pair,
}

/// A frame in which what moves shows more than others of where it was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Ghost {
    /// From 1.
    pub frame: u64,
    pub ghost: f64,
}

/// The frame with the place that is furthest from the style.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Unpainted {
    /// From 1.
    pub frame: u64,
    pub unpainted: f64,
}

/// The figures of a whole video; for the definitions see [`super`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub frames: u64,
    /// Frames that begin a shot, the first one not counted.
    pub cuts: u64,
    /// Frames that were passed over.
    pub flashes: u64,
    /// Mean over the pairs that count, 0..=1; `None`, as everything below, where there is no pair.
    pub coverage: Option<f64>,
    pub e_warp: Option<Pair>,
    /// The result's E_warp over the source's; `None` where the source's is 0.
    pub ratio: Option<f64>,
    pub ruder_mse: Option<Pair>,
    pub long_term: Option<Pair>,
    /// Share of the pixels that stand still, 0..=1.
    pub still: Option<f64>,
    /// In 1/255 per 100 frames; `None` if nothing stood still.
    pub luma_drift: Option<f64>,
    /// The furthest that the still pixels' luma went from where its shot began, in 1/255.
    pub luma_furthest: Option<f64>,
    /// In 1/255; `None` if no pixel stood still throughout a shot.
    pub still_deviation: Option<Pair>,
    /// In 1/255.
    pub flicker: Option<Pair>,
    pub fdb: Option<f64>,
    /// Mean over the frames in which something moves, as `ghost`.
    pub content_moving: Option<f64>,
    pub ghost: Option<f64>,
    /// Mean over the frames that were looked at; `None` where the style is not known.
    pub unpainted: Option<f64>,
    /// The frames of the largest E_warp of the result, the worst first; none where it is 0.
    pub worst: Vec<Worst>,
    /// The frames of the largest ghosts, the worst first; none where it is 0.
    pub worst_ghosts: Vec<Ghost>,
    /// The frame of the largest `unpainted`, the first of equal ones.
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
    /// Sums over pixels, and how many.
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
    /// A frame that goes on from the one before it.
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

    /// What a network saw of a frame, be it the first of a shot.
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

    /// The deviations of the result's and the source's pixels that stood still throughout the shot.
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
