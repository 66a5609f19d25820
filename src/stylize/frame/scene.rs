//! Comparison data of a source frame: the content that a painting is compared with, and how much each pixel counts.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::temporal::history::WarpedFrame;
use crate::stylize::tensor::resize;

/// How many times a new outline counts in the content term, in addition to the single count of every pixel. Measured on
/// the sails of the demo clip with 3, 8, 20 and 40: ghosts and losses of the scene decrease over the whole range.
const MOVING: f64 = 40.0;
/// Upper limit for all new outlines together, in whole frames: a glittering sea is new everywhere, in every frame.
const TOGETHER: f64 = 2.0;
/// An outline is where samples (0..=1) within [`REACH`] pixels differ by this much.
const OUTLINE: f64 = 0.15;
const REACH: i64 = 2;

/// The content of a frame and the maps that weight its comparison with a painting.
#[derive(Debug)]
pub struct Scene {
    /// `[1,3,H,W]`, in the colours that the picture should have.
    pub content: Tensor,
    /// `[1,1,H,W]`, 0..=1: how much of a face each pixel shows; `None` if faces do not count more or there are none.
    pub faces: Option<Tensor>,
    /// Whether the start of the descent has the painting's colours, which a face then takes over. Until then, a face
    /// counts for more only in its lightness.
    pub is_painted: bool,
    /// `[1,1,H,W]`, 0..=1: how much of a new outline each pixel shows, in a frame that continues from another one.
    pub moving: Option<Tensor>,
}

impl Scene {
    /// Returns the scene in another size.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn resized(&self, height: i64, width: i64) -> Result<Self, StyleError> {
        let map = |map: &Option<Tensor>| map.as_ref().map(|map| resize(map, height, width)).transpose();
        let content = resize(&self.content, height, width)?;
        Ok(Self { content, faces: map(&self.faces)?, moving: map(&self.moving)?, ..*self })
    }

    /// How often each pixel counts in the luminance term, `[1,1,H,W]`: once, and in a face `face` times. `None` if all
    /// pixels count the same.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn light_counts(&self, face: f64) -> Result<Option<Tensor>, StyleError> {
        let counted = |faces: &Tensor| Ok(faces.f_mul_scalar(face - 1.0)?.f_add_scalar(1.0)?);
        self.faces.as_ref().map(counted).transpose()
    }

    /// How often each pixel counts in the content term, as in [`Scene::light_counts`]; `None` until the picture is
    /// painted.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn content_counts(&self, face: f64) -> Result<Option<Tensor>, StyleError> {
        if self.is_painted { self.light_counts(face) } else { Ok(None) }
    }

    /// How often a pixel counts in the content term beyond that: 40 times at a new outline, less if the outlines would
    /// then exceed a whole frame's content. Moving parts are few pixels and have no earlier paint to start from, so
    /// with a plain sum over the frame they would drown in paint. (Their lightness counts as elsewhere: where it
    /// counted more, plain ground next to an outline stayed unpainted.)
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn moving_counts(&self) -> Result<Option<Tensor>, StyleError> {
        let Some(moving) = &self.moving else { return Ok(None) };
        // Stays a tensor throughout, so that nothing here waits for a GPU.
        let times = moving.f_mean(moving.kind())?.f_reciprocal()?.f_mul_scalar(TOGETHER)?.f_clamp_max(MOVING)?;
        Ok(Some(moving.f_mul(&times)?))
    }
}

