//! The values of the terms of J for a painted picture, by name.

/// More terms than J has; a list of fixed length keeps the statistics of a frame `Copy`.
const MOST: usize = 12;

/// The value of each term of J, by [`super::frame::loss::LossTerm::name`]. Empty if nothing was optimised.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TermValues([Option<(&'static str, f64)>; MOST]);

impl TermValues {
    /// Pairs names with values, in the same order.
    pub fn new(names: &[&'static str], values: &[f32]) -> Self {
        let mut list = [None; MOST];
        for (slot, (&name, &value)) in list.iter_mut().zip(names.iter().zip(values)) {
            *slot = Some((name, f64::from(value)));
        }
        Self(list)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().copied().flatten()
    }
}
