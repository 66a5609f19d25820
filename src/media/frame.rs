//! Frames as they pass through the pipeline: owned pixels with their timing.

use rayon::prelude::*;

use super::time::Timing;

/// Weights of R, G, B in BT.709 luma.
pub const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// One decoded or stylised frame. `index` counts from 0 in display order.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub pixels: Pixels,
    pub timing: Timing,
    pub index: u64,
}

/// A picture as planar float RGB, `[3,H,W]` in row-major order, each sample in 0..=1 (gamma-encoded, as displayed).
///
/// The networks take float planes (a plane is a tensor's channel), and floats hold 8-bit and 10-bit sources alike. So
/// there is one representation, with one conversion at each end.
#[derive(Debug, Clone, PartialEq)]
pub struct Pixels {
    pub width: usize,
    pub height: usize,
    /// R plane, G plane, B plane; `3 * width * height` samples.
    pub rgb: Vec<f32>,
    /// Opacity, `width * height` samples in 0..=1; `None` means opaque. The network never sees it.
    pub alpha: Option<Vec<f32>>,
}

impl Pixels {
    /// Returns an opaque black picture.
    pub fn black(width: usize, height: usize) -> Self {
        Self { width, height, rgb: vec![0.0; 3 * width * height], alpha: None }
    }

    /// Converts interleaved 8-bit RGB, `3 * width * height` bytes.
    pub fn from_rgb8(width: usize, height: usize, bytes: &[u8]) -> Self {
        assert_eq!(bytes.len(), 3 * width * height, "RGB bytes must fill the picture");
        let mut rgb = vec![0.0; bytes.len()];
        rgb.par_chunks_exact_mut((width * height).max(1)).enumerate().for_each(|(channel, plane)| {
            for (sample, pixel) in plane.iter_mut().zip(bytes.chunks_exact(3)) {
                *sample = f32::from(pixel[channel]) / 255.0;
            }
        });
        Self { width, height, rgb, alpha: None }
    }

    /// Returns interleaved 8-bit RGB, rounded to nearest and clamped.
    pub fn to_rgb8(&self) -> Vec<u8> {
        let plane = self.width * self.height;
        let mut bytes = vec![0; 3 * plane];
        bytes.par_chunks_exact_mut(3 * self.width.max(1)).enumerate().for_each(|(y, row)| {
            for (x, pixel) in row.chunks_exact_mut(3).enumerate() {
                for (channel, value) in pixel.iter_mut().enumerate() {
                    *value = to_u8(self.rgb[channel * plane + y * self.width + x]);
                }
            }
        });
        bytes
    }

    /// Returns the BT.709 luma of each pixel, `height * width` values in 0..=1.
    pub fn luma(&self) -> Vec<f32> {
        let plane = self.width * self.height;
        let (red, rest) = self.rgb.split_at(plane);
        let (green, blue) = rest.split_at(plane);
        let weighted = |((r, g), b): ((&f32, &f32), &f32)| LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
        red.iter().zip(green).zip(blue).map(weighted).collect()
    }

    /// Returns the bytes of memory that the samples occupy, for sizing the channels between stages.
    pub fn bytes(&self) -> usize {
        4 * (self.rgb.len() + self.alpha.as_ref().map_or(0, Vec::len))
    }
}

/// Maps 0..=1 to 0..=255, rounded to nearest; NaN becomes 0.
pub fn to_u8(value: f32) -> u8 {
    // `as` saturates and maps NaN to 0.
    (value * 255.0).round() as u8
}