/// How much of a new outline each pixel of `content` `[1,3,H,W]` shows: `[1,1,H,W]`, 0..=1. It is the square of the
/// contrast, in units of 0.15 and at most 1, where the previous frame (`brought`) shows different contents of a
/// different texture.
///
/// # Errors
/// Returns what libtorch reports.
pub fn moving_outlines(content: &Tensor, brought: &WarpedFrame) -> Result<Tensor, StyleError> {
    let side = 2 * REACH + 1;
    let largest = |x: &Tensor| x.f_max_pool2d([side, side], [1, 1], [REACH, REACH], [1, 1], false);
    let contrast = largest(content)?.f_add(&largest(&content.f_neg()?)?)?.f_amax([1], true)?;
    let outlines = contrast.f_div_scalar(OUTLINE)?.f_clamp_max(1.0)?.f_square()?;
    Ok(brought.alike.f_neg()?.f_add_scalar(1.0)?.f_mul(&outlines)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::{Scene, WarpedFrame, moving_outlines};

    const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

    fn at(map: &Tensor, x: i64, y: i64) -> f64 {
        map.double_value(&[0, 0, y, x])
    }

    /// Nothing is known to the left of column 20.
    fn brought() -> WarpedFrame {
        let plane = |channels: i64| Tensor::zeros([1, channels, 24, 40], CPU);
        let seen = plane(1);
        let _ = seen.narrow(3, 20, 20).fill_(1.0);
        WarpedFrame {
            painted: plane(3),
            strokes: plane(3),
            weights: seen.shallow_clone(),
            alike: seen.shallow_clone(),
            seen,
            motion: plane(2),
            maturity: plane(1),
            faces: plane(1),
        }
    }

    #[test]
    fn an_outline_counts_where_it_is_new_and_plain_ground_does_not() {
        let content = Tensor::full([1, 3, 24, 40], 0.5, CPU);
        // A strong edge at 8, a faint one at 14, and one at 30 that was there before.
        let _ = content.narrow(3, 8, 2).fill_(0.9);
        let _ = content.narrow(3, 14, 2).fill_(0.53);
        let _ = content.narrow(3, 30, 2).fill_(0.9);
        let moving = moving_outlines(&content, &brought()).unwrap();
        assert_eq!(at(&moving, 7, 12), 1.0);
        assert_eq!(at(&moving, 9, 0), 1.0, "at the picture's border, too");
        assert!((at(&moving, 14, 12) - 0.04).abs() < 1e-3, "{}", at(&moving, 14, 12));
        assert_eq!([at(&moving, 3, 12), at(&moving, 30, 12)], [0.0; 2]);
    }

    #[test]
    fn faces_count_in_content_and_light_and_outlines_beyond_that() {
        let map = |value: f64| Some(Tensor::full([1, 1, 4, 4], value, CPU));
        let content = || Tensor::zeros([1, 3, 4, 4], CPU);
        let corner = Tensor::zeros([1, 1, 8, 8], CPU);
        let _ = corner.narrow(2, 0, 1).narrow(3, 0, 2).fill_(0.25);
        let both = Scene { content: content(), faces: map(0.5), is_painted: true, moving: Some(corner) };
        assert_eq!(at(&both.content_counts(6.0).unwrap().unwrap(), 1, 1), 1.0 + 2.5);
        assert_eq!(at(&both.light_counts(6.0).unwrap().unwrap(), 1, 1), 1.0 + 2.5);
        let counts = both.moving_counts().unwrap().unwrap();
        assert_eq!([at(&counts, 0, 0), at(&counts, 3, 3)], [10.0, 0.0]);
        let glitter = Scene { moving: map(0.25), ..both };
        assert_eq!(at(&glitter.moving_counts().unwrap().unwrap(), 1, 1), 2.0, "all of the frame is new");
        let still = Scene { moving: map(0.0), ..glitter };
        assert_eq!(at(&still.moving_counts().unwrap().unwrap(), 1, 1), 0.0, "and no NaN");
        let bare = Scene { content: content(), faces: map(1.0), is_painted: false, moving: None };
        assert!(bare.moving_counts().unwrap().is_none());
        assert!(bare.content_counts(6.0).unwrap().is_none(), "a face has no colours yet");
        assert_eq!(at(&bare.light_counts(6.0).unwrap().unwrap(), 1, 1), 6.0);
    }
}
