//! What a term of J sees.

use std::cell::OnceCell;

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::tensor::{Border, box_blur};

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
    pub(super) fn border(&self, features: &Tensor) -> Result<i64, StyleError> {
        let seen = self.image.size4()?.3 + 2 * self.margin;
        let (_, _, _, w) = features.size4()?;
        Ok((self.margin as f64 * w as f64 / seen as f64).ceil().max(1.0) as i64)
    }

    /// Returns G blurred over 5 x 5 pixels, computed once for all terms.
    pub(super) fn blurred(&self) -> Result<&Tensor, StyleError> {
        if let Some(blurred) = self.blurred.get() {
            return Ok(blurred);
        }
        let blurred = box_blur(self.image, Border::Nothing)?;
        Ok(self.blurred.get_or_init(|| blurred))
    }
}
