//! The objective J(G) and its gradient with respect to G's pixels, by autograd.

use tch::Tensor;

use super::StyleError;
use super::backbone::Backbone;
use super::loss::{LossTerm, View};
use super::pinned::Pin;

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
    /// One more term, reported separately from the others.
    apart: Option<&'a dyn LossTerm>,
    /// The picture that the pixels are held to before a term sees them.
    held: Option<&'a Pin>,
    phase: Option<Phase>,
}

/// Position of a picture on the grid of the network's strides, which is set by extending it with its mirror image.
///
/// Strides and pooling see a picture on a grid, and a descent learns that grid: when the picture moves by a pixel or
/// two, its J rises from 0.8 to 2 or 3, and the next frame of a pan would have to be painted from scratch. A picture
/// painted in several phases does not depend on any one of them. The mirrored pixels also give the picture's border a
/// neighbourhood, since Gram matrices leave out the features nearest to a border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Phase {
    /// Offset from the centre, in pixels.
    right: i64,
    down: i64,
    /// Upper limit of the margin on each side, in pixels.
    most: i64,
}

/// Margin on each side, as a share of the long side, and its limits in pixels.
const MARGIN: f64 = 1.0 / 40.0;
const MARGINS: [i64; 2] = [4, 8];

impl Phase {
    /// The centred phase: for later frames and the last leg of a first one.
    pub const CENTRED: Self = Self { right: 0, down: 0, most: MARGINS[1] };

    /// Returns the phases for `legs` legs of a descent, spread over the grids of strides up to 8; the last one is
    /// centred.
    pub fn spread(legs: u32) -> impl Iterator<Item = Self> {
        let at = |k: i64, step: i64| (4 + step * k).rem_euclid(8) - 4;
        (0..i64::from(legs)).rev().map(move |k| Self { right: at(k, 3), down: at(k, 5), ..Self::CENTRED })
    }

    /// The same phase for a picture with a bleed, whose border needs no more than the shift.
    #[must_use]
    pub fn with_bleed(self) -> Self {
        Self { most: MARGINS[0], ..self }
    }

    /// Extends the picture by a margin of 4 to 8 pixels on each side, shifted by the phase. A picture too small to be
    /// mirrored is returned unchanged.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn apply(self, image: &Tensor) -> Result<Tensor, StyleError> {
        let (_, _, h, w) = image.size4()?;
        let margin = ((h.max(w) as f64 * MARGIN) as i64).clamp(MARGINS[0], self.most);
        if h.min(w) <= 2 * margin {
            return Ok(image.shallow_clone());
        }
        let Self { right, down, .. } = self;
        Ok(image.f_reflection_pad2d([margin + right, margin - right, margin + down, margin - down])?)
    }
}

impl<'a> PictureObjective<'a> {
    pub fn new(
        backbone: &'a dyn Backbone,
        layers: &'a [usize],
        terms: Vec<&'a dyn LossTerm>,
        apart: Option<&'a dyn LossTerm>,
    ) -> Self {
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
        let apart = self.apart.map(LossTerm::name);
        self.terms.iter().map(|term| term.name()).chain([OUTLINES]).chain(apart).collect()
    }

    /// Returns the sum of all terms for `image` `[1,3,H,W]`, differentiable; the separately reported part of it and the
    /// value of each term, which are not.
    fn sum(&self, image: &Tensor) -> Result<(Tensor, Tensor, Tensor), StyleError> {
        let seen = self.phase.map_or_else(|| Ok(image.shallow_clone()), |phase| phase.apply(image))?;
        let features = self.backbone.forward(&seen, self.layers)?;
        let view = View::new(image, &features).with_margin((seen.size4()?.3 - image.size4()?.3) / 2);
        let mut sum = Tensor::f_zeros([], (image.kind(), image.device()))?;
        let mut apart = sum.f_zeros_like()?;
        let mut values = Vec::with_capacity(self.terms.len() + 2);
        for term in &self.terms {
            let (value, told) = term.evaluate_parts(&view)?;
            sum = sum.f_add(&value)?;
            let mut own = value.f_detach()?;
            if let Some(told) = told {
                apart = apart.f_add(&told)?;
                own = own.f_sub(&told)?;
            }
            values.push(own);
        }
        values.push(apart.shallow_clone());
        if let Some(term) = self.apart {
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
