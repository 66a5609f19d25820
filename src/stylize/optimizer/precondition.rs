//! The preconditioner: an estimate of J's inverse Hessian before any curvature is known. Fine and coarse detail of a
//! picture need different steps.

use tch::Tensor;

use super::super::StyleError;
use super::super::tensor::{Border, box_blur, without_grey};

/// Factors by which detail finer than the blur, in grey and in colour, moves less than the rest.
const FINE_GREY: f64 = 0.6;
const FINE_COLOUR: f64 = 0.15;

/// A symmetric, positive definite matrix P. L-BFGS starts its recursion from gamma P instead of gamma I.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preconditioner {
    /// P = I.
    Identity,
    /// P = B + 0.6 (I - B) M + 0.15 (I - B) (I - M) for a picture `[1,3,H,W]`, where B is a blur over 5 x 5 pixels and
    /// M is the mean of the three channels.
    ///
    /// Networks hardly see detail of two or three pixels, least of all in colour, so a few iterations of a plain
    /// descent leave much of it as coloured speckle in flat areas. Natural pictures contain little such detail (the
    /// decorrelated colours and the 1/f spectrum of Olah et al. 2017, Feature Visualization, serve the same purpose).
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
                let coarse = box_blur(x, Border::Black)?;
                let fine = x.f_sub(&coarse)?;
                let colour = without_grey(&fine)?;
                let grey = fine.f_sub(&colour)?;
                Ok(coarse.f_add(&grey.f_mul_scalar(FINE_GREY)?)?.f_add(&colour.f_mul_scalar(FINE_COLOUR)?)?)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::Preconditioner;

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
            assert!(share > 0.15 && share < 1.0, "{share}");
        }
    }

    #[test]
    fn a_checkerboard_in_colour_moves_least() {
        let sign = Tensor::from_slice(&[1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0, -1.0]).to_kind(Kind::Double);
        let board = sign.view([1, 1, 8, 1]) * sign.view([1, 1, 1, 8]);
        let moved = |rgb: [f64; 3]| {
            let x = &board * Tensor::from_slice(&rgb).view([1, 3, 1, 1]);
            let y = Preconditioner::Picture.apply(&x).unwrap();
            y.double_value(&[0, 0, 4, 4]) / x.double_value(&[0, 0, 4, 4])
        };
        // Two averages over 3 x 3 leave (1/9)^2 of a checkerboard.
        let left = 1.0 / 81.0;
        assert!((moved([1.0, 1.0, 1.0]) - (left + 0.6 * (1.0 - left))).abs() < 1e-9);
        assert!((moved([1.0, -1.0, 0.0]) - (left + 0.15 * (1.0 - left))).abs() < 1e-9);
    }
}
