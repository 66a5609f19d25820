//! The strength setting, from "tinted photograph" to "all paint": how it scales the weights of the other settings. The
//! factors were measured: docs/networks.md.

use super::Settings;

/// The middle of the range, at which every weight keeps its configured value.
pub const MIDDLE: f64 = 0.5;

impl Settings {
    /// Returns beta at this strength: `loss.beta`, divided by 16 at 0 and multiplied by 1.6 at 1. A larger factor would
    /// not bring the picture closer to the painting.
    pub fn beta(&self) -> f64 {
        let base: f64 = if self.strength < MIDDLE { 16.0 } else { 1.6 };
        self.loss.beta * base.powf(2.0 * self.strength - 1.0)
    }

    /// Returns the luminance term's weight at this strength: `content.luminance`, times 2.25 at 0.
    pub fn luminance(&self) -> f64 {
        self.content.luminance * self.firmer()
    }

    /// Returns the chroma term's weight at this strength: `content.chroma`, times 2.25 at 0.
    pub fn chroma(&self) -> f64 {
        self.content.chroma * self.firmer()
    }

    /// Returns the weight of faces at this strength: `content.faces` up to the middle, falling to 1 at 1.
    pub fn faces(&self) -> f64 {
        1.0 + (self.content.faces - 1.0) * (2.0 - 2.0 * self.strength).min(1.0)
    }

    fn firmer(&self) -> f64 {
        2.25f64.powf((1.0 - 2.0 * self.strength).max(0.0))
    }

    /// Returns the share of fine detail at this strength: all of it at 0, `content.detail` from the middle on.
    pub fn detail(&self) -> f64 {
        let below = (1.0 - 2.0 * self.strength).max(0.0);
        self.content.detail + (1.0 - self.content.detail) * below
    }

    /// Returns the iterations at each size of a first frame: twice `optimizer.iterations[0]` at 1, because at that end
    /// more iterations help and more weight does not.
    pub fn first_iterations(&self) -> u32 {
        (f64::from(self.optimizer.iterations[0]) * (2.0 * self.strength).max(1.0)).round() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_changes_nothing_and_the_dial_is_monotone() {
        let at = |strength| {
            let settings = Settings { strength, ..Settings::default() };
            let kept = (settings.luminance(), settings.chroma(), settings.detail(), settings.faces());
            (settings.beta(), settings.first_iterations(), kept)
        };
        let own = Settings::default();
        let iterations = own.optimizer.iterations[0];
        let content = &own.content;
        let kept = (content.luminance, content.chroma, content.detail, content.faces);
        assert_eq!(at(0.5), (own.loss.beta, iterations, kept));
        let steps: Vec<_> = (0..=10).map(|tenth| at(f64::from(tenth) / 10.0)).collect();
        for pair in steps.windows(2) {
            assert!(pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1, "more style: {pair:?}");
            let (before, after) = (pair[0].2, pair[1].2);
            assert!(before.0 >= after.0 && before.1 >= after.1, "less of the scene: {pair:?}");
            assert!(before.2 >= after.2 && before.3 >= after.3, "less of the scene: {pair:?}");
        }
        assert_eq!((steps[0].2.2, steps[10].2.3, steps[10].1), (1.0, 1.0, 2 * iterations));
    }
}
