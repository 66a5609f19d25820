//! The terms of J, each a scalar tensor that autograd differentiates.

mod chroma;
mod content;
mod luminance;
mod style;
mod temporal;
mod variation;

use tch::Tensor;

use super::StyleError;

pub use chroma::Chroma;
pub use content::Content;
pub use luminance::Luminance;
pub use style::{GramTarget, Style, gram};
pub use temporal::{Anchor, Temporal};
pub use variation::Variation;

/// What a term may look at: the picture and the activations that were asked for.
#[derive(Debug)]
pub struct View<'a> {
    /// G, `[1,3,H,W]`, RGB, 0..=1.
    pub image: &'a Tensor,
    /// Activations `[1,C,H',W']`, one per layer of the objective's layer list.
    pub features: &'a [Tensor],
}

/// One term of J.
pub trait LossTerm {
    /// For logs: `content`, `style`, `luminance`, `chroma`, `tv`.
    fn name(&self) -> &'static str;
    /// The weighted term, a 0-d tensor with gradient.
    ///
    /// # Errors
    /// What libtorch reports.
    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError>;
}

/// Sum of squares of a tensor, 0-d.
pub(super) fn energy(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_square()?.f_sum(x.kind())?)
}
