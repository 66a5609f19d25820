//! The luminance term: keeps light and dark where the content has them, so that faces and dark or flat footage stay
//! readable.

use tch::Tensor;

use super::facts::FrameFacts;
use super::measures::{averaged, averaged_within, energy, reach_of_squares, variation_of};
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::{BLUR, View};
use crate::stylize::StyleError;
use crate::stylize::tensor::luma;

/// Distance in pixels between the squares over which luminance is averaged; they are twice as wide. Strokes are finer.
const STEP: i64 = 2;
/// Variance below which a content counts as flat: (2/255)^2, invisible to the eye.
pub(super) const FLAT: f64 = 6.2e-5;

/// weight times sum (b(G) - b(C))^2 / sum (b(C) - mean b(C))^2, where b is luminance, blurred over 5 x 5 pixels and
/// averaged over 4 x 4: 0 if light falls as in the content, 1 for a uniform grey.
#[derive(Debug)]
pub struct Luminance {
    /// b(C), `[1,1,h,w]`.
    target: Tensor,
    factor: f64,
    /// Square roots of the weights of the places, `[1,1,h,w]`.
    roots: Option<Tensor>,
}

pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    let weight = frame.settings.luminance();
    if weight <= 0.0 {
        return Ok(None);
    }
    let term = Luminance::new(&frame.scene.content, weight)?;
    Ok(Some(Box::new(match frame.scene.light_counts(frame.face_counts())? {
        Some(counts) => term.counted(&counts)?,
        None => term,
    })))
}

impl Luminance {
    /// Creates the term for `content` `[1,3,H,W]`, RGB, 0..=1, at least 4 pixels high and wide.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(content: &Tensor, weight: f64) -> Result<Self, StyleError> {
        let target = luminance(&View::new(content, &[]))?;
        let variance = variation_of(&target)?.max(FLAT * target.numel() as f64);
        Ok(Self { target, factor: weight / variance, roots: None })
    }

    /// Multiplies the weight of each place by `counts`, `[1,1,H,W]`, on the grid of the picture.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn counted(self, counts: &Tensor) -> Result<Self, StyleError> {
        Ok(Self { roots: Some(averaged(counts, STEP)?.f_sqrt()?), ..self })
    }
}

/// Returns b, `[1,1,h,w]`, for what counts in `view`.
fn luminance(view: &View<'_>) -> Result<Tensor, StyleError> {
    averaged_within(&luma(view.blurred()?)?, view.window()?, STEP)
}

impl LossTerm for Luminance {
    fn name(&self) -> &'static str {
        "luminance"
    }

    fn halo(&self) -> i64 {
        BLUR + reach_of_squares(STEP)
    }

    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let (squares, _) = view.window()?.squares(STEP);
        let mut difference = luminance(view)?.f_sub(&squares.of_whole(&self.target)?)?;
        if let Some(roots) = &self.roots {
            difference = difference.f_mul(&squares.of_whole(roots)?)?;
        }
        Ok(Sums::new(view)?.with(energy(&difference)?, difference.numel() as i64))
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        Ok(sums.values[0].f_mul_scalar(self.factor)?)
    }
}
