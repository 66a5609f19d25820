//! Measures how similar two frames are.

use super::{Consistency, FlowError, FlowEstimator, Luma, View};
use crate::media::{LUMA, Pixels};

/// Luma is sampled at every fourth pixel of each axis, which is enough for a mean over the frame.
const STEP: usize = 4;
/// Bins of the brightness histogram.
const BINS: usize = 32;

/// How similar a frame is to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Whether both have the same size.
    pub comparable: bool,
    /// Mean absolute difference of luma, in percent of full scale.
    pub difference: f64,
    /// Share of the later frame that is not visible in the earlier one, by flow, 0..=1; `None` if flow was not
    /// estimated.
    pub unseen: Option<f32>,
    /// Median length of the flow as a share of the frame's longer side; 0 if flow was not estimated.
    pub speed: f32,
    /// Share of the brightness that both have in common, wherever it is in the picture: the histogram intersection,
    /// 0..=1.
    pub overlap: f64,
}

/// The brightness samples and histogram of a frame.
#[derive(Debug)]
pub struct Brightness {
    width: usize,
    height: usize,
    samples: Vec<f32>,
    histogram: [f64; BINS],
}

impl Brightness {
    pub fn of(frame: &Pixels) -> Self {
        let plane = frame.width * frame.height;
        let rows = (0..frame.height).step_by(STEP);
        let samples: Vec<f32> = rows
            .flat_map(|y| (0..frame.width).step_by(STEP).map(move |x| y * frame.width + x))
            .map(|i| LUMA[0] * frame.rgb[i] + LUMA[1] * frame.rgb[plane + i] + LUMA[2] * frame.rgb[2 * plane + i])
            .collect();
        let mut histogram = [0.0; BINS];
        for sample in &samples {
            // `as` saturates and maps NaN to 0.
            histogram[((sample * BINS as f32) as usize).min(BINS - 1)] += 1.0 / samples.len() as f64;
        }
        Self { width: frame.width, height: frame.height, samples, histogram }
    }

    /// Compares the brightness of two frames; `unseen` and `speed`, which need flow, are left empty.
    pub fn beside(&self, other: &Self) -> Similarity {
        if (self.width, self.height) != (other.width, other.height) {
            return Similarity { comparable: false, difference: 100.0, unseen: None, speed: 0.0, overlap: 0.0 };
        }
        let pairs = self.samples.iter().zip(&other.samples);
        let sum: f64 = pairs.map(|(a, b)| f64::from((a - b).abs())).sum();
        let common = self.histogram.iter().zip(&other.histogram).map(|(a, b)| a.min(*b));
        Similarity {
            comparable: true,
            difference: 100.0 * sum / self.samples.len().max(1) as f64,
            unseen: None,
            speed: 0.0,
            overlap: common.sum(),
        }
    }
}

/// Returns the share of `now` that is not visible in `before`, 0..=1, and the median length of the flow from `now` to
/// `before` as a share of the longer side.
///
/// # Errors
/// If the estimator fails.
pub fn unseen_and_speed(estimator: &dyn FlowEstimator, now: &Luma, before: &Luma) -> Result<(f32, f32), FlowError> {
    // The default rules rather than the user's: shot boundaries must not depend on settings. The weights are not used,
    // so they need no blur.
    let rules = Consistency { blur: 0.0, ..Consistency::default() };
    let longest = now.width.max(now.height).max(1) as f32;
    let (now, before) = (View { number: 1, luma: now }, View { number: 0, luma: before });
    let (back, forth) = rayon::join(|| estimator.flow(now, before), || estimator.flow(before, now));
    let back = back?;
    let mut lengths: Vec<f32> = back.vectors.iter().map(|[u, v]| u.hypot(*v)).collect();
    let middle = lengths.len() / 2;
    let median = if lengths.is_empty() { 0.0 } else { *lengths.select_nth_unstable_by(middle, f32::total_cmp).1 };
    Ok((rules.judge(&back, &forth?).inconsistent, median / longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn difference_and_overlap_of_known_pictures() {
        let grey = |value: f32| Brightness::of(&Pixels { rgb: vec![value; 3 * 32 * 16], ..Pixels::black(32, 16) });
        let pair = grey(0.2).beside(&grey(0.5));
        assert!((pair.difference - 30.0).abs() < 1e-4 && pair.overlap == 0.0 && pair.comparable);
        assert!((grey(0.2).beside(&grey(0.2)).overlap - 1.0).abs() < 1e-9);
        // Mirrored: every part has moved, nothing is lost.
        let mut ramp = Pixels::black(64, 16);
        for (i, value) in ramp.rgb.iter_mut().enumerate() {
            *value = (i % 64 / 4) as f32 / 16.0;
        }
        let mut mirrored = ramp.clone();
        mirrored.rgb.chunks_exact_mut(64).for_each(<[f32]>::reverse);
        let pair = Brightness::of(&ramp).beside(&Brightness::of(&mirrored));
        assert!(pair.overlap > 0.99 && pair.difference > 30.0, "{pair:?}");
    }

    #[test]
    fn frames_of_two_sizes_cannot_be_compared() {
        let (wide, high) = (Brightness::of(&Pixels::black(32, 16)), Brightness::of(&Pixels::black(16, 32)));
        assert!(!wide.beside(&high).comparable);
        let dot = Brightness::of(&Pixels { rgb: vec![f32::NAN; 3], ..Pixels::black(1, 1) });
        assert!(dot.beside(&dot).comparable);
    }
}
