//! Where a flow can be believed: the rules of Ruder, Dosovitskiy & Brox 2016, section 4.1.

use super::field::FlowField;
use crate::settings::ConsistencySettings;

/// The rules' constants. The defaults are the paper's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Consistency {
    /// Forward and backward flow disagree where |w + w'|^2 > relative (|w|^2 + |w'|^2) + absolute.
    pub relative: f32,
    /// In squared pixels.
    pub absolute: f32,
    /// Motion breaks where |grad u|^2 + |grad v|^2 > boundary_relative |w|^2 + boundary_absolute.
    pub boundary_relative: f32,
    pub boundary_absolute: f32,
    /// Standard deviation in pixels of the blur that lowers weights beside unreliable pixels; 0 for none.
    pub blur: f32,
}

impl Default for Consistency {
    fn default() -> Self {
        Self { relative: 0.01, absolute: 0.5, boundary_relative: 0.01, boundary_absolute: 0.002, blur: 0.8 }
    }
}

impl From<&ConsistencySettings> for Consistency {
    fn from(settings: &ConsistencySettings) -> Self {
        Self {
            relative: settings.relative as f32,
            absolute: settings.absolute as f32,
            boundary_relative: settings.boundary_relative as f32,
            boundary_absolute: settings.boundary_absolute as f32,
            blur: settings.blur as f32,
        }
    }
}

/// How far each pixel's flow can be believed.
#[derive(Debug, Clone, PartialEq)]
pub struct Reliability {
    pub width: usize,
    pub height: usize,
    /// 0 (occluded, outside the other frame, or at a motion boundary) to 1, `height * width`.
    pub weights: Vec<f32>,
    /// Share of pixels that are seen in one frame only (0..=1), outside the other frame included, motion boundaries
    /// not: near 1 at a cut.
    pub inconsistent: f32,
}

impl Reliability {
    /// Mean weight, 0..=1: how much of the frame a masked figure speaks of.
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
    /// Judges the flow `to` from frame i to j by the flow `back` from j to i. The result lies on the grid of i.
    ///
    /// An unreliable pixel stays at 0: the blur only lowers its neighbours, for a pixel next to an occlusion is easily
    /// off by one, while the occluded pixel itself never gets anything from the other frame.
    ///
    /// # Panics
    /// When the two are of different sizes.
    pub fn judge(&self, to: &FlowField, back: &FlowField) -> Reliability {
        assert_eq!((to.width, to.height), (back.width, back.height), "flows of one size");
        let (width, height) = (to.width, to.height);
        let verdicts: Vec<Verdict> =
            (0..width * height).map(|i| self.verdict(to, back, i % width, i / width)).collect();
        let unseen = verdicts.iter().filter(|&&verdict| verdict == Verdict::Unseen).count();
        let hard: Vec<f32> =
            verdicts.iter().map(|&verdict| if verdict == Verdict::Reliable { 1.0 } else { 0.0 }).collect();
        let mut weights = blurred(&hard, width, height, self.blur);
        for (weight, &hard) in weights.iter_mut().zip(&hard) {
            *weight = weight.min(hard);
        }
        Reliability { width, height, weights, inconsistent: unseen as f32 / (width * height).max(1) as f32 }
    }

    fn verdict(&self, to: &FlowField, back: &FlowField, x: usize, y: usize) -> Verdict {
        let w = to.at(x, y);
        let Some(returning) = back.sample(to.target(x, y)) else { return Verdict::Unseen };
        let gap = square([w[0] + returning[0], w[1] + returning[1]]);
        let allowed = self.relative * (square(w) + square(returning)) + self.absolute;
        // Written so that an unknown vector, whose gap is no number, is unseen.
        if gap.is_nan() || gap >= allowed {
            return Verdict::Unseen;
        }
        let steepness = gradient(to, x, y);
        if steepness > self.boundary_relative * square(w) + self.boundary_absolute {
            return Verdict::Boundary;
        }
        Verdict::Reliable
    }
}

fn square([u, v]: [f32; 2]) -> f32 {
    u * u + v * v
}

/// |grad u|^2 + |grad v|^2 by central differences, one-sided at the edges; not a number beside unknown vectors.
fn gradient(flow: &FlowField, x: usize, y: usize) -> f32 {
    let slope = |low: [f32; 2], high: [f32; 2], distance: usize| {
        square([high[0] - low[0], high[1] - low[1]]) / (distance * distance).max(1) as f32
    };
    let (left, right) = (x.saturating_sub(1), (x + 1).min(flow.width - 1));
    let (top, bottom) = (y.saturating_sub(1), (y + 1).min(flow.height - 1));
    slope(flow.at(left, y), flow.at(right, y), right - left) + slope(flow.at(x, top), flow.at(x, bottom), bottom - top)
}

/// A Gaussian of radius 2 sigma, separable, edges repeated.
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
