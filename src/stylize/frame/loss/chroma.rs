//! The chroma term: keeps large patches of colour where the content has them, so that a flower differs from its leaves.

use tch::Tensor;

use super::facts::FrameFacts;
use super::luminance::FLAT;
use super::measures::{averaged, averaged_within, energy, reach_of_squares, variation_of};
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::{BLUR, View};
use crate::stylize::StyleError;
use crate::stylize::tensor::luma;

/// Distance in pixels between the squares over which chroma is averaged; a square is twice as wide. The eye resolves
/// colour less sharply than light, and paint may mix its colours in strokes.
const STEP: i64 = 4;
/// Chroma that varies by this share of the luminance's variation is typical of colour footage.
const COLOURFUL: f64 = 0.5;

/// weight V / (V + 0.5 L)^2 sum |c(G) - c(C)|^2, where c is RGB minus luminance, blurred over 5 x 5 pixels and averaged
/// over 8 x 8, V is the variation of c(C) about its mean, and L is the variation of the luminance, averaged over the
/// same squares. For a colour scene this is close to weight times the distance relative to V; for black-and-white film,
/// which has no colours to keep, it is close to 0.
#[derive(Debug)]
pub struct Chroma {
    /// c(C), `[1,3,h,w]`.
    target: Tensor,
    factor: f64,
}

/// Without matched colours, the scene's chroma is not the chroma that the picture should have.
pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    let weight = frame.settings.chroma();
    if weight <= 0.0 || !frame.settings.style.match_colours {
        return Ok(None);
    }
    Ok(Some(Box::new(Chroma::new(&frame.scene.content, weight)?)))
}

impl Chroma {
    /// Creates the term for `content` `[1,3,H,W]`, RGB, 0..=1, at least 8 pixels high and wide, already in the colours
    /// that the picture should have.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(content: &Tensor, weight: f64) -> Result<Self, StyleError> {
        let view = View::new(content, &[]);
        let target = chroma(&view)?;
        let light = averaged(&luma(view.blurred()?)?, STEP)?;
        let (chroma, luminance) = (variation_of(&target)?, variation_of(&light)?.max(FLAT * light.numel() as f64));
        let factor = weight * chroma / (chroma + COLOURFUL * luminance).powi(2);
        Ok(Self { target, factor })
    }
}

/// Returns c, `[1,3,h,w]`, for what counts in `view`.
fn chroma(view: &View<'_>) -> Result<Tensor, StyleError> {
    let blurred = view.blurred()?;
    averaged_within(&blurred.f_sub(&luma(blurred)?)?, view.window()?, STEP)
}

impl LossTerm for Chroma {
    fn name(&self) -> &'static str {
        "chroma"
    }

    fn halo(&self) -> i64 {
        BLUR + reach_of_squares(STEP)
    }

    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let chroma = chroma(view)?;
        let (target, count) = (view.window()?.squares(STEP).0.of_whole(&self.target)?, chroma.numel());
        Ok(Sums::new(view)?.with(energy(&chroma.f_sub(&target)?)?, count as i64))
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        Ok(sums.values[0].f_mul_scalar(self.factor)?)
    }
}
