//! The order in which a pass visits the frames of a shot.

/// The direction of a pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Forward,
    Backward,
}

/// The order of a pass over the frames 0..count of a shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traversal {
    count: usize,
    direction: Direction,
    first: usize,
    /// Whether the first frame follows the last one.
    ring: bool,
}

/// A power of the golden ratio: its multiples stay apart on a circle, and so do the starts of the passes. A small
/// power, because the second pass should soon reach the seam that the first one left, and have the rest of the ring to
/// even it out.
const GOLDEN: f64 = 0.145_898_033_750_315_4;

impl Traversal {
    /// Creates the order of a pass. Passes count from 1; odd ones go forward. In a shot with ends a pass begins at one
    /// of them; on a ring each pass begins in a different place, because it leaves its seam there.
    pub fn new(count: usize, pass: u32, ring: bool) -> Self {
        let direction = if pass % 2 == 1 { Direction::Forward } else { Direction::Backward };
        let turned = (f64::from(pass.saturating_sub(1)) * GOLDEN).fract() * count as f64;
        let first = match direction {
            _ if ring => (turned as usize).min(count.saturating_sub(1)),
            Direction::Forward => 0,
            Direction::Backward => count.saturating_sub(1),
        };
        Self { count, direction, first, ring }
    }

    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the frame at position `at`, counted in the direction of the pass. On a ring, positions wrap around in
    /// both directions; otherwise the result beyond the ends is `None`.
    pub fn frame(&self, at: isize) -> Option<usize> {
        if self.count == 0 || !(self.ring || (0..self.count as isize).contains(&at)) {
            return None;
        }
        let by = if self.direction == Direction::Forward { at } else { -at };
        Some((self.first as isize + by).rem_euclid(self.count as isize) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(order: Traversal, places: std::ops::Range<isize>) -> Vec<Option<usize>> {
        places.map(|at| order.frame(at)).collect()
    }

    #[test]
    fn a_shot_with_ends_is_gone_through_to_and_fro() {
        assert_eq!(frames(Traversal::new(3, 1, false), -1..4), [None, Some(0), Some(1), Some(2), None]);
        assert_eq!(frames(Traversal::new(3, 2, false), -1..4), [None, Some(2), Some(1), Some(0), None]);
        assert_eq!(Traversal::new(3, 3, false), Traversal::new(3, 1, false));
        assert_eq!(Traversal::new(0, 1, true).frame(0), None);
    }

    #[test]
    fn on_a_ring_each_pass_begins_elsewhere_and_meets_every_frame() {
        let count = 40;
        let mut seams = Vec::new();
        for pass in 1..=4 {
            let order = Traversal::new(count, pass, true);
            let mut met: Vec<_> = frames(order, 0..count as isize).into_iter().flatten().collect();
            // The seam lies between the last and the first frame of the pass; its number is that of the frame before
            // it.
            let (first, last) = (met[0], met[count - 1]);
            seams.push(if order.direction() == Direction::Forward { last } else { first });
            assert_eq!((order.frame(-1), order.frame(count as isize)), (Some(last), Some(first)));
            met.sort_unstable();
            assert_eq!(met, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(seams[0], count - 1, "the first pass goes from the first frame to the last");
        for (i, a) in seams.iter().enumerate() {
            for b in &seams[..i] {
                let apart = a.abs_diff(*b).min(count - a.abs_diff(*b));
                assert!(apart >= 3, "{seams:?}");
            }
        }
    }
}
