//! The terms of J, each a scalar tensor that autograd differentiates.

mod chroma;
mod content;
mod luminance;
mod style;
mod temporal;
mod variation;

use std::cell::OnceCell;

use tch::Tensor;

use super::StyleError;
use super::tensor::{Border, box_blur, scalar};
use crate::media::LUMA;

pub use chroma::Chroma;
pub use content::Content;
pub use luminance::Luminance;
pub use style::{GramTarget, Style, gram};
pub use temporal::{Anchor, Temporal};
pub use variation::Variation;

/// What a term may look at: the picture and the activations that were asked for.
#[derive(Debug)]
pub struct View<'a> {
    /// G, `[1,3,H,W]`, RGB, 0..=1.
    pub image: &'a Tensor,
    /// Activations `[1,C,H',W']`, one per layer of the objective's layer list.
    pub features: &'a [Tensor],
    /// Pixels at each side that only the networks see: a mirrored margin.
    margin: i64,
    blurred: OnceCell<Tensor>,
}

impl<'a> View<'a> {
    pub fn new(image: &'a Tensor, features: &'a [Tensor]) -> Self {
        Self { image, features, margin: 0, blurred: OnceCell::new() }
    }

    /// The same, where the networks saw the picture with a mirrored margin of so many pixels at each side.
    #[must_use]
    pub fn with_margin(self, margin: i64) -> Self {
        Self { margin, ..self }
    }

    /// Positions along each border of `features` that lie in the margin, one at least: there a network sees what the picture
    /// was extended by, and a descent answers with a coloured fringe. No more than these, or the picture's own border
    /// stays unpainted.
    fn border(&self, features: &Tensor) -> Result<i64, StyleError> {
        let seen = self.image.size4()?.3 + 2 * self.margin;
        let (_, _, _, w) = features.size4()?;
        Ok((self.margin as f64 * w as f64 / seen as f64).ceil().max(1.0) as i64)
    }

    /// G blurred over 5 x 5 pixels, made once for all terms.
    fn blurred(&self) -> Result<&Tensor, StyleError> {
        if let Some(blurred) = self.blurred.get() {
            return Ok(blurred);
        }
        let blurred = box_blur(self.image, Border::Nothing)?;
        Ok(self.blurred.get_or_init(|| blurred))
    }
}

/// One term of J.
pub trait LossTerm {
    /// For logs: `content`, `style`, `luminance`, `chroma`, `tv`.
    fn name(&self) -> &'static str;
    /// The weighted term, a 0-d tensor with gradient.
    ///
    /// # Errors
    /// What libtorch reports.
    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError>;

    /// The same, and the part of it that is told apart from J, 0-d without gradient, where there is one.
    ///
    /// # Errors
    /// What libtorch reports.
    fn evaluate_parts(&self, view: &View<'_>) -> Result<(Tensor, Option<Tensor>), StyleError> {
        Ok((self.evaluate(view)?, None))
    }
}

/// Luminance `[1,1,H,W]` of `[1,3,H,W]`.
pub(super) fn luma(image: &Tensor) -> Result<Tensor, StyleError> {
    let part = |channel: usize| image.f_narrow(1, channel as i64, 1)?.f_mul_scalar(f64::from(LUMA[channel]));
    Ok(part(0)?.f_add(&part(1)?)?.f_add(&part(2)?)?)
}

/// Means `[1,C,h,w]` of planes `[1,C,H,W]` over squares of 2 `step` x 2 `step` in steps of `step`. The planes are blurred
/// before: without the blur a mesh of fine lines passes for light and dark, because the steps show it at a low frequency.
fn averaged(planes: &Tensor, step: i64) -> Result<Tensor, StyleError> {
    let mut means = planes.f_avg_pool2d([step; 2], [step; 2], [0, 0], false, true, None)?;
    for axis in [2, 3] {
        let length = means.size()[axis as usize] - 1;
        means = means.f_narrow(axis, 0, length)?.f_add(&means.f_narrow(axis, 1, length)?)?;
    }
    Ok(means.f_mul_scalar(0.25)?)
}

/// Sum of squares of `[1,C,h,w]` about each channel's mean.
fn variation_of(planes: &Tensor) -> Result<f64, StyleError> {
    let mean = planes.f_mean_dim([2i64, 3].as_slice(), true, planes.kind())?;
    scalar(&energy(&planes.f_sub(&mean)?)?)
}

/// Sum of squares of a tensor, 0-d.
pub(super) fn energy(x: &Tensor) -> Result<Tensor, StyleError> {
    twice_the_gradient(&x.f_mul(&x.f_detach()?)?.f_sum(x.kind())?)
}

/// x with twice its gradient: of a product of two factors with the same gradient only one needs to have any, and a square
/// takes three fewer passes over its gradient.
pub(super) fn twice_the_gradient(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_mul_scalar(2.0)?.f_sub(&x.f_detach()?)?)
}
