//! Compares the light and the look of two frames on one grid.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::tensor::{blurred, mean_where};

/// Standard deviation, as a share of the long side, of the smoothing that separates a change of light from a change of
/// content.
const LIGHT: f64 = 0.025;
/// Its minimum in pixels: finer differences are objects, not light.
const LEAST_LIGHT: f64 = 4.0;

/// Standard deviation in pixels of the smoothing that compares two contents: noise must not count as a difference.
pub(in crate::stylize) const GRAIN: f64 = 2.0;

/// `[1,1,H,W]`: 1 where two contents `[1,3,H,W]` on one grid differ, after smoothing, by less than `tolerance`, else 0.
///
/// # Errors
/// Returns what libtorch reports.
pub fn alike(one: &Tensor, other: &Tensor, tolerance: f64) -> Result<Tensor, StyleError> {
    let difference = blurred(&one.f_sub(other)?, GRAIN)?.f_abs()?.f_amax([1], true)?;
    Ok(difference.f_lt(tolerance)?.f_to_kind(one.kind())?)
}

/// How much lighter each part of the scene has become, `[1,3,H,W]`: the smoothed difference of two contents on one
/// grid, averaged where `seen` says that they show the same. Exactly zero where nothing changed.
///
/// A painting must fade when its scene fades; what stays constant is the difference between the two (the loss of Gao et
/// al. 2018, ReCoNet, does the same with luma).
///
/// # Errors
/// Returns what libtorch reports.
pub fn change_of_light(now: &Tensor, before: &Tensor, seen: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = now.size4()?;
    let sigma = (LIGHT * h.max(w) as f64).max(LEAST_LIGHT);
    mean_where(&now.f_sub(before)?, seen, sigma)
}
