//! Measures that several terms use.

use tch::Tensor;

use super::window::{Window, cut};
use crate::stylize::StyleError;
use crate::stylize::tensor::scalar;

/// Returns the means `[1,C,h,w]` of planes `[1,C,H,W]` over squares of 2 `step` x 2 `step` in steps of `step`. Pictures
/// must be blurred first: otherwise the sampling aliases a mesh of fine lines to a low frequency, where it passes for
/// light and dark.
pub(super) fn averaged(planes: &Tensor, step: i64) -> Result<Tensor, StyleError> {
    let mut means = planes.f_avg_pool2d([step; 2], [step; 2], [0, 0], false, true, None)?;
    for axis in [2, 3] {
        let length = means.size()[axis as usize] - 1;
        means = means.f_narrow(axis, 0, length)?.f_add(&means.f_narrow(axis, 1, length)?)?;
    }
    Ok(means.f_mul_scalar(0.25)?)
}

/// Returns the same means for `planes` of what `window` shows: those of the squares that count.
pub(super) fn averaged_within(planes: &Tensor, window: Window, step: i64) -> Result<Tensor, StyleError> {
    let (squares, [top, left]) = window.squares(step);
    let (_, _, h, w) = planes.size4()?;
    let aligned = if [top, left] == [0; 2] { planes } else { &cut(planes, [(top, h - top), (left, w - left)])? };
    squares.counted(&averaged(aligned, step)?)
}

/// How many pixels around a part [`averaged_within`] needs: a square may begin with the last pixel of the part.
pub(super) fn reach_of_squares(step: i64) -> i64 {
    2 * step - 1
}

/// Returns the sum of squares of `[1,C,h,w]` about each channel's mean.
pub(super) fn variation_of(planes: &Tensor) -> Result<f64, StyleError> {
    let mean = planes.f_mean_dim([2i64, 3].as_slice(), true, planes.kind())?;
    scalar(&energy(&planes.f_sub(&mean)?)?)
}

/// Returns the sum of squares of a tensor, 0-d.
pub(in crate::stylize) fn energy(x: &Tensor) -> Result<Tensor, StyleError> {
    twice_the_gradient(&x.f_mul(&x.f_detach()?)?.f_sum(x.kind())?)
}

/// Returns x with twice its gradient. If both factors of a product have the same gradient, only one of them needs to be
/// differentiated; for a square this saves three passes over its gradient.
pub(super) fn twice_the_gradient(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_mul_scalar(2.0)?.f_sub(&x.f_detach()?)?)
}
