//! The flatness term: what is flat in the style picture is flat in the painting.

use tch::Tensor;

use super::facts::FrameFacts;
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::View;
use super::window::Window;
use crate::stylize::StyleError;
use crate::stylize::tensor::scalar;

/// Root mean square of the finest detail, for samples of 0..=1, at which a place counts as half detailed.
const HALF: f64 = 2.0 / 255.0;

/// weight times (D(G) - D(S))^2 where the painting has more detailed places than the style picture, else 0. D is the
/// share of detailed places, 0..=1: the mean of e / (e + (2/255)^2), where e is the mean square, over the channels and
/// both directions, of the second difference (2 x(p) - x(p - 1) - x(p + 1)) / 4.
///
/// A Gram matrix only knows the energy of fine detail, not where it is. A woodblock print has all of it in its outlines;
/// the descent also reaches that energy with a faint mesh of lines two to three pixels apart all over the picture. The
/// share of flat places tells them apart (marginal statistics beside the second-order ones: Portilla & Simoncelli 2000,
/// "A parametric texture model based on joint statistics of complex wavelet coefficients").
#[derive(Debug)]
pub struct Flatness {
    weight: f64,
    /// D(S).
    target: f64,
}

pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    let weight = frame.settings.loss.flatness;
    Ok(if weight > 0.0 { Some(Box::new(Flatness::new(weight, frame.shot.detail))) } else { None })
}

impl Flatness {
    pub fn new(weight: f64, target: f64) -> Self {
        Self { weight, target }
    }
}

/// Returns the sum of e / (e + (2/255)^2) over the places of `image` `[1,3,H,W]` that count, 0-d with gradient, and their
/// number. Both are 0 if the picture is less than three pixels wide or high.
fn detailed(image: &Tensor, window: Window) -> Result<(Tensor, i64), StyleError> {
    let (_, _, h, w) = image.size4()?;
    if h.min(w) < 3 {
        return Ok((image.f_mean(image.kind())?.f_mul_scalar(0.0)?, 0));
    }
    let inner = |down: i64, right: i64| image.f_narrow(2, 1 + down, h - 2)?.f_narrow(3, 1 + right, w - 2);
    let twice = inner(0, 0)?.f_mul_scalar(2.0)?;
    let across = twice.f_sub(&inner(0, -1)?)?.f_sub(&inner(0, 1)?)?;
    let down = twice.f_sub(&inner(-1, 0)?)?.f_sub(&inner(1, 0)?)?;
    let energy = across.f_square()?.f_add(&down.f_square()?)?.f_mean_dim([1i64].as_slice(), true, image.kind())?;
    // The factors: 1/16 of the differences' squares, 1/2 for two directions.
    let energy = energy.f_mul_scalar(1.0 / 32.0)?;
    let places = energy.f_div(&energy.f_add_scalar(HALF * HALF)?)?;
    let places = window.with_neighbours(0, 1, 1).with_neighbours(1, 1, 1).counted(&places)?;
    Ok((places.f_sum(image.kind())?, places.numel() as i64))
}

/// Returns D of a picture as a number.
///
/// # Errors
/// Returns what libtorch reports.
pub fn share_of_detail(image: &Tensor) -> Result<f64, StyleError> {
    let (_, _, h, w) = image.size4()?;
    let (sum, count) = detailed(image, Window::all([h, w]))?;
    scalar(&sum.f_div_scalar(count.max(1) as f64)?)
}

impl LossTerm for Flatness {
    fn name(&self) -> &'static str {
        "flatness"
    }

    /// A second difference needs both neighbours.
    fn halo(&self) -> i64 {
        1
    }

    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let (sum, count) = detailed(view.image, view.window()?)?;
        Ok(Sums::new(view)?.with(sum, count))
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        let share = sums.values[0].f_div_scalar(sums.counts[0].max(1) as f64)?;
        let excess = share.f_sub_scalar(self.target)?.f_clamp_min(0.0)?;
        Ok(excess.f_square()?.f_mul_scalar(self.weight)?)
    }
}
