//! Total variation: neighbouring pixels stay near each other.

use tch::Tensor;

use super::{LossTerm, View};
use crate::stylize::StyleError;

/// weight times (mean of squared horizontal differences + mean of squared vertical differences), the L2 form.
#[derive(Debug)]
pub struct Variation {
    weight: f64,
}

impl Variation {
    pub fn new(weight: f64) -> Self {
        Self { weight }
    }
}

impl LossTerm for Variation {
    fn name(&self) -> &'static str {
        "tv"
    }

    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError> {
        let image = view.image;
        let mut sum = Tensor::f_zeros([], (image.kind(), image.device()))?;
        for axis in [2, 3] {
            let length = image.size()[axis as usize];
            if length < 2 {
                continue;
            }
            let step = image.f_narrow(axis, 1, length - 1)?.f_sub(&image.f_narrow(axis, 0, length - 1)?)?;
            sum = sum.f_add(&step.f_square()?.f_mean(image.kind())?)?;
        }
        Ok(sum.f_mul_scalar(self.weight)?)
    }
}
