//! The bleed: a strip around a picture that is painted along with it and then cut off, as printers do it. A pixel at a
//! border is seen from one side only, so a few iterations leave a strip there unpainted. In a mosaic, for example, that
//! strip has no stones. With a bleed, it lies outside the picture.

use tch::Tensor;

use super::optimizer::Curvature;
use super::scene::Scene;
use crate::stylize::StyleError;

/// Width of the strip, as a share of the long side, and its limits in pixels: about what the networks' middle layers see
/// around a pixel. A wider strip around a small picture would take much of the painting's style off with it.
const WIDTH: f64 = 1.0 / 27.0;
const WIDTHS: [f64; 2] = [3.0, 12.0];

/// The width of a strip on each side of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::stylize) struct Bleed(i64);

impl Bleed {
    /// Returns the bleed for a picture of the given size: 3 to 12 pixels, or as much as a mirror image can fill.
    pub fn around(height: i64, width: i64) -> Self {
        let wanted = (height.max(width) as f64 * WIDTH).clamp(WIDTHS[0], WIDTHS[1]).round() as i64;
        Self(wanted.min(height.min(width) - 1))
    }

    /// Adds the strip to `image` `[1,C,H,W]`, filled with the picture's mirror image.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn add(self, image: &Tensor) -> Result<Tensor, StyleError> {
        Ok(image.f_reflection_pad2d([self.0; 4])?)
    }

    /// Cuts the strip off, `[1,C,H,W]`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn cut(self, image: &Tensor) -> Result<Tensor, StyleError> {
        let (_, _, h, w) = image.size4()?;
        Ok(image.f_narrow(2, self.0, h - 2 * self.0)?.f_narrow(3, self.0, w - 2 * self.0)?.f_contiguous()?)
    }

    /// Cuts the strip off the pictures that a curvature is made of.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn cut_curvature(self, curvature: &Curvature) -> Result<Curvature, StyleError> {
        curvature.mapped(|picture| self.cut(picture))
    }

    /// Adds the strip to everything that `scene` shows.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn add_to(self, scene: &Scene) -> Result<Scene, StyleError> {
        let map = |map: &Option<Tensor>| map.as_ref().map(|map| self.add(map)).transpose();
        let content = self.add(&scene.content)?;
        Ok(Scene { content, faces: map(&scene.faces)?, moving: map(&scene.moving)?, ..*scene })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::Bleed;

    fn random(h: i64, w: i64) -> Tensor {
        tch::manual_seed(3);
        Tensor::rand([1, 3, h, w], (Kind::Float, Device::Cpu))
    }

    #[test]
    fn what_is_added_is_cut_off_again() {
        for ((h, w), wide) in [((40, 60), 3), ((180, 320), 12), ((400, 200), 12), ((4, 4), 3), ((2, 9), 1), ((1, 1), 0)]
        {
            let image = random(h, w);
            let bleed = Bleed::around(h, w);
            let whole = bleed.add(&image).unwrap();
            assert_eq!(whole.size(), [1, 3, h + 2 * wide, w + 2 * wide]);
            assert_eq!(bleed.cut(&whole).unwrap(), image);
            // The mirror image begins next to the border pixel, which is not repeated.
            if wide == 0 {
                continue;
            }
            assert_eq!(whole.narrow(3, wide - 1, 1), whole.narrow(3, wide + 1, 1));
        }
    }
}
