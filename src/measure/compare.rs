//! Sums over pictures. Rows are summed in parallel and then added in order, so the number of threads does not change
//! the result.

use rayon::prelude::*;

/// Returns Σ M (a − b)² / Σ M over all planes; `None` if the mask is 0 everywhere. `weights` is one plane, `a` and `b`
/// are one or more planes.
pub(super) fn masked_mean_square(width: usize, weights: &[f32], a: &[f32], b: &[f32]) -> Option<f64> {
    let rows = weights.len() / width.max(1);
    let of_row = |(n, (a, b)): (usize, (&[f32], &[f32]))| {
        let weights = &weights[n % rows * width..][..width];
        let (mut sum, mut weight) = (0.0, 0.0);
        for ((&m, &a), &b) in weights.iter().zip(a).zip(b) {
            // Where the mask is 0, the samples may be meaningless.
            if m > 0.0 {
                sum += f64::from(m) * (f64::from(a) - f64::from(b)).powi(2);
                weight += f64::from(m);
            }
        }
        (sum, weight)
    };
    let of_rows: Vec<(f64, f64)> =
        a.par_chunks_exact(width.max(1)).zip(b.par_chunks_exact(width.max(1))).enumerate().map(of_row).collect();
    let (sum, weight) = of_rows.iter().fold((0.0, 0.0), |(s, w), (sum, weight)| (s + sum, w + weight));
    (weight > 0.0).then(|| sum / weight)
}

/// Returns the mean of `new` − `old` over the pixels that stand still; `None` if there are none.
pub(super) fn mean_change(old: &[f32], new: &[f32], standing: &[bool]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u64);
    for ((old, new), _) in old.iter().zip(new).zip(standing).filter(|(_, standing)| **standing) {
        sum += f64::from(*new) - f64::from(*old);
        count += 1;
    }
    (count > 0).then(|| sum / count as f64)
}

/// Returns the root mean square of (a − b) − (c − d).
pub(super) fn root_mean_square_of_changes(width: usize, [a, b, c, d]: [&[f32]; 4]) -> f64 {
    let square = |i: usize| (f64::from(a[i] - b[i]) - f64::from(c[i] - d[i])).powi(2);
    let rows: Vec<f64> = (0..a.len() / width.max(1))
        .into_par_iter()
        .map(|row| (row * width..(row + 1) * width).map(square).sum())
        .collect();
    (rows.iter().sum::<f64>() / a.len().max(1) as f64).sqrt()
}
