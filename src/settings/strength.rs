//! One dial from "tinted photograph" to "all paint": what it makes of the weights that the other settings give.

use super::Settings;

/// The middle of the dial: there every weight is what its own setting says.
pub const MIDDLE: f64 = 0.5;

/// beta is multiplied by this at 1, and divided by it at 0.
const BETA: f64 = 30.0;

impl Settings {
    /// beta at this strength: `loss.beta` times 30^(2 strength - 1).
    pub fn beta(&self) -> f64 {
        self.loss.beta * BETA.powf(2.0 * (self.strength - MIDDLE))
    }

    /// The luminance term's weight at this strength: `content.luminance` in the lower half, falling to 0 at 1.
    pub fn luminance(&self) -> f64 {
        self.content.luminance * self.fall()
    }

    /// The share of fine detail at this strength: `content.detail` in the middle, 1 at 0, half of it at 1.
    pub fn detail(&self) -> f64 {
        let detail = self.content.detail;
        if self.strength < MIDDLE {
            detail + (1.0 - detail) * (MIDDLE - self.strength) / MIDDLE
        } else {
            detail * (0.5 + 0.5 * self.fall())
        }
    }

    /// 1 up to the middle, then down to 0 at full strength.
    fn fall(&self) -> f64 {
        ((1.0 - self.strength) / (1.0 - MIDDLE)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_changes_nothing_and_the_dial_is_monotone() {
        let at = |strength| {
            let mut settings = Settings { strength, ..Settings::default() };
            settings.content.luminance = 2.0;
            (settings.beta(), settings.luminance(), settings.detail())
        };
        let own = Settings::default();
        assert_eq!(at(0.5), (own.loss.beta, 2.0, own.content.detail));
        let steps: Vec<_> = (0..=10).map(|tenth| at(f64::from(tenth) / 10.0)).collect();
        for pair in steps.windows(2) {
            assert!(pair[0].0 < pair[1].0, "more style: {pair:?}");
            assert!(pair[0].1 >= pair[1].1 && pair[0].2 > pair[1].2, "less of the scene: {pair:?}");
        }
        assert_eq!((steps[0].2, steps[10].1), (1.0, 0.0));
    }
}
