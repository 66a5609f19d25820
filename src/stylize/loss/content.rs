//! Content: G's activations stay near the content's.

use tch::Tensor;

use super::{LossTerm, View, energy};
use crate::settings::Convention;
use crate::stylize::StyleError;
use crate::stylize::tensor::scalar;

/// alpha times the mean over content layers of a squared distance of activations. With F of G and P of the content,
/// C channels and M positions:
///
/// | convention | distance |
/// |---|---|
/// | relative | sum (F-P)^2 / sum P^2 |
/// | gatys, lecture | 1/2 sum (F-P)^2 |
/// | neural-style | mean (F-P)^2 |
#[derive(Debug)]
pub struct Content {
    /// Position in the objective's layer list, P, and the whole factor before the sum of squares.
    targets: Vec<(usize, Tensor, f64)>,
}

impl Content {
    /// `targets`: position in the objective's layer list and P `[1,C,H',W']`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(targets: Vec<(usize, Tensor)>, convention: Convention, alpha: f64) -> Result<Self, StyleError> {
        let share = alpha / targets.len().max(1) as f64;
        let targets = targets
            .into_iter()
            .map(|(place, target)| {
                let factor = match convention {
                    // A picture without any activation (black, say) must not divide by zero.
                    Convention::Relative => 1.0 / scalar(&energy(&target)?)?.max(1e-12),
                    Convention::Gatys | Convention::Lecture => 0.5,
                    Convention::NeuralStyle => 1.0 / target.numel() as f64,
                };
                Ok((place, target, share * factor))
            })
            .collect::<Result<_, StyleError>>()?;
        Ok(Self { targets })
    }
}

impl LossTerm for Content {
    fn name(&self) -> &'static str {
        "content"
    }

    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError> {
        let mut sum = Tensor::f_zeros([], (view.image.kind(), view.image.device()))?;
        for (place, target, factor) in &self.targets {
            let distance = energy(&view.features[*place].f_sub(target)?)?;
            sum = sum.f_add(&distance.f_mul_scalar(*factor)?)?;
        }
        Ok(sum)
    }
}
