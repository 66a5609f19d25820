//! What happens to pixels that do not move.

use crate::motion::FlowField;

/// Slower than this, in pixels a frame, is standing still.
const STILL: f32 = 0.05;

/// Running variance of the luma of each pixel that has stood still since the shot began (Welford 1962).
#[derive(Debug, Default)]
pub(super) struct Still {
    count: u32,
    mean: Vec<f64>,
    squares: Vec<f64>,
    moved: Vec<bool>,
}

/// The pixels that a flow leaves where they are and whose weight is not 0.
pub(super) fn standing(flow: &FlowField, weights: &[f32]) -> Vec<bool> {
    let stands = |(&[u, v], &weight): (&[f32; 2], &f32)| weight > 0.0 && u.hypot(v) < STILL;
    flow.vectors.iter().zip(weights).map(stands).collect()
}

impl Still {
    /// The first frame of a shot.
    pub fn begin(luma: &[f32]) -> Self {
        let mean = luma.iter().map(|&value| f64::from(value)).collect();
        Self { count: 1, mean, squares: vec![0.0; luma.len()], moved: vec![false; luma.len()] }
    }

    /// The next frame, and which pixels stood still on the way to it.
    pub fn add(&mut self, luma: &[f32], standing: &[bool]) {
        self.count += 1;
        for (i, &value) in luma.iter().enumerate() {
            self.moved[i] |= !standing[i];
            let before = f64::from(value) - self.mean[i];
            self.mean[i] += before / f64::from(self.count);
            self.squares[i] += before * (f64::from(value) - self.mean[i]);
        }
    }

    /// Sum of the standard deviations of the pixels that never moved, and how many those are.
    pub fn deviations(&self) -> (f64, u64) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_the_values() {
        let values = [[0.2, 0.5], [0.4, 0.9], [0.9, 0.1], [0.3, 0.7]];
        let mut still = Still::begin(&values[0]);
        for value in &values[1..] {
            still.add(value, &[true, value[1] > 0.2]);
        }
        let mean = (0.2 + 0.4 + 0.9 + 0.3) / 4.0;
        let variance = [0.2_f64, 0.4, 0.9, 0.3].iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 4.0;
        let (sum, pixels) = still.deviations();
        assert_eq!(pixels, 1, "the second pixel moved");
        assert!((sum - variance.sqrt()).abs() < 1e-7);
    }
}
