//! Pictures made smaller.

use rayon::prelude::*;

use crate::media::Pixels;

/// `pixels` with so many columns and rows, no more than it has; each sample is the mean of the area that it covers.
pub(super) fn shrunk(pixels: &Pixels, width: usize, height: usize) -> Pixels {
    if (pixels.width, pixels.height) == (width, height) {
        return Pixels { width, height, rgb: pixels.rgb.clone(), alpha: None };
    }
    let (across, down) = (shares(pixels.width, width), shares(pixels.height, height));
    let mut rgb = vec![0.0; 3 * width * height];
    rgb.par_chunks_exact_mut(width.max(1)).enumerate().for_each(|(n, out)| {
        let (channel, y) = (n / height, n % height);
        let plane = &pixels.rgb[channel * pixels.width * pixels.height..][..pixels.width * pixels.height];
        let mut mean = vec![0.0; pixels.width];
        let (first, weights) = &down[y];
        for (row, weight) in plane.chunks_exact(pixels.width).skip(*first).zip(weights) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += weight * value);
        }
        for (out, (first, weights)) in out.iter_mut().zip(&across) {
            *out = mean[*first..].iter().zip(weights).map(|(value, weight)| value * weight).sum();
        }
    });
    Pixels { width, height, rgb, alpha: None }
}

/// For each of `to` samples: the first of `from` that it covers, and the shares of that one and the next.
fn shares(from: usize, to: usize) -> Vec<(usize, Vec<f32>)> {
    let step = from as f64 / to.max(1) as f64;
    let share = |at: usize| {
        let (begin, end) = (at as f64 * step, (at + 1) as f64 * step);
        let (first, last) = (begin as usize, (end.ceil() as usize).min(from));
        let covered = |i: usize| (end.min((i + 1) as f64) - begin.max(i as f64)).max(0.0);
        (first, (first..last).map(|i| (covered(i) / step) as f32).collect())
    };
    (0..to).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_is_the_mean_of_its_area() {
        let mut pixels = Pixels::black(5, 4);
        for (i, value) in pixels.rgb.iter_mut().enumerate() {
            *value = ((i % 5) + 10 * (i % 20 / 5)) as f32 + 100.0 * (i / 20) as f32;
        }
        let small = shrunk(&pixels, 2, 2);
        // Columns 0, 1 and half of 2: mean 0.8; half of 2, 3 and 4: 3.2. Rows 0, 1: 5; 2, 3: 25.
        let expected = [5.8, 8.2, 25.8, 28.2];
        for (i, value) in small.rgb.iter().enumerate() {
            assert!((value - expected[i % 4] - 100.0 * (i / 4) as f32).abs() < 1e-4, "{i}: {value}");
        }
        assert_eq!(shrunk(&pixels, 5, 4), pixels);
    }
}
