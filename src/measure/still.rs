//! Figures of pixels that do not move.

use crate::motion::FlowField;

/// Pixels slower than this, in pixels per frame, stand still.
const STILL: f32 = 0.05;

/// The luma (0..=1) of a still pixel changes by less than this from one frame to the next, apart from the change of
/// light. Where a dark, smooth thing moves across a dark, smooth ground, the flow is 0 but the scene is another one.
const SAME: f32 = 0.02;

/// Returns the pixels that the flow leaves in place, whose weight is not 0, and whose luma in the source, `before` and
/// `now`, changes as that of most such pixels does.
pub(super) fn standing(flow: &FlowField, weights: &[f32], before: &[f32], now: &[f32]) -> Vec<bool> {
    let stays = |(&[u, v], &weight): (&[f32; 2], &f32)| weight > 0.0 && u.hypot(v) < STILL;
    let stays: Vec<bool> = flow.vectors.iter().zip(weights).map(stays).collect();
    let changes = || now.iter().zip(before).map(|(now, before)| now - before).zip(&stays);
    let mut of_these: Vec<f32> = changes().filter(|(_, stays)| **stays).map(|(change, _)| change).collect();
    if of_these.is_empty() {
        return stays;
    }
    let middle = of_these.len() / 2;
    let light = *of_these.select_nth_unstable_by(middle, f32::total_cmp).1;
    changes().map(|(change, &stays)| stays && (change - light).abs() < SAME).collect()
}

/// Running variance of the luma of each pixel that has stood still since the shot began (Welford 1962).
#[derive(Debug, Default)]
pub(super) struct Deviation {
    count: u32,
    mean: Vec<f64>,
    squares: Vec<f64>,
    moved: Vec<bool>,
}

impl Deviation {
    /// Starts with the first frame of a shot.
    pub fn begin(luma: &[f32]) -> Self {
        let mean = luma.iter().map(|&value| f64::from(value)).collect();
        Self { count: 1, mean, squares: vec![0.0; luma.len()], moved: vec![false; luma.len()] }
    }

    /// Adds the next frame; `standing` marks the pixels that stood still since the previous one.
    pub fn add(&mut self, luma: &[f32], standing: &[bool]) {
        self.count += 1;
        for (i, &value) in luma.iter().enumerate() {
            self.moved[i] |= !standing[i];
            let before = f64::from(value) - self.mean[i];
            self.mean[i] += before / f64::from(self.count);
            self.squares[i] += before * (f64::from(value) - self.mean[i]);
        }
    }

    /// Returns the sum of the standard deviations of the pixels that never moved, and the number of these pixels.
    pub fn sum(&self) -> (f64, u64) {
        if self.count < 2 {
            return (0.0, 0);
        }
        let still = self.squares.iter().zip(&self.moved).filter(|(_, moved)| !**moved);
        let (mut sum, mut pixels) = (0.0, 0);
        for (squares, _) in still {
            sum += (squares / f64::from(self.count)).sqrt();
            pixels += 1;
        }
        (sum, pixels)
    }
}

/// Least-squares slope of a level that is given by its changes. Runs of frames (shots) share the slope, not the level.
#[derive(Debug, Default)]
pub(super) struct Drift {
    /// Σ 1, Σ t, Σ c, Σ t c, Σ t² of the current run, where c is the level relative to the start of the run.
    run: [f64; 5],
    level: f64,
    /// Σ (t − t̄)(c − c̄) and Σ (t − t̄)² over the previous runs.
    before: [f64; 2],
    furthest: f64,
}

impl Drift {
    /// Adds the change of the level to the next frame.
    pub fn add(&mut self, change: f64) {
        if self.run[0] == 0.0 {
            self.run[0] = 1.0;
            self.level = 0.0;
        }
        let t = self.run[0];
        self.level += change;
        self.furthest = self.furthest.max(self.level.abs());
        for (sum, value) in self.run.iter_mut().zip([1.0, t, self.level, t * self.level, t * t]) {
            *sum += value;
        }
    }

    /// Ends the run: the next frame has an unrelated level.
    pub fn end_run(&mut self) {
        self.before = self.sums();
        self.run = [0.0; 5];
    }

    fn sums(&self) -> [f64; 2] {
        let [n, t, c, tc, tt] = self.run;
        let [slope, spread] = self.before;
        if n < 2.0 { self.before } else { [slope + tc - t * c / n, spread + tt - t * t / n] }
    }

    /// Returns the change per frame; `None` if nothing was added.
    pub fn slope(&self) -> Option<f64> {
        let [slope, spread] = self.sums();
        (spread > 0.0).then(|| slope / spread)
    }

    /// Returns the largest distance of the level from the start of its run.
    pub fn furthest(&self) -> Option<f64> {
        self.slope().map(|_| self.furthest)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_still_pixel_changes_with_the_light_only() {
        // A fade by 0.1; then noise, a thing that came into view, one that moves, and one of unknown motion.
        let now = [0.6, 0.6, 0.61, 0.2, 0.6, 0.6];
        let mut flow = FlowField { width: 6, height: 1, vectors: vec![[0.0; 2]; 6] };
        flow.vectors[4] = [0.2, 0.0];
        let weights = [1.0, 1.0, 1.0, 1.0, 1.0, 0.0];
        assert_eq!(standing(&flow, &weights, &[0.5; 6], &now), [true, true, true, false, false, false]);
        assert_eq!(standing(&flow, &[0.0; 6], &[0.5; 6], &now), [false; 6]);
    }

    #[test]
    fn the_deviation_is_that_of_the_values() {
        let values = [[0.2, 0.5], [0.4, 0.9], [0.9, 0.1], [0.3, 0.7]];
        let mut deviation = Deviation::begin(&values[0]);
        for value in &values[1..] {
            deviation.add(value, &[true, value[1] > 0.2]);
        }
        let mean = (0.2 + 0.4 + 0.9 + 0.3) / 4.0;
        let variance = [0.2_f64, 0.4, 0.9, 0.3].iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0;
        let (sum, pixels) = deviation.sum();
        assert_eq!(pixels, 1, "the second pixel moved");
        assert!((sum - variance.sqrt()).abs() < 1e-7);
    }

    #[test]
    fn the_slope_is_that_of_least_squares() {
        // Levels 0, 1, 3, 2: slope 0.8 by hand (Σ(t-1.5)(c-1.5) = 4, Σ(t-1.5)² = 5).
        let mut drift = Drift::default();
        assert_eq!((drift.slope(), drift.furthest()), (None, None));
        for change in [1.0, 2.0, -1.0] {
            drift.add(change);
        }
        assert!((drift.slope().unwrap() - 0.8).abs() < 1e-12);
        assert_eq!(drift.furthest(), Some(3.0));
        // A second run with levels 0, -2: its own level, the common slope (4 - 1) / (5 + 0.5).
        drift.end_run();
        drift.add(-2.0);
        assert!((drift.slope().unwrap() - 3.0 / 5.5).abs() < 1e-12);
        // A swing up and down is not a drift, but it goes far from the start.
        let mut swing = Drift::default();
        [4.0, -4.0, -4.0, 4.0].into_iter().for_each(|change| swing.add(change));
        assert!(swing.slope().unwrap().abs() < 1.0 && swing.furthest() == Some(4.0));
    }
}
