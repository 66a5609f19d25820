//! The preconditioner: an estimate of J's inverse Hessian before any curvature is known. Fine and coarse detail of a
//! picture need different steps.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::tensor::{Border, box_blur, without_grey};

/// Factors by which detail finer than the blur, in grey and in colour, moves less than the rest.
const FINE_GREY: f64 = 0.6;
const FINE_COLOUR: f64 = 0.15;

/// By how much more a pixel at a border moves, the width of the rim where it does as a share of the long side, and
/// the width's limits in pixels.
const AT_BORDER: f64 = 0.9;
const RIM: f64 = 1.0 / 32.0;
const RIMS: [f64; 2] = [3.0, 10.0];

/// A symmetric, positive definite matrix P. L-BFGS starts its recursion from gamma P instead of gamma I.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preconditioner {
    /// P = I.
    Identity,
    /// P = R B R + 0.6 (I - B) M + 0.15 (I - B) (I - M) for a picture `[1,3,H,W]`, where B is a blur over 5 x 5 pixels, M
    /// is the mean of the three channels, and R multiplies a pixel by 1 to 1.9 the nearer it is to a border.
    ///
    /// Networks hardly see detail of two or three pixels, least of all in colour, so a few iterations of a plain
    /// descent leave much of it as coloured speckle in flat areas. Natural pictures contain little such detail (the
    /// decorrelated colours and the 1/f spectrum of Olah et al. 2017, Feature Visualization, serve the same purpose).
    ///
    /// A pixel near a border is seen from one side only, so its gradient is about half as strong. Without R, a few
    /// iterations leave a rim of about 8 pixels unpainted: a mosaic has no stones there. R leaves out
    /// fine detail, which would become speckle along the border.
    Picture,
}

impl Preconditioner {
    /// Returns P x as a new tensor.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn apply(self, x: &Tensor) -> Result<Tensor, StyleError> {
        match self {
            Self::Identity => Ok(x.f_detach_copy()?),
            Self::Picture => {
                let rim = rim(x)?;
                let inner = x.f_mul(&rim)?;
                let coarse = box_blur(&inner, Border::Black)?.f_mul(&rim)?;
                let fine = x.f_sub(&box_blur(x, Border::Black)?)?;
                let colour = without_grey(&fine)?;
                let grey = fine.f_sub(&colour)?;
                Ok(coarse.f_add(&grey.f_mul_scalar(FINE_GREY)?)?.f_add(&colour.f_mul_scalar(FINE_COLOUR)?)?)
            }
        }
    }
}

/// Returns a factor for each pixel of `x` `[1,C,H,W]`: 1 inside the picture, growing linearly over the rim to 1.9 at a
/// border, and to 1.9^2 in a corner. `[H,W]`.
fn rim(x: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = x.size4()?;
    let width = (h.max(w) as f64 * RIM).clamp(RIMS[0], RIMS[1]);
    let line = |length: i64| -> Result<Tensor, StyleError> {
        let at = Tensor::f_arange(length, (x.kind(), x.device()))?;
        let from_border = at.f_minimum(&at.f_neg()?.f_add_scalar((length - 1) as f64)?)?;
        let near = from_border.f_div_scalar(-width)?.f_add_scalar(1.0)?.f_clamp_min(0.0)?;
        Ok(near.f_mul_scalar(AT_BORDER)?.f_add_scalar(1.0)?)
    };
    Ok(line(h)?.f_view([h, 1])?.f_mul(&line(w)?)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::{AT_BORDER, Preconditioner, rim};

    fn random(seed: i64) -> Tensor {
        tch::manual_seed(seed);
        Tensor::randn([1, 3, 7, 9], (Kind::Double, Device::Cpu))
    }

    fn dot(a: &Tensor, b: &Tensor) -> f64 {
        (a * b).sum(Kind::Double).double_value(&[])
    }

    #[test]
    fn it_is_symmetric_and_positive() {
        let apply = |x: &Tensor| Preconditioner::Picture.apply(x).unwrap();
        for seed in 0..20 {
            let (a, b) = (random(seed), random(seed + 100));
            assert!((dot(&a, &apply(&b)) - dot(&apply(&a), &b)).abs() < 1e-12);
            let share = dot(&a, &apply(&a)) / dot(&a, &a);
            assert!(share > 0.15 && share < (1.0 + AT_BORDER).powi(4), "{share}");
        }
    }

    #[test]
    fn a_checkerboard_in_colour_moves_least() {
        let signs: Vec<f64> = (0..16).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let sign = Tensor::from_slice(&signs);
        let board = sign.view([1, 1, 16, 1]) * sign.view([1, 1, 1, 16]);
        let moved = |rgb: [f64; 3]| {
            let x = &board * Tensor::from_slice(&rgb).view([1, 3, 1, 1]);
            let y = Preconditioner::Picture.apply(&x).unwrap();
            y.double_value(&[0, 0, 8, 8]) / x.double_value(&[0, 0, 8, 8])
        };
        // Two averages over 3 x 3 leave (1/9)^2 of a checkerboard.
        let left = 1.0 / 81.0;
        assert!((moved([1.0, 1.0, 1.0]) - (left + 0.6 * (1.0 - left))).abs() < 1e-9);
        assert!((moved([1.0, -1.0, 0.0]) - (left + 0.15 * (1.0 - left))).abs() < 1e-9);
    }

    #[test]
    fn a_border_moves_more_than_the_middle() {
        for (side, width) in [(64i64, 3i64), (192, 6), (640, 10)] {
            let found = rim(&Tensor::zeros([1, 3, 48, side], (Kind::Double, Device::Cpu))).unwrap();
            let at = |y: i64, x: i64| found.double_value(&[y, x]);
            assert!((at(24, 0) - 1.9).abs() < 1e-12 && (at(24, side - 1) - 1.9).abs() < 1e-12, "{side}");
            assert!((at(47, 0) - 1.9 * 1.9).abs() < 1e-12, "a corner has two borders");
            assert!(at(24, width - 1) > 1.0 && at(24, width) == 1.0, "{side}: {width} pixels wide");
        }
    }
}
