//! Face candidates as boxes: non-maximum suppression, regression, squaring.

/// Boxes are around the same object if the distance of their centres is less than this share of their width.
const SAME: f64 = 0.4;

/// A box in pixels and the network's confidence, 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
    pub score: f64,
}

/// The denominator of an overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// The area of the union.
    Union,
    /// The area of the smaller box.
    Smaller,
}

impl Candidate {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Returns the centre: column and row.
    pub fn middle(&self) -> [f64; 2] {
        [(self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0]
    }

    /// Returns whether both boxes are around the same object, judging by their centres.
    pub fn is_beside(&self, other: &Self) -> bool {
        let ([x, y], [other_x, other_y]) = (self.middle(), other.middle());
        (x - other_x).hypot(y - other_y) < SAME * self.width().max(other.width())
    }

    fn area(&self) -> f64 {
        self.width().max(0.0) * self.height().max(0.0)
    }

    /// Returns the box with its sides moved by `by` (left, top, right, bottom), in units of its width and height.
    pub fn corrected(self, by: [f64; 4]) -> Self {
        let (w, h) = (self.width(), self.height());
        Self {
            left: self.left + by[0] * w,
            top: self.top + by[1] * h,
            right: self.right + by[2] * w,
            bottom: self.bottom + by[3] * h,
            ..self
        }
    }

    /// Returns the square with the same centre and the length of the longer side.
    pub fn squared(self) -> Self {
        let half = self.width().max(self.height()) / 2.0;
        let [x, y] = self.middle();
        Self { left: x - half, top: y - half, right: x + half, bottom: y + half, ..self }
    }

    fn overlap(&self, other: &Self, share: Share) -> f64 {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        let both = across.max(0.0) * down.max(0.0);
        let whole = match share {
            Share::Union => self.area() + other.area() - both,
            Share::Smaller => self.area().min(other.area()),
        };
        if whole > 0.0 { both / whole } else { 0.0 }
    }
}

/// Non-maximum suppression: drops every box that overlaps a more confident one by more than `most`. The most confident
/// box comes first.
pub(super) fn distinct(mut boxes: Vec<Candidate>, most: f64, share: Share) -> Vec<Candidate> {
    boxes.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Candidate> = Vec::new();
    for candidate in boxes {
        if kept.iter().all(|sure| sure.overlap(&candidate, share) <= most) {
            kept.push(candidate);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(left: f64, top: f64, side: f64, score: f64) -> Candidate {
        Candidate { left, top, right: left + side, bottom: top + side, score }
    }

    #[test]
    fn the_surer_of_two_that_overlap_stays() {
        let boxes = vec![square(1.0, 0.0, 10.0, 0.6), square(0.0, 0.0, 10.0, 0.9), square(30.0, 0.0, 10.0, 0.7)];
        let scores = |most, share| distinct(boxes.clone(), most, share).iter().map(|b| b.score).collect::<Vec<_>>();
        assert_eq!(scores(0.5, Share::Union), [0.9, 0.7]);
        // 90 of 110.
        assert_eq!(scores(0.82, Share::Union), [0.9, 0.7, 0.6]);
        assert_eq!(scores(0.89, Share::Smaller), [0.9, 0.7]);
    }

    #[test]
    fn a_small_box_in_a_large_one_is_the_same_face_by_the_smaller_area() {
        let boxes = vec![square(0.0, 0.0, 40.0, 0.9), square(10.0, 10.0, 10.0, 0.8)];
        assert_eq!(distinct(boxes.clone(), 0.7, Share::Union).len(), 2);
        assert_eq!(distinct(boxes, 0.7, Share::Smaller).len(), 1);
    }

    #[test]
    fn corrections_are_in_units_of_the_box() {
        let moved = square(10.0, 20.0, 10.0, 1.0).corrected([0.1, -0.1, 0.2, 0.4]);
        assert_eq!((moved.left, moved.top, moved.right, moved.bottom), (11.0, 19.0, 22.0, 34.0));
        let squared = moved.squared();
        assert_eq!((squared.width(), squared.height(), squared.middle()), (15.0, 15.0, moved.middle()));
    }
}
