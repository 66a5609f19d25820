//! The phase of a picture: how it lies on the grid of the network's strides.

use tch::Tensor;

use crate::stylize::StyleError;

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
