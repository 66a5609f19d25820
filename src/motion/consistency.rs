//! Decides where a flow is reliable, by the rules of Ruder, Dosovitskiy & Brox 2016, section 4.1.

use rayon::prelude::*;

use super::field::FlowField;

pub use crate::settings::ConsistencySettings as Consistency;

/// How reliable each pixel's flow is.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    pub width: usize,
    pub height: usize,
    /// Weights from 0 (occluded, outside the other frame, or at a motion boundary) to 1, `height * width`.
    pub weights: Vec<f32>,
    /// The same with motion boundaries counted as visible, `height * width`: there the flow leads to the right object,
    /// but not exactly.
    pub seen: Vec<f32>,
    /// Share of pixels that are visible in one frame only (0..=1), including those outside the other frame but not
    /// motion boundaries; near 1 at a cut.
    pub inconsistent: f32,
}

impl Reliability {
    /// Returns the mean weight, 0..=1: the share of the frame that a masked measure covers.
    pub fn coverage(&self) -> f64 {
        self.weights.iter().map(|&weight| f64::from(weight)).sum::<f64>() / self.weights.len().max(1) as f64
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Verdict {
    Reliable,
    Boundary,
    Unseen,
}

impl Consistency {
    /// Rates the flow `to`, from frame i to j, against the flow `back`, from j to i. The result lies on the grid of i.
    ///
    /// An unreliable pixel stays at 0, and the blur only lowers the weights next to it: a pixel next to an occlusion is
    /// easily off by one, while the occluded pixel itself never receives anything from the other frame.
    ///
    /// # Panics
    /// If the two have different sizes.
    pub fn judge(&self, to: &FlowField, back: &FlowField) -> Reliability {
        assert_eq!((to.width, to.height), (back.width, back.height), "flows of one size");
        let (width, height) = (to.width, to.height);
        let verdicts: Vec<Verdict> =
            (0..width * height).into_par_iter().map(|i| self.verdict(to, back, i % width, i / width)).collect();
        let unseen = verdicts.iter().filter(|&&verdict| verdict == Verdict::Unseen).count();
        let lowered = |believed: fn(Verdict) -> bool| -> Vec<f32> {
            let hard: Vec<f32> = verdicts.iter().map(|&verdict| if believed(verdict) { 1.0 } else { 0.0 }).collect();
            let mut soft = blurred(&hard, width, height, self.blur as f32);
            soft.iter_mut().zip(&hard).for_each(|(soft, &hard)| *soft = soft.min(hard));
            soft
        };
        Reliability {
            width,
            height,
            weights: lowered(|verdict| verdict == Verdict::Reliable),
            seen: lowered(|verdict| verdict != Verdict::Unseen),
            inconsistent: unseen as f32 / (width * height).max(1) as f32,
        }
    }

    fn verdict(&self, to: &FlowField, back: &FlowField, x: usize, y: usize) -> Verdict {
        let w = to.at(x, y);
        let Some(returning) = back.sample(to.target(x, y)) else { return Verdict::Unseen };
        let gap = square([w[0] + returning[0], w[1] + returning[1]]);
        let allowed = self.relative as f32 * (square(w) + square(returning)) + self.absolute as f32;
        // An unknown vector makes the gap NaN, which counts as unseen.
        if gap.is_nan() || gap >= allowed {
            return Verdict::Unseen;
        }
        let steepness = gradient(to, x, y);
        if steepness > self.boundary_relative as f32 * square(w) + self.boundary_absolute as f32 {
            return Verdict::Boundary;
        }
        Verdict::Reliable
    }
}

fn square([u, v]: [f32; 2]) -> f32 {
    u * u + v * v
}

/// Returns |grad u|^2 + |grad v|^2 by central differences, one-sided at the edges; NaN next to unknown vectors.
fn gradient(flow: &FlowField, x: usize, y: usize) -> f32 {
    let slope = |low: [f32; 2], high: [f32; 2], distance: usize| {
        square([high[0] - low[0], high[1] - low[1]]) / (distance * distance).max(1) as f32
    };
    let (left, right) = (x.saturating_sub(1), (x + 1).min(flow.width - 1));
    let (top, bottom) = (y.saturating_sub(1), (y + 1).min(flow.height - 1));
    slope(flow.at(left, y), flow.at(right, y), right - left) + slope(flow.at(x, top), flow.at(x, bottom), bottom - top)
}

/// Applies a separable Gaussian blur of radius 2 sigma with repeated edges.
fn blurred(values: &[f32], width: usize, height: usize, sigma: f32) -> Vec<f32> {
    if sigma <= 0.0 {
        return values.to_vec();
    }
    let radius = (2.0 * sigma).ceil() as isize;
    let kernel: Vec<f32> = (-radius..=radius).map(|d| (-((d * d) as f32) / (2.0 * sigma * sigma)).exp()).collect();
    let sum: f32 = kernel.iter().sum();
    let pass = |values: &[f32], along: fn(usize, usize, isize, usize, usize) -> usize| -> Vec<f32> {
        let at = |i: usize| {
            let weighted = kernel
                .iter()
                .zip(-radius..=radius)
                .map(|(k, d)| k * values[along(i % width, i / width, d, width, height)]);
            weighted.sum::<f32>() / sum
        };
        (0..width * height).map(at).collect()
    };
    let across = pass(values, |x, y, d, width, _| y * width + shifted(x, d, width));
    pass(&across, |x, y, d, width, height| shifted(y, d, height) * width + x)
}

fn shifted(at: usize, by: isize, size: usize) -> usize {
    at.saturating_add_signed(by).min(size - 1)
}
