//! The greyscale picture that optical flow is estimated on.

use crate::media::{Pixels, area};

/// The luma of a picture: `height * width` bytes in row-major order, 0..=255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Luma {
    pub width: usize,
    pub height: usize,
    pub samples: Vec<u8>,
}

impl Luma {
    /// Computes the BT.709 luma of `pixels`, scaled down (never up) so that neither side is longer than `longest`: each
    /// sample is the mean of the area that it covers.
    pub fn of(pixels: &Pixels, longest: usize) -> Self {
        Self::shrunk(&pixels.luma(), pixels.width, pixels.height, longest)
    }

    /// Returns the picture scaled down (never up) in the same way.
    pub fn smaller(&self, longest: usize) -> Self {
        let samples: Vec<f32> = self.samples.iter().map(|&sample| f32::from(sample) / 255.0).collect();
        Self::shrunk(&samples, self.width, self.height, longest)
    }

    fn shrunk(full: &[f32], width: usize, height: usize, longest: usize) -> Self {
        let (w, h) = area::within(width, height, longest);
        let small = area::shrunk(full, (width, height), (w, h));
        Self { width: w, height: h, samples: small.into_iter().map(|value| (value * 255.0).round() as u8).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_limited_and_means_are_kept() {
        let mut pixels = Pixels::black(30, 12);
        for (i, value) in pixels.rgb.iter_mut().enumerate() {
            *value = (i % 30) as f32 / 29.0;
        }
        let luma = Luma::of(&pixels, 10);
        assert_eq!((luma.width, luma.height), (10, 4));
        // Each sample covers three columns, whose mean is the middle one.
        let expected: Vec<u8> = (0..10).map(|x| ((3 * x + 1) as f32 / 29.0 * 255.0).round() as u8).collect();
        assert_eq!(luma.samples[..10], expected);
        assert_eq!(luma.samples[30..], expected);
        assert_eq!(Luma::of(&pixels, 100).width, 30);
    }

    #[test]
    fn luma_weighs_the_channels() {
        let mut pixels = Pixels::black(1, 1);
        pixels.rgb = vec![1.0, 0.0, 0.0];
        assert_eq!(Luma::of(&pixels, 8).samples, [54]);
        pixels.rgb = vec![0.0, 1.0, 0.0];
        assert_eq!(Luma::of(&pixels, 8).samples, [182]);
    }
}
