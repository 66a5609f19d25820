//! The terms of the objective J, each a scalar tensor that autograd differentiates.

mod chroma;
mod content;
mod flatness;
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
pub use flatness::{Flatness, share_of_detail};
pub use luminance::Luminance;
pub use style::{GramTarget, Style, gram};
pub use temporal::{Anchor, Temporal};
pub use variation::Variation;

/// The input of a term: the picture and the requested activations.
#[derive(Debug)]
pub struct View<'a> {
    /// G, `[1,3,H,W]`, RGB, 0..=1.
    pub image: &'a Tensor,
    /// Activations `[1,C,H',W']`, one per layer of the objective's layer list.
    pub features: &'a [Tensor],
    /// Width in pixels of the mirrored margin at each side, which only the networks see.
    margin: i64,
    blurred: OnceCell<Tensor>,
}

impl<'a> View<'a> {
    pub fn new(image: &'a Tensor, features: &'a [Tensor]) -> Self {
        Self { image, features, margin: 0, blurred: OnceCell::new() }
    }

    /// Returns the same view for networks that saw the picture with a mirrored margin of `margin` pixels at each side.
    #[must_use]
    pub fn with_margin(self, margin: i64) -> Self {
        Self { margin, ..self }
    }

    /// Returns the number of positions along each border of `features` that lie in the margin, at least one. There a
    /// network sees the extension of the picture, and a descent responds with a coloured fringe. More positions than
    /// these must not be left out, or the picture's own border stays unpainted.
    fn border(&self, features: &Tensor) -> Result<i64, StyleError> {
        let seen = self.image.size4()?.3 + 2 * self.margin;
        let (_, _, _, w) = features.size4()?;
        Ok((self.margin as f64 * w as f64 / seen as f64).ceil().max(1.0) as i64)
    }

    /// Returns G blurred over 5 x 5 pixels, computed once for all terms.
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
    /// The name in the event `frame`: `content`, `style`, `luminance`, `chroma`, `temporal`, `variation`,
    /// `flatness`.
    fn name(&self) -> &'static str;
    /// Returns the weighted term, a 0-d tensor with gradient.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError>;

    /// Returns the weighted term and, if there is one, the part of it that is reported separately from J (0-d, without
    /// gradient).
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn evaluate_parts(&self, view: &View<'_>) -> Result<(Tensor, Option<Tensor>), StyleError> {
        Ok((self.evaluate(view)?, None))
    }
}

/// Returns the luminance `[1,1,H,W]` of `[1,3,H,W]`.
pub(super) fn luma(image: &Tensor) -> Result<Tensor, StyleError> {
    let part = |channel: usize| image.f_narrow(1, channel as i64, 1)?.f_mul_scalar(f64::from(LUMA[channel]));
    Ok(part(0)?.f_add(&part(1)?)?.f_add(&part(2)?)?)
}

/// Returns the means `[1,C,h,w]` of planes `[1,C,H,W]` over squares of 2 `step` x 2 `step` in steps of `step`. Pictures
/// must be blurred first: otherwise the sampling aliases a mesh of fine lines to a low frequency, where it passes for
/// light and dark.
fn averaged(planes: &Tensor, step: i64) -> Result<Tensor, StyleError> {
    let mut means = planes.f_avg_pool2d([step; 2], [step; 2], [0, 0], false, true, None)?;
    for axis in [2, 3] {
        let length = means.size()[axis as usize] - 1;
        means = means.f_narrow(axis, 0, length)?.f_add(&means.f_narrow(axis, 1, length)?)?;
    }
    Ok(means.f_mul_scalar(0.25)?)
}

/// Returns the sum of squares of `[1,C,h,w]` about each channel's mean.
fn variation_of(planes: &Tensor) -> Result<f64, StyleError> {
    let mean = planes.f_mean_dim([2i64, 3].as_slice(), true, planes.kind())?;
    scalar(&energy(&planes.f_sub(&mean)?)?)
}

/// Returns the sum of squares of a tensor, 0-d.
pub(super) fn energy(x: &Tensor) -> Result<Tensor, StyleError> {
    twice_the_gradient(&x.f_mul(&x.f_detach()?)?.f_sum(x.kind())?)
}

/// Returns x with twice its gradient. If both factors of a product have the same gradient, only one of them needs to be
/// differentiated; for a square this saves three passes over its gradient.
pub(super) fn twice_the_gradient(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_mul_scalar(2.0)?.f_sub(&x.f_detach()?)?)
}
