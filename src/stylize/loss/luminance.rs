//! Luminance: light and dark stay where they are in the content, so that faces and dark or flat footage can be read.

use tch::Tensor;

use super::{LossTerm, View, averaged, energy, luma, variation_of};
use crate::stylize::StyleError;

/// Pixels between the squares over which luminance is averaged; a square is twice as wide. Strokes are finer.
const STEP: i64 = 2;
/// Variance below which a content counts as flat: (2/255)^2, which an eye does not see.
pub(super) const FLAT: f64 = 6.2e-5;

/// weight times sum (b(G) - b(C))^2 / sum (b(C) - mean b(C))^2, where b is luminance, blurred over 5 x 5 pixels and averaged
/// over 4 x 4: 0 where light falls as in the content, 1 for a uniform grey.
#[derive(Debug)]
pub struct Luminance {
    /// b(C), `[1,1,h,w]`.
    target: Tensor,
    factor: f64,
}

impl Luminance {
    /// Of a `content` `[1,3,H,W]`, RGB, 0..=1, at least 4 pixels high and wide.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(content: &Tensor, weight: f64) -> Result<Self, StyleError> {
        let target = luminance(&View::new(content, &[]))?;
        let variance = variation_of(&target)?.max(FLAT * target.numel() as f64);
        Ok(Self { target, factor: weight / variance })
    }
}

/// `[1,1,h,w]`.
fn luminance(view: &View<'_>) -> Result<Tensor, StyleError> {
    averaged(&luma(view.blurred()?)?, STEP)
}

impl LossTerm for Luminance {
    fn name(&self) -> &'static str {
        "luminance"
    }

    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError> {
        let distance = energy(&luminance(view)?.f_sub(&self.target)?)?;
        Ok(distance.f_mul_scalar(self.factor)?)
    }
}
