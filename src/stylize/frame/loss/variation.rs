//! The total variation term: keeps neighbouring pixels similar, above all in colour.

use tch::Tensor;

use super::facts::FrameFacts;
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::{BLUR, View};
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

    /// A step needs the next pixel, and fine colour the blur.
    fn halo(&self) -> i64 {
        BLUR
    }

    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let (image, window) = (view.image, view.window()?);
        let mut sums = Sums::new(view)?;
        for axis in [0, 1] {
            let dimension = axis as i64 + 2;
            let length = image.size()[axis + 2] - 1;
            let step = image.f_narrow(dimension, 1, length)?.f_sub(&image.f_narrow(dimension, 0, length)?)?;
            let step = window.with_neighbours(axis, 0, 1).counted(&step)?;
            sums = sums.with(step.f_square()?.f_sum(image.kind())?, step.numel() as i64);
        }
        let fine = window.counted(&without_grey(&image.f_sub(view.blurred()?)?)?)?;
        Ok(sums.with(fine.f_square()?.f_sum(image.kind())?, fine.numel() as i64))
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        let mut mean = sums.zero.shallow_clone();
        for ((sum, count), factor) in sums.each().zip([1.0, 1.0, FINE_COLOUR]) {
            mean = mean.f_add(&sum.f_div_scalar(count)?.f_mul_scalar(factor)?)?;
        }
        Ok(mean.f_mul_scalar(self.weight)?)
    }
}
