//! Warps pictures along a flow.

use rayon::prelude::*;

use super::FlowField;

impl FlowField {
    /// Warps planes of another frame onto this flow's grid: the sample at p is that of `planes` at p + w(p), bilinear.
    /// `planes` holds one or more planes of `height * width` samples, one after another, and so does the result. Where
    /// the flow leaves the frame or is unknown, the result is 0 and must be masked out.
    ///
    /// Displacements by whole pixels copy samples exactly, so static parts do not blur from frame to frame.
    ///
    /// # Panics
    /// If the planes and the flow have different sizes.
    pub fn warp(&self, planes: &[f32]) -> Vec<f32> {
        self.sampled(planes, Self::bilinear)
    }

    /// Like [`FlowField::warp`], with the bicubic kernel of Keys (1981, a = -1/2; Catmull-Rom). A picture that is
    /// warped from frame to frame keeps its fine strokes, which bilinear sampling would wash out within a dozen frames.
    ///
    /// # Panics
    /// If the planes and the flow have different sizes.
    pub fn carry(&self, planes: &[f32]) -> Vec<f32> {
        self.sampled(planes, Self::bicubic)
    }

    fn sampled(&self, planes: &[f32], sample: impl Fn(&Self, &[f32], f32, f32) -> f32 + Sync) -> Vec<f32> {
        let plane = self.width * self.height;
        assert!(plane > 0 && planes.len().is_multiple_of(plane), "planes of the flow's size");
        let mut out = vec![0.0; planes.len()];
        out.par_chunks_exact_mut(self.width).enumerate().for_each(|(row, out)| {
            let (source, y) = (&planes[row / self.height * plane..][..plane], row % self.height);
            for (x, value) in out.iter_mut().enumerate() {
                let [tx, ty] = self.target(x, y);
                if self.contains([tx, ty]) {
                    *value = sample(self, source, tx, ty);
                }
            }
        });
        out
    }

    /// Interpolates bicubically over 4 x 4 samples at a point inside; edge samples are repeated.
    fn bicubic(&self, plane: &[f32], x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (across, down) = (cubic_weights(x - left), cubic_weights(y - top));
        let near = |at: f32, by: usize, size: usize| (at as usize + by).saturating_sub(1).min(size - 1);
        let columns: [usize; 4] = std::array::from_fn(|i| near(left, i, self.width));
        let mut sum = 0.0;
        for (i, weight) in down.iter().enumerate() {
            let row = &plane[near(top, i, self.height) * self.width..][..self.width];
            let along: f32 = columns.iter().zip(&across).map(|(&column, weight)| weight * row[column]).sum();
            sum += weight * along;
        }
        sum
    }

    /// Interpolates bilinearly at a point inside.
    fn bilinear(&self, plane: &[f32], x: f32, y: f32) -> f32 {
        // The coordinates are not negative, so truncation rounds down, and is cheaper.
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let at = |x: usize, y: usize| plane[y * self.width + x];
        let upper = at(left, top) + (at(right, top) - at(left, top)) * fx;
        let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * fx;
        upper + (lower - upper) * fy
    }
}

/// Returns the weights of the samples at -1, 0, 1 and 2 for a point at `t` in 0..1; exactly 0, 1, 0, 0 for t = 0.
fn cubic_weights(t: f32) -> [f32; 4] {
    let (t2, t3) = (t * t, t * t * t);
    [-0.5 * t3 + t2 - 0.5 * t, 1.5 * t3 - 2.5 * t2 + 1.0, -1.5 * t3 + 2.0 * t2 + 0.5 * t, 0.5 * t3 - 0.5 * t2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_pixels_are_copied_exactly() {
        let planes: Vec<f32> = (0..24).map(|i| (i as f32 * 0.737).sin()).collect();
        let flow = FlowField::from_fn(4, 3, |_, _| [1.0, -1.0]);
        for warped in [flow.warp(&planes), flow.carry(&planes)] {
            for (i, &value) in warped.iter().enumerate() {
                let (plane, x, y) = (i / 12, i % 4, i % 12 / 4);
                let expected = if x == 3 || y == 0 { 0.0 } else { planes[plane * 12 + (y - 1) * 4 + x + 1] };
                assert_eq!(value, expected, "({x}, {y})");
            }
        }
    }

    #[test]
    fn a_parabola_is_carried_exactly_inside() {
        let (w, h) = (9, 8);
        let value = |x: f32, y: f32| 0.3 + 0.1 * x - 0.02 * x * x + 0.05 * y + 0.01 * y * y + 0.03 * x * y;
        let planes: Vec<f32> = (0..w * h).map(|i| value((i % w) as f32, (i / w) as f32)).collect();
        let carried = FlowField::from_fn(w, h, |_, _| [0.3, -0.6]).carry(&planes);
        for (x, y) in [(2, 2), (4, 5), (5, 4)] {
            let expected = value(x as f32 + 0.3, y as f32 - 0.6);
            assert!((carried[y * w + x] - expected).abs() < 1e-5, "({x}, {y})");
        }
    }

    #[test]
    fn between_pixels_is_between_their_values() {
        let flow = FlowField::from_fn(2, 2, |_, _| [0.5, 0.0]);
        assert_eq!(flow.warp(&[1.0, 3.0, 5.0, 9.0]), [2.0, 0.0, 7.0, 0.0]);
    }
}
