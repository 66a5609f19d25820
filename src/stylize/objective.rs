//! J(G) and its gradient with respect to G's pixels, by autograd.

use tch::{Tensor, no_grad};

use super::StyleError;
use super::backbone::Backbone;
use super::loss::{LossTerm, View};
use super::still::Held;
use super::tensor::scalar;

/// A function to minimise. Both results stay on the device.
pub trait Objective {
    /// J `[]` and dJ/dx, shaped as `x`.
    ///
    /// # Errors
    /// What libtorch reports.
    fn evaluate(&self, x: &Tensor) -> Result<(Tensor, Tensor), StyleError>;

    /// The part of J at `x` that tells how far it is from other pictures, not how good a picture it is: a target does
    /// not count it.
    ///
    /// # Errors
    /// What libtorch reports.
    fn apart(&self, _x: &Tensor) -> Result<f64, StyleError> {
        Ok(0.0)
    }
}

/// J as a sum of terms over the activations of a network.
pub struct PictureObjective<'a> {
    backbone: &'a dyn Backbone,
    /// Indices into the backbone's layers; terms know their layers by the position in this list.
    layers: &'a [usize],
    terms: Vec<&'a dyn LossTerm>,
    /// One more term, which looks at the picture alone and is told apart from the others.
    apart: Option<&'a dyn LossTerm>,
    /// What the picture is held to before anything looks at it.
    held: Option<&'a Held>,
    phase: Phase,
}

/// By how many pixels, right and down, a picture is moved before a network looks at it; the room is filled with its
/// mirror image.
///
/// Strides and pooling see a picture on a grid, and a descent learns that grid: moved by a pixel or two, a picture of
/// J = 0.8 has one of 2 or 3, and the next frame of a pan would be painted anew. One that was painted in several phases
/// has no such hold on any of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Phase {
    pub right: i64,
    pub down: i64,
}

impl Phase {
    /// Phases for so many legs of a descent, spread over the grids of strides up to 8; the last one is none.
    pub fn spread(legs: u32) -> impl Iterator<Item = Self> {
        (0..i64::from(legs)).rev().map(|k| Self { right: 3 * k % 8, down: 5 * k % 8 })
    }

    /// `[1,C,H+down,W+right]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn apply(self, image: &Tensor) -> Result<Tensor, StyleError> {
        if self == Self::default() {
            return Ok(image.shallow_clone());
        }
        Ok(image.f_reflection_pad2d([self.right, 0, self.down, 0])?)
    }
}

impl<'a> PictureObjective<'a> {
    pub fn new(
        backbone: &'a dyn Backbone,
        layers: &'a [usize],
        terms: Vec<&'a dyn LossTerm>,
        apart: Option<&'a dyn LossTerm>,
    ) -> Self {
        Self { backbone, layers, terms, apart, held: None, phase: Phase::default() }
    }

    /// The same of a picture that is held to another one.
    #[must_use]
    pub fn held(self, held: Option<&'a Held>) -> Self {
        Self { held, ..self }
    }

    /// The same as a network sees it in `phase`.
    #[must_use]
    pub fn phase(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }

    fn picture(&self, x: &Tensor) -> Result<Tensor, StyleError> {
        self.held.map_or_else(|| Ok(x.shallow_clone()), |held| held.apply(x))
    }

    /// The sum of all terms for `image` `[1,3,H,W]`, differentiable.
    fn sum(&self, image: &Tensor) -> Result<Tensor, StyleError> {
        let features = self.backbone.forward(&self.phase.apply(image)?, self.layers)?;
        let view = View { image, features: &features };
        let mut sum = Tensor::f_zeros([], (image.kind(), image.device()))?;
        for term in self.terms.iter().chain(&self.apart) {
            sum = sum.f_add(&term.evaluate(&view)?)?;
        }
        Ok(sum)
    }
}

impl Objective for PictureObjective<'_> {
    fn evaluate(&self, x: &Tensor) -> Result<(Tensor, Tensor), StyleError> {
        let image = x.f_detach()?.f_set_requires_grad(true)?;
        let j = self.sum(&self.picture(&image)?)?;
        // Only the image's gradient: the weights' would cost as much again.
        let gradient = Tensor::f_run_backward(&[&j], &[&image], false, false)?.swap_remove(0);
        Ok((j.f_detach()?, gradient))
    }

    fn apart(&self, x: &Tensor) -> Result<f64, StyleError> {
        let Some(term) = self.apart else { return Ok(0.0) };
        no_grad(|| scalar(&term.evaluate(&View { image: &self.picture(x)?, features: &[] })?))
    }
}
