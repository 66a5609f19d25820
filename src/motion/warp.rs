//! Carrying a picture along a flow.

use rayon::prelude::*;

use super::FlowField;

impl FlowField {
    /// Brings planes of another frame onto this flow's grid: the sample at p is that of `planes` at p + w(p), bilinear.
    /// `planes` is one or more planes of `height * width`, one after another, and so is the result. Where the flow leads
    /// out of the frame or is unknown there is no sample: it is 0, and a mask must leave it out.
    ///
    /// A whole number of pixels copies samples exactly: what stands still does not blur from frame to frame.
    ///
    /// # Panics
    /// When the planes are of another size than the flow.
    pub fn warp(&self, planes: &[f32]) -> Vec<f32> {
        let plane = self.width * self.height;
        assert!(plane > 0 && planes.len().is_multiple_of(plane), "planes of the flow's size");
        let mut out = vec![0.0; planes.len()];
        out.par_chunks_exact_mut(self.width).enumerate().for_each(|(row, out)| {
            let (source, y) = (&planes[row / self.height * plane..][..plane], row % self.height);
            for (x, value) in out.iter_mut().enumerate() {
                let [tx, ty] = self.target(x, y);
                if self.contains([tx, ty]) {
                    *value = self.interpolated(source, tx, ty);
                }
            }
        });
        out
    }

    /// Bilinear, at a point inside.
    fn interpolated(&self, plane: &[f32], x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let (left, top) = (left as usize, top as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let at = |x: usize, y: usize| plane[y * self.width + x];
        let upper = at(left, top) + (at(right, top) - at(left, top)) * fx;
        let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * fx;
        upper + (lower - upper) * fy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_pixels_are_copied_exactly() {
        let planes: Vec<f32> = (0..24).map(|i| (i as f32 * 0.737).sin()).collect();
        let flow = FlowField::from_fn(4, 3, |_, _| [1.0, -1.0]);
        let warped = flow.warp(&planes);
        for (i, &value) in warped.iter().enumerate() {
            let (plane, x, y) = (i / 12, i % 4, i % 12 / 4);
            let expected = if x == 3 || y == 0 { 0.0 } else { planes[plane * 12 + (y - 1) * 4 + x + 1] };
            assert_eq!(value, expected, "({x}, {y})");
        }
    }

    #[test]
    fn between_pixels_is_between_their_values() {
        let flow = FlowField::from_fn(2, 2, |_, _| [0.5, 0.0]);
        assert_eq!(flow.warp(&[1.0, 3.0, 5.0, 9.0]), [2.0, 0.0, 7.0, 0.0]);
    }
}
