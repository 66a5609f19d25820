//! What a frame of a later pass starts from.

use tch::Tensor;

use crate::stylize::StyleError;

/// delta of Ruder et al. 2016, section 4.4: a pixel that both pictures show is half of each.
const SHARE: f64 = 0.5;

/// A frame's picture of the pass before, mixed with its neighbour of this pass:
/// delta c w + ((1 - delta) + delta (1 - c)) x, all `[1,3,H,W]` but c, `[1,1,H,W]`, 0..=1. Where c is 0, x to the bit.
///
/// # Errors
/// What libtorch reports.
pub fn blend(own: &Tensor, neighbour: &Tensor, weights: &Tensor) -> Result<Tensor, StyleError> {
    Ok(own.f_add(&neighbour.f_sub(own)?.f_mul(&weights.f_mul_scalar(SHARE)?)?)?)
}
