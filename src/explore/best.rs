//! The nine strongest activations of a unit, at most one per picture.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// Number of activations kept: a grid of three by three.
pub const KEPT: usize = 9;

/// Identifies a picture of the survey: input and frame, both counted from 0, ordered as they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    pub entry: usize,
    pub frame: u64,
}

/// One strong activation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Best {
    pub value: f32,
    pub place: Place,
    /// Seconds from the beginning, for a frame of a video.
    pub seconds: Option<f64>,
    /// Position in the unit's feature map.
    pub y: i64,
    pub x: i64,
}

impl Best {
    /// Orders by strength, strongest first, then by picture, so that the result depends only on the inputs.
    fn order(&self, other: &Self) -> Ordering {
        other.value.total_cmp(&self.value).then(self.place.cmp(&other.place))
    }
}

/// The strongest activations offered so far, strongest first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Nine(Vec<Best>);

impl Nine {
    /// Adds the strongest activation in one picture if it is among the nine; returns whether it was. Values that are
    /// not positive and finite are ignored, in particular the constant 0 of a dead unit.
    pub fn offer(&mut self, best: Best) -> bool {
        if best.value.is_nan() || best.value <= 0.0 || best.value.is_infinite() {
            return false;
        }
        let at = self.0.partition_point(|kept| kept.order(&best).is_lt());
        if at >= KEPT {
            return false;
        }
        self.0.insert(at, best);
        self.0.truncate(KEPT);
        true
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Best> {
        self.0.iter()
    }

    /// Returns the strongest activation; 0 for a unit that was never active.
    pub fn peak(&self) -> f32 {
        self.0.first().map_or(0.0, |best| best.value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn best(value: f32, entry: usize) -> Best {
        Best { value, place: Place { entry, frame: 0 }, seconds: None, y: 0, x: 0 }
    }

    #[test]
    fn the_strongest_nine_stay_whatever_the_order() {
        let values: Vec<f32> = (0..200).map(|i| ((i * 7919) % 50) as f32).collect();
        let mut wanted: Vec<Best> = values.iter().enumerate().map(|(i, &value)| best(value, i)).collect();
        wanted.sort_by(|a, b| b.value.partial_cmp(&a.value).unwrap().then(a.place.entry.cmp(&b.place.entry)));
        wanted.truncate(KEPT);
        for step in [1, 3, 7, 199] {
            let mut nine = Nine::default();
            for i in (0..200).map(|i| i * step % 200) {
                let _ = nine.offer(best(values[i], i));
            }
            assert_eq!(nine.0, wanted, "step {step}");
        }
    }

    #[test]
    fn what_is_no_activation_is_not_kept() {
        let mut nine = Nine::default();
        for value in [0.0, -0.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(!nine.offer(best(value, 0)), "{value}");
        }
        assert_eq!(nine.peak(), 0.0);
        assert!(nine.offer(best(1e-30, 0)));
    }
}
