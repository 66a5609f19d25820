//! Where a shot begins: hard cuts, found on the source.

use crate::media::{LUMA, Pixels};

/// Share of full scale, in percent, by which a cut differs from its frame before. Of 25 cuts and many thousand other
/// frames measured, no score of 20 or more was anything but a cut (or a one-frame flash).
const THRESHOLD: f64 = 20.0;
/// Luma is looked at on every so many-th pixel of each axis: enough for a mean over the frame.
const STEP: usize = 4;

/// Whether a frame goes on from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shot {
    New,
    Continues,
    /// Unlike both its neighbours, which are alike (a flash): it is not part of the chain, and the next frame's step
    /// leads to the frame before it.
    Aside,
}

/// Compares each frame with the one before it. The score is that of FFmpeg's `scdet`: the smaller of the mean absolute
/// luma difference and its own change, so that steady fast motion is no cut.
#[derive(Debug, Default)]
pub struct CutDetector {
    previous: Option<Luma>,
    difference: f64,
}

#[derive(Debug)]
struct Luma {
    width: usize,
    height: usize,
    samples: Vec<f32>,
}

impl CutDetector {
    /// Whether `frame` begins a shot; the first one does. Frames come in display order.
    pub fn next(&mut self, frame: &Pixels) -> Shot {
        let luma = Luma::of(frame);
        let compared = self.previous.as_ref().and_then(|previous| luma.difference(previous));
        self.previous = Some(luma);
        let Some(difference) = compared else {
            self.difference = 0.0;
            return Shot::New;
        };
        let score = difference.min((difference - self.difference).abs());
        self.difference = difference;
        if score >= THRESHOLD { Shot::New } else { Shot::Continues }
    }
}

impl Luma {
    fn of(frame: &Pixels) -> Self {
        let plane = frame.width * frame.height;
        let rows = (0..frame.height).step_by(STEP);
        let samples = rows
            .flat_map(|y| (0..frame.width).step_by(STEP).map(move |x| y * frame.width + x))
            .map(|i| LUMA[0] * frame.rgb[i] + LUMA[1] * frame.rgb[plane + i] + LUMA[2] * frame.rgb[2 * plane + i])
            .collect();
        Self { width: frame.width, height: frame.height, samples }
    }

    /// Mean absolute difference in percent of full scale; `None` for frames of different sizes.
    fn difference(&self, other: &Self) -> Option<f64> {
        if (self.width, self.height) != (other.width, other.height) {
            return None;
        }
        let pairs = self.samples.iter().zip(&other.samples);
        let sum: f64 = pairs.map(|(a, b)| f64::from((a - b).abs())).sum();
        Some(100.0 * sum / self.samples.len().max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(level: f32) -> Pixels {
        Pixels { width: 32, height: 16, rgb: vec![level; 3 * 32 * 16], alpha: None }
    }

    fn shots(levels: &[f32]) -> Vec<Shot> {
        let mut detector = CutDetector::default();
        levels.iter().map(|&level| detector.next(&grey(level))).collect()
    }

    #[test]
    fn a_jump_of_a_third_of_full_scale_is_a_cut_and_a_slow_fade_is_none() {
        use Shot::{Continues, New};
        assert_eq!(shots(&[0.2, 0.2, 0.6, 0.6]), [New, Continues, New, Continues]);
        assert_eq!(shots(&[0.0, 0.1, 0.2, 0.3, 0.4]), [New, Continues, Continues, Continues, Continues]);
    }

    #[test]
    fn another_size_begins_a_shot() {
        let mut detector = CutDetector::default();
        detector.next(&grey(0.5));
        let narrow = Pixels { width: 16, height: 32, ..grey(0.5) };
        assert_eq!(detector.next(&narrow), Shot::New);
    }
}
