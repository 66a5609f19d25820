//! Composes the motion between neighbouring frames into motion over several frames.

use super::field::{FlowField, UNKNOWN};

impl FlowField {
    /// Composes this flow, from i to j, with `next`, from j to k, into the flow from i to k: w(p) + next(p + w(p)). It
    /// is unknown where the path leaves the frame.
    ///
    /// # Panics
    /// If the two have different sizes.
    pub fn then(&self, next: &Self) -> Self {
        assert_eq!((self.width, self.height), (next.width, next.height), "flows of one size");
        Self::from_fn(self.width, self.height, |x, y| {
            let [u, v] = self.at(x, y);
            next.sample(self.target(x, y)).map_or(UNKNOWN, |[du, dv]| [u + du, v + dv])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translations_add_up_inside_and_are_unknown_beyond() {
        let step = FlowField::from_fn(8, 6, |_, _| [2.0, -1.0]);
        let two = step.then(&step);
        assert_eq!(two.at(1, 3), [4.0, -2.0]);
        // (6, 3) leaves the frame with the first step, (5, 3) only at the end of the second.
        assert!(two.at(6, 3)[0].is_nan());
        assert_eq!(two.at(5, 3), [4.0, -2.0]);
    }

    #[test]
    fn the_second_flow_is_read_where_the_first_leads() {
        let step = FlowField::from_fn(4, 1, |_, _| [1.0, 0.0]);
        let ramp = FlowField::from_fn(4, 1, |x, _| [10.0 * x as f32, 0.0]);
        assert_eq!(step.then(&ramp).at(0, 0), [11.0, 0.0]);
        assert_eq!(ramp.then(&step).at(0, 0), [1.0, 0.0]);
    }
}
