//! J(G) and its gradient with respect to G's pixels, by autograd.

use tch::{Tensor, no_grad};

use super::StyleError;
use super::backbone::Backbone;
use super::loss::{LossTerm, View};
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
}

impl<'a> PictureObjective<'a> {
    pub fn new(
        backbone: &'a dyn Backbone,
        layers: &'a [usize],
        terms: Vec<&'a dyn LossTerm>,
        apart: Option<&'a dyn LossTerm>,
    ) -> Self {
        Self { backbone, layers, terms, apart }
    }

    /// The sum of all terms for `image` `[1,3,H,W]`, differentiable.
    fn sum(&self, image: &Tensor) -> Result<Tensor, StyleError> {
        let features = self.backbone.forward(image, self.layers)?;
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
        let j = self.sum(&image)?;
        // Only the image's gradient: the weights' would cost as much again.
        let gradient = Tensor::f_run_backward(&[&j], &[&image], false, false)?.swap_remove(0);
        Ok((j.f_detach()?, gradient))
    }

    fn apart(&self, x: &Tensor) -> Result<f64, StyleError> {
        let Some(term) = self.apart else { return Ok(0.0) };
        no_grad(|| scalar(&term.evaluate(&View { image: x, features: &[] })?))
    }
}
