//! The total variation term: keeps neighbouring pixels similar, above all in colour.

use tch::Tensor;

use super::facts::FrameFacts;
use super::term::{LossTerm, MaybeTerm};
use super::view::View;
use crate::stylize::StyleError;
use crate::stylize::tensor::without_grey;

/// Weight of fine colour relative to the differences of neighbours. The eye hardly sees colour this fine in a painting,
/// and video does not preserve it (4:2:0); a network turns it into speckle.
const FINE_COLOUR: f64 = 4.0;

/// The weight is multiplied by E to this power: where the painting's contrast exceeds the scene's, a lattice would show
/// on plain walls. Measured in docs/networks.md.
const SMOOTHER: f64 = 1.5;

/// weight times (mean of squared horizontal differences + mean of squared vertical differences + 4 times the mean
/// square of fine colour): the L2 form. Fine colour is the picture minus its blur over 5 x 5 pixels, minus the grey.
#[derive(Debug)]
pub struct Variation {
    weight: f64,
}

pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    Ok(Some(Box::new(Variation::new(frame.settings.loss.tv * frame.shot.excess.powf(SMOOTHER)))))
}

impl Variation {
    pub fn new(weight: f64) -> Self {
        Self { weight }
    }
}

impl LossTerm for Variation {
    fn name(&self) -> &'static str {
        "variation"
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
        let fine = without_grey(&image.f_sub(view.blurred()?)?)?;
        sum = sum.f_add(&fine.f_square()?.f_mean(image.kind())?.f_mul_scalar(FINE_COLOUR)?)?;
        Ok(sum.f_mul_scalar(self.weight)?)
    }
}
