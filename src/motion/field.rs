//! A dense optical flow field.

use rayon::prelude::*;

/// The displacement of each pixel of a frame: `height * width` vectors in row-major order, in pixels of that frame, x
/// to the right and y down. A vector that is not finite means that the pixel's motion is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowField {
    pub width: usize,
    pub height: usize,
    pub vectors: Vec<[f32; 2]>,
}

/// The vector of a pixel whose motion is unknown.
pub const UNKNOWN: [f32; 2] = [f32::NAN; 2];

impl FlowField {
    /// Returns a field without motion.
    pub fn still(width: usize, height: usize) -> Self {
        Self { width, height, vectors: vec![[0.0; 2]; width * height] }
    }

    /// Creates a field from the vector at each pixel `(x, y)`.
    pub fn from_fn(width: usize, height: usize, vector: impl Fn(usize, usize) -> [f32; 2] + Sync) -> Self {
        let mut vectors = vec![[0.0; 2]; width * height];
        vectors.par_chunks_exact_mut(width.max(1)).enumerate().for_each(|(y, row)| {
            row.iter_mut().enumerate().for_each(|(x, value)| *value = vector(x, y));
        });
        Self { width, height, vectors }
    }

    pub fn at(&self, x: usize, y: usize) -> [f32; 2] {
        self.vectors[y * self.width + x]
    }

    /// Returns the position of pixel `(x, y)` in the other frame.
    pub fn target(&self, x: usize, y: usize) -> [f32; 2] {
        let [u, v] = self.at(x, y);
        [x as f32 + u, y as f32 + v]
    }

    /// Returns whether a point lies within the outermost pixel centres, where it can be interpolated; false for a point
    /// that is not finite.
    pub fn contains(&self, [x, y]: [f32; 2]) -> bool {
        (0.0..=(self.width - 1) as f32).contains(&x) && (0.0..=(self.height - 1) as f32).contains(&y)
    }

    /// Interpolates the vector at a point bilinearly; `None` outside.
    pub fn sample(&self, point: [f32; 2]) -> Option<[f32; 2]> {
        if !self.contains(point) {
            return None;
        }
        let [x, y] = point;
        // The coordinates are not negative, so truncation rounds down, and is cheaper.
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = ((left + 1).min(self.width - 1), (top + 1).min(self.height - 1));
        let (fx, fy) = (x - left as f32, y - top as f32);
        // A neighbour with weight 0 must not matter, even if it is unknown.
        let along = |y: usize| if fx == 0.0 { self.at(left, y) } else { lerp(self.at(left, y), self.at(right, y), fx) };
        Some(if fy == 0.0 { along(top) } else { lerp(along(top), along(bottom), fy) })
    }

    /// Returns the same motion on a grid of another size: vectors are interpolated and scaled with the frame.
    pub fn resized(&self, width: usize, height: usize) -> Self {
        if (width, height) == (self.width, self.height) {
            return self.clone();
        }
        let (across, down) = (width as f32 / self.width as f32, height as f32 / self.height as f32);
        // Edges are aligned, so pixel centres map as x' + 1/2 = across * (x + 1/2).
        let place =
            |at: usize, scale: f32, size: usize| ((at as f32 + 0.5) / scale - 0.5).clamp(0.0, (size - 1) as f32);
        Self::from_fn(width, height, |x, y| {
            let point = [place(x, across, self.width), place(y, down, self.height)];
            let [u, v] = self.sample(point).unwrap_or(UNKNOWN);
            [u * across, v * down]
        })
    }
}

fn lerp(a: [f32; 2], b: [f32; 2], t: f32) -> [f32; 2] {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sampling_is_bilinear_and_ends_at_the_outer_centres() {
        let field = FlowField::from_fn(3, 2, |x, y| [x as f32, 10.0 * y as f32]);
        assert_eq!(field.sample([0.5, 0.25]), Some([0.5, 2.5]));
        assert_eq!(field.sample([2.0, 1.0]), Some([2.0, 10.0]));
        for outside in [[-0.01, 0.0], [2.01, 0.0], [0.0, 1.01], [f32::NAN, 0.0]] {
            assert_eq!(field.sample(outside), None, "{outside:?}");
        }
    }

    #[test]
    fn an_unknown_neighbour_of_no_weight_does_not_count() {
        let mut field = FlowField::still(2, 2);
        field.vectors[1] = UNKNOWN;
        assert_eq!(field.sample([0.0, 0.5]), Some([0.0, 0.0]));
        assert!(field.sample([0.5, 0.0]).unwrap()[0].is_nan());
    }

    #[test]
    fn resizing_scales_the_vectors() {
        let field = FlowField::from_fn(4, 4, |_, _| [1.5, -2.0]);
        let wide = field.resized(8, 4);
        assert_eq!((wide.width, wide.height), (8, 4));
        assert!(wide.vectors.iter().all(|&vector| vector == [3.0, -2.0]));
        // A linear field stays linear away from the edges.
        let ramp = FlowField::from_fn(8, 8, |x, _| [x as f32 + 0.5, 0.0]).resized(16, 16);
        assert!((ramp.at(8, 8)[0] - 8.5).abs() < 1e-5, "{:?}", ramp.at(8, 8));
    }
}
