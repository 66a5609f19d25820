//! The objective J(G) and its gradient with respect to G's pixels, by autograd.

use tch::Tensor;

use super::loss::{LossTerm, View};
use super::phase::Phase;
use crate::stylize::StyleError;
use crate::stylize::backbone::Backbone;
use crate::stylize::temporal::pinned::Pin;

/// Value and gradient of J at a point, on the device.
#[derive(Debug)]
pub struct Evaluation {
    /// J, `[]`.
    pub j: Tensor,
    /// The part of J, `[]`, that a target ignores: it does not tell how good a picture is compared with another one.
    pub apart: Tensor,
    /// The value of each term, `[T]`, in the order of [`PictureObjective::term_names`].
    pub terms: Tensor,
    /// dJ/dx, shaped as x.
    pub gradient: Tensor,
}

/// A function to minimise.
pub trait Objective {
    /// # Errors
    /// Returns what libtorch reports.
    fn evaluate(&self, x: &Tensor) -> Result<Evaluation, StyleError>;
}

/// The name of the part of the content term that is reported separately.
const OUTLINES: &str = "outlines";

/// J as a sum of terms over the activations of a network.
pub struct PictureObjective<'a> {
    backbone: &'a dyn Backbone,
    /// Indices into the backbone's layers; terms refer to layers by position in this list.
    layers: &'a [usize],
    terms: Vec<&'a dyn LossTerm>,
    /// Terms that are reported separately from the others.
    apart: Vec<&'a dyn LossTerm>,
    /// The picture that the pixels are held to before a term sees them.
    held: Option<&'a Pin>,
    phase: Option<Phase>,
}

impl<'a> PictureObjective<'a> {
    pub fn new(backbone: &'a dyn Backbone, layers: &'a [usize], terms: Vec<&'a dyn LossTerm>) -> Self {
        let (apart, terms) = terms.into_iter().partition(|term| term.is_apart());
        Self { backbone, layers, terms, apart, held: None, phase: None }
    }

    /// Holds the picture to another one.
    #[must_use]
    pub fn held(self, held: Option<&'a Pin>) -> Self {
        Self { held, ..self }
    }

    /// Evaluates the picture as a network sees it in `phase`.
    #[must_use]
    pub fn phase(self, phase: Phase) -> Self {
        Self { phase: Some(phase), ..self }
    }

    fn picture(&self, x: &Tensor) -> Result<Tensor, StyleError> {
        self.held.map_or_else(|| Ok(x.shallow_clone()), |held| held.apply(x))
    }

    /// Returns the names of the values in [`Evaluation::terms`]. `outlines` is what new outlines add to the content
    /// term, whose own value excludes it.
    pub fn term_names(&self) -> Vec<&'static str> {
        let names = |terms: &[&'a dyn LossTerm]| terms.iter().map(|term| term.name()).collect::<Vec<_>>();
        [names(&self.terms), vec![OUTLINES], names(&self.apart)].concat()
    }

    /// Returns the sum of all terms for `image` `[1,3,H,W]`, differentiable; the separately reported part of it and the
    /// value of each term, which are not.
    fn sum(&self, image: &Tensor) -> Result<(Tensor, Tensor, Tensor), StyleError> {
        let seen = self.phase.map_or_else(|| Ok(image.shallow_clone()), |phase| phase.apply(image))?;
        let features = self.backbone.forward(&seen, self.layers)?;
        let view = View::new(image, &features).with_margin((seen.size4()?.3 - image.size4()?.3) / 2);
        let mut sum = Tensor::f_zeros([], (image.kind(), image.device()))?;
        let mut apart = sum.f_zeros_like()?;
        let mut values = Vec::with_capacity(self.terms.len() + 1 + self.apart.len());
        for term in &self.terms {
            let sums = term.statistics(&view)?;
            let value = term.value(&sums)?;
            sum = sum.f_add(&value)?;
            let mut own = value.f_detach()?;
            if let Some(told) = term.value_apart(&sums)? {
                apart = apart.f_add(&told)?;
                own = own.f_sub(&told)?;
            }
            values.push(own);
        }
        values.push(apart.shallow_clone());
        for term in &self.apart {
            let value = term.evaluate(&view)?;
            sum = sum.f_add(&value)?;
            values.push(value.f_detach()?);
            apart = apart.f_add(&value.f_detach()?)?;
        }
        Ok((sum, apart, Tensor::f_stack(&values, 0)?))
    }
}

impl Objective for PictureObjective<'_> {
    fn evaluate(&self, x: &Tensor) -> Result<Evaluation, StyleError> {
        let image = x.f_detach()?.f_set_requires_grad(true)?;
        let (j, apart, terms) = self.sum(&self.picture(&image)?)?;
        // Only the image's gradient: the gradient of the weights would double the cost.
        let gradient = Tensor::f_run_backward(&[&j], &[&image], false, false)?.swap_remove(0);
        Ok(Evaluation { j: j.f_detach()?, apart, terms, gradient })
    }
}
