//! Distance to earlier painted frames, carried along the motion (Ruder, Dosovitskiy & Brox 2016, section 4.2).

use tch::{Reduction, Tensor};

use super::{LossTerm, View};
use crate::settings::{Distance, TemporalSettings};
use crate::stylize::StyleError;

/// Where the smooth L1 distance turns from a parabola to a line, in sample values of 0..=1.
const SMOOTH_BELOW: f64 = 0.05;

/// An earlier painted frame on the grid of this one.
#[derive(Debug)]
pub struct Anchor {
    /// `[1,3,H,W]`.
    pub warped: Tensor,
    /// c, `[1,1,H,W]`, 0..=1: how much each pixel is held to it.
    pub weights: Tensor,
}

/// weight times the sum over anchors of 1/(3HW) sum_k c_k (x_k - w_k)^2. The divisor counts masked pixels too: where more
/// is unknown, less is held.
#[derive(Debug)]
pub struct Temporal {
    anchors: Vec<Anchor>,
    weight: f64,
    distance: Distance,
}

impl Temporal {
    pub fn new(anchors: Vec<Anchor>, weight: f64, distance: Distance) -> Self {
        Self { anchors, weight, distance }
    }

    /// As `settings` say; `None` where there is nothing to hold to, or no wish to.
    pub fn towards(anchors: Vec<Anchor>, settings: &TemporalSettings) -> Option<Self> {
        let weight = settings.effective_weight();
        (weight > 0.0 && !anchors.is_empty()).then(|| Self::new(anchors, weight, settings.distance))
    }
}

impl LossTerm for Temporal {
    fn name(&self) -> &'static str {
        "temporal"
    }

    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError> {
        let image = view.image;
        let mut sum = Tensor::f_zeros([], (image.kind(), image.device()))?;
        for Anchor { warped, weights } in &self.anchors {
            let distance = match self.distance {
                Distance::Square => image.f_sub(warped)?.f_square()?,
                // Scaled so that both agree near 0: x^2 below the bend.
                Distance::SmoothL1 => {
                    image.f_smooth_l1_loss(warped, Reduction::None, SMOOTH_BELOW)?.f_mul_scalar(2.0 * SMOOTH_BELOW)?
                }
            };
            sum = sum.f_add(&distance.f_mul(weights)?.f_mean(image.kind())?)?;
        }
        Ok(sum.f_mul_scalar(self.weight)?)
    }
}
