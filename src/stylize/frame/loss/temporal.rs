//! The temporal term: the distance to earlier painted frames, warped along the motion (Ruder, Dosovitskiy & Brox 2016,
//! section 4.2).

use tch::{Reduction, Tensor};

use super::facts::FrameFacts;
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::View;
use crate::settings::Distance;
use crate::stylize::StyleError;
use crate::stylize::temporal::history::Anchor;

/// Where the smooth L1 distance turns from a parabola into a line, in sample values of 0..=1.
const SMOOTH_BELOW: f64 = 0.05;

/// weight times the sum over anchors of 1/(3HW) sum_k c_k (x_k - w_k)^2, or the smooth L1 distance instead of the
/// square. The divisor includes masked pixels: the more is unknown, the weaker the term.
#[derive(Debug)]
pub struct Temporal {
    anchors: Vec<Anchor>,
    weight: f64,
    distance: Distance,
}

pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    let settings = &frame.settings.temporal;
    let weight = settings.effective_weight();
    if weight <= 0.0 || frame.anchors.is_empty() {
        return Ok(None);
    }
    let anchors = frame.anchors.iter().map(Anchor::shared).collect();
    Ok(Some(Box::new(Temporal::new(anchors, weight, settings.distance))))
}

impl Temporal {
    pub fn new(anchors: Vec<Anchor>, weight: f64, distance: Distance) -> Self {
        Self { anchors, weight, distance }
    }
}

impl LossTerm for Temporal {
    fn name(&self) -> &'static str {
        "temporal"
    }

    /// How near a picture is to earlier ones says nothing about its own content and style.
    fn is_apart(&self) -> bool {
        true
    }

    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let window = view.window()?;
        let image = window.counted(view.image)?;
        let mut sums = Sums::new(view)?;
        for Anchor { warped, weights } in &self.anchors {
            let warped = window.of_whole(warped)?;
            let distance = match self.distance {
                Distance::Square => image.f_sub(&warped)?.f_square()?,
                // Scaled so that both distances agree near 0: x^2 below the bend.
                Distance::SmoothL1 => {
                    image.f_smooth_l1_loss(&warped, Reduction::None, SMOOTH_BELOW)?.f_mul_scalar(2.0 * SMOOTH_BELOW)?
                }
            };
            let sum = distance.f_mul(&window.of_whole(weights)?)?.f_sum(image.kind())?;
            sums = sums.with(sum, image.numel() as i64);
        }
        Ok(sums)
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        let mut mean = sums.zero.shallow_clone();
        for (sum, count) in sums.each() {
            mean = mean.f_add(&sum.f_div_scalar(count)?)?;
        }
        Ok(mean.f_mul_scalar(self.weight)?)
    }
}
