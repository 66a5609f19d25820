//! The receptive field and the shape of a layer.

use std::ops::Range;

/// The receptive field of a layer's units along one axis; both axes are equal. It may extend beyond the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// First pixel of the unit at position 0.
    pub first: i64,
    pub size: i64,
    /// Distance in pixels from one unit to the next: the layer's stride.
    pub jump: i64,
}

impl Field {
    /// The picture itself.
    pub const PIXEL: Self = Self { first: 0, size: 1, jump: 1 };

    /// Returns the field after a layer with the given kernel, stride and padding.
    pub fn through(self, kernel: i64, stride: i64, padding: i64) -> Self {
        Self {
            first: self.first - padding * self.jump,
            size: self.size + (kernel - 1) * self.jump,
            jump: self.jump * stride,
        }
    }

    /// Returns the smallest field that covers both; the two lie on the same grid.
    pub(super) fn union(self, other: Self) -> Self {
        let first = self.first.min(other.first);
        let end = (self.first + self.size).max(other.first + other.size);
        Self { first, size: end - first, jump: self.jump.max(other.jump) }
    }

    /// Returns the pixels that the unit at `position` sees.
    pub fn at(self, position: i64) -> Range<i64> {
        let first = self.first + position * self.jump;
        first..first + self.size
    }
}

/// The name, channels and receptive field of a layer, as the `layers` command shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerShape {
    pub name: String,
    /// Number of units (feature maps).
    pub channels: usize,
    /// The largest field of its units.
    pub field: Field,
}
