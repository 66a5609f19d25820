//! The start of a frame in a later pass: a blend of its own picture with its neighbours.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::temporal::history::Anchor;

/// delta of Ruder et al. 2016, section 4.4: a pixel that both pictures show is half of each.
const SHARE: f64 = 0.5;

/// Blends a frame's picture x from the previous pass with its neighbour w from this pass:
/// delta c w + ((1 - delta) + delta (1 - c)) x.
/// Computed as x + delta c (w - x), so that x stays unchanged, to the bit, where c is 0. If there are two neighbours,
/// their c add up to at most 1.
///
/// # Errors
/// Returns what libtorch reports.
pub fn blend(own: &Tensor, neighbours: &[Anchor]) -> Result<Tensor, StyleError> {
    let mut mixed = own.shallow_clone();
    for Anchor { warped, weights } in neighbours {
        mixed = mixed.f_add(&warped.f_sub(own)?.f_mul(&weights.f_mul_scalar(SHARE)?)?)?;
    }
    Ok(mixed)
}
