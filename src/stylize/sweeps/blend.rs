//! What a frame of a later pass starts from.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::loss::Anchor;

/// delta of Ruder et al. 2016, section 4.4: a pixel that both pictures show is half of each.
const SHARE: f64 = 0.5;

/// A frame's picture x of the pass before, mixed with its neighbour w of this one:
/// delta c w + ((1 - delta) + delta (1 - c)) x, in the form x + delta c (w - x), so that x is left alone to the bit where
/// c is 0. Where there are two neighbours, the c of both add up to no more than 1.
///
/// # Errors
/// What libtorch reports.
pub fn blend(own: &Tensor, neighbours: &[Anchor]) -> Result<Tensor, StyleError> {
    let mut mixed = own.shallow_clone();
    for Anchor { warped, weights } in neighbours {
        mixed = mixed.f_add(&warped.f_sub(own)?.f_mul(&weights.f_mul_scalar(SHARE)?)?)?;
    }
    Ok(mixed)
}
