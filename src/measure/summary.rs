//! Means over a video.

use serde::Serialize;

use super::meter::{FrameFigures, Pair};

/// The figures of a whole video; see [`super`] for what each is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub frames: u64,
    /// Frames that begin a shot, the first one not counted.
    pub cuts: u64,
    /// Mean over the pairs that count, 0..=1.
    pub coverage: f64,
    pub e_warp: Option<Pair>,
    /// The result's E_warp over the source's; `None` where the source's is 0.
    pub ratio: Option<f64>,
    pub long_term: Option<Pair>,
    /// In 1/255 per 100 frames; `None` if nothing stood still.
    pub luma_drift: Option<f64>,
    /// In 1/255; `None` if no pixel stood still throughout a shot.
    pub still_deviation: Option<f64>,
    /// In 1/255.
    pub flicker: Option<Pair>,
    pub fdb: f64,
}

#[derive(Debug, Default)]
pub(super) struct Totals {
    cuts: u64,
    coverage: Mean,
    e_warp: PairMean,
    long_term: PairMean,
    still_luma: Mean,
    flicker: PairMean,
    fdb: Mean,
    deviation: (f64, u64),
}

#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    count: u64,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
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
        if let Some(Pair { result, source }) = pair {
            self.result.add(result);
            self.source.add(source);
        }
    }

    fn value(&self) -> Option<Pair> {
        self.result.value().zip(self.source.value()).map(|(result, source)| Pair { result, source })
    }
}

impl Totals {
    pub fn add(&mut self, figures: &FrameFigures) {
        if figures.e_warp.is_none() {
            self.cuts += 1;
            return;
        }
        self.coverage.add(figures.coverage);
        self.e_warp.add(figures.e_warp);
        self.long_term.add(figures.long_term);
        self.flicker.add(figures.flicker);
        self.fdb.add(figures.fdb);
        if let Some(change) = figures.still_luma {
            self.still_luma.add(change);
        }
    }

    pub fn add_still(&mut self, (sum, pixels): (f64, u64)) {
        self.deviation.0 += sum;
        self.deviation.1 += pixels;
    }

    pub fn summary(&self, frames: u64) -> Summary {
        let e_warp = self.e_warp.value();
        let (sum, pixels) = self.deviation;
        Summary {
            frames,
            cuts: self.cuts,
            coverage: self.coverage.value().unwrap_or(0.0),
            e_warp,
            ratio: e_warp.filter(|pair| pair.source > 0.0).map(|pair| pair.result / pair.source),
            long_term: self.long_term.value(),
            luma_drift: self.still_luma.value().map(|change| 100.0 * change),
            still_deviation: (pixels > 0).then(|| 255.0 * sum / pixels as f64),
            flicker: self.flicker.value(),
            fdb: self.fdb.value().unwrap_or(0.0),
        }
    }
}
