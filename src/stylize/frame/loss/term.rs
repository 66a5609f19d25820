//! What a term of J is: sums over the places of a frame, and a value that follows from them.

use tch::Tensor;

use super::view::View;
use crate::stylize::StyleError;

/// One term of J.
///
/// A frame may be taken in parts that do not overlap: the sums of all parts add up to those of the frame, and so
/// [`LossTerm::value`] of them is that of the frame.
pub trait LossTerm {
    /// The name in the event `frame`.
    fn name(&self) -> &'static str;

    /// Whether the whole term is reported separately from J, because it does not tell how good a picture is compared
    /// with another one.
    fn is_apart(&self) -> bool {
        false
    }

    /// How many pixels around a part of a frame the view of the part must show, as far as the frame has them.
    fn halo(&self) -> i64 {
        0
    }

    /// Returns the sums over the places that count in `view`, with gradient.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError>;

    /// Returns the weighted term for the sums over a whole frame, a 0-d tensor with gradient.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError>;

    /// Returns the part of [`LossTerm::value`], if there is one, that is reported separately from J (0-d, without
    /// gradient).
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn value_apart(&self, _sums: &Sums) -> Result<Option<Tensor>, StyleError> {
        Ok(None)
    }

    /// Returns the weighted term for a view of a whole frame, a 0-d tensor with gradient.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn evaluate(&self, view: &View<'_>) -> Result<Tensor, StyleError> {
        self.value(&self.statistics(view)?)
    }
}

/// Sums over the places of a frame or of a part of it.
#[derive(Debug)]
pub struct Sums {
    /// 0 of the picture's kind and device, 0-d.
    pub(super) zero: Tensor,
    pub(super) values: Vec<Tensor>,
    /// Numbers of places.
    pub(super) counts: Vec<i64>,
}

impl Sums {
    /// No sums yet, for the picture in `view`.
    pub(super) fn new(view: &View<'_>) -> Result<Self, StyleError> {
        let zero = Tensor::f_zeros([], (view.image.kind(), view.image.device()))?;
        Ok(Self { zero, values: Vec::new(), counts: Vec::new() })
    }

    /// Adds a sum over `count` places.
    pub(super) fn with(mut self, value: Tensor, count: i64) -> Self {
        self.values.push(value);
        self.counts.push(count);
        self
    }

    /// Returns each sum with its number of places, at least 1.
    pub(super) fn each(&self) -> impl Iterator<Item = (&Tensor, f64)> {
        self.values.iter().zip(self.counts.iter().map(|&count| count.max(1) as f64))
    }

    /// Returns the sums over the places of both. They must be of the same term.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn plus(&self, other: &Self) -> Result<Self, StyleError> {
        let values = self.values.iter().zip(&other.values).map(|(own, other)| Ok(own.f_add(other)?));
        Ok(Self {
            zero: self.zero.shallow_clone(),
            values: values.collect::<Result<_, StyleError>>()?,
            counts: self.counts.iter().zip(&other.counts).map(|(own, other)| own + other).collect(),
        })
    }
}

/// A term of a frame: `None` if its weight is 0 or the frame has nothing that it needs.
pub(super) type MaybeTerm = Result<Option<Box<dyn LossTerm>>, StyleError>;
