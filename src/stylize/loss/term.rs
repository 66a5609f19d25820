//! What a term of J is.

use tch::Tensor;

use super::view::View;
use crate::stylize::StyleError;

/// One term of J.
pub trait LossTerm {
    /// The name in the event `frame`.
    fn name(&self) -> &'static str;

    /// Whether the whole term is reported separately from J, because it does not tell how good a picture is compared
    /// with another one.
    fn is_apart(&self) -> bool {
        false
    }

    /// Returns the weighted term, a 0-d tensor with gradient.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError>;

    /// Returns the weighted term and, if there is one, the part of it that is reported separately from J (0-d, without
    /// gradient).
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn evaluate_parts(&self, view: &View<'_>) -> Result<(Tensor, Option<Tensor>), StyleError> {
        Ok((self.evaluate(view)?, None))
    }
}

/// A term of a frame: `None` if its weight is 0 or the frame has nothing that it needs.
pub(super) type MaybeTerm = Result<Option<Box<dyn LossTerm>>, StyleError>;
