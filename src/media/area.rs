//! Downscaling of pictures: each output sample is the mean of the area that it covers.

use rayon::prelude::*;

/// Returns the size of a picture scaled down (never up) so that neither side is longer than `longest`.
pub fn within(width: usize, height: usize, longest: usize) -> (usize, usize) {
    let scale = (longest as f64 / width.max(height).max(1) as f64).min(1.0);
    let side = |length: usize| ((length as f64 * scale).round() as usize).max(1);
    (side(width), side(height))
}

/// Scales `planes`, any number of planes of `height * width` samples, down to `to` columns and rows. Neither may exceed
/// the original.
pub fn shrunk(planes: &[f32], (width, height): (usize, usize), to: (usize, usize)) -> Vec<f32> {
    if (width, height) == to {
        return planes.to_vec();
    }
    let (across, down) = (shares(width, to.0), shares(height, to.1));
    let count = planes.len() / (width * height).max(1);
    let mut small = vec![0.0; count * to.0 * to.1];
    small.par_chunks_exact_mut(to.0.max(1)).enumerate().for_each(|(n, out)| {
        let (plane, y) = (n / to.1, n % to.1);
        let plane = &planes[plane * width * height..][..width * height];
        let mut mean = vec![0.0; width];
        let (first, weights) = &down[y];
        for (row, weight) in plane.chunks_exact(width).skip(*first).zip(weights) {
            mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += weight * value);
        }
        for (out, (first, weights)) in out.iter_mut().zip(&across) {
            *out = mean[*first..].iter().zip(weights).map(|(value, weight)| value * weight).sum();
        }
    });
    small
}

/// Returns, for each of `to` output samples, the first of the `from` input samples that it covers and the weights of
/// that one and those after it.
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
        let planes: Vec<f32> = (0..60).map(|i| ((i % 5) + 10 * (i % 20 / 5) + 100 * (i / 20)) as f32).collect();
        let small = shrunk(&planes, (5, 4), (2, 2));
        // Columns 0, 1 and half of 2: mean 0.8; half of 2, 3 and 4: 3.2. Rows 0, 1: 5; 2, 3: 25.
        let expected = [5.8, 8.2, 25.8, 28.2];
        assert_eq!(small.len(), 12);
        for (i, value) in small.iter().enumerate() {
            assert!((value - expected[i % 4] - 100.0 * (i / 4) as f32).abs() < 1e-4, "{i}: {value}");
        }
        assert_eq!(shrunk(&planes, (5, 4), (5, 4)), planes);
    }

    #[test]
    fn the_longer_side_is_limited() {
        assert_eq!(within(1920, 1080, 480), (480, 270));
        assert_eq!(within(100, 480, 480), (100, 480));
        assert_eq!(within(4000, 1, 100), (100, 1));
    }
}
