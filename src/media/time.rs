//! Timestamps: copied from source to sink, never computed from a frame rate.

use ffmpeg_next::{Rational, Rescale};

/// Seconds per tick, as a fraction (`1/90000`, `1001/30000`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeBase {
    pub num: i32,
    pub den: i32,
}

impl TimeBase {
    pub const fn new(num: i32, den: i32) -> Self {
        Self { num, den }
    }

    /// Converts `ticks` to seconds.
    pub fn seconds(self, ticks: i64) -> f64 {
        ticks as f64 * f64::from(self.num) / f64::from(self.den)
    }

    /// Returns the first tick at or after `seconds`. A slack of a thousandth of a tick absorbs the rounding of decimal
    /// numbers (as a float, `0.04` is slightly more than 1/25).
    pub fn ticks(self, seconds: f64) -> i64 {
        (seconds * f64::from(self.den) / f64::from(self.num) - 1e-3).ceil() as i64
    }

    /// Converts `ticks` of this base to ticks of `to`, rounded to nearest.
    pub fn convert(self, ticks: i64, to: Self) -> i64 {
        ticks.rescale(self, to)
    }
}

impl From<TimeBase> for Rational {
    fn from(base: TimeBase) -> Self {
        Self::new(base.num, base.den)
    }
}

impl From<Rational> for TimeBase {
    fn from(rational: Rational) -> Self {
        Self::new(rational.numerator(), rational.denominator())
    }
}

/// When a frame is shown. `pts` and `duration` are in ticks of `base`, the source stream's time base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub pts: i64,
    pub duration: Option<i64>,
    pub base: TimeBase,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_the_first_tick_at_or_after_them() {
        let base = TimeBase::new(1, 25);
        assert_eq!(base.ticks(0.04), 1);
        assert_eq!(base.ticks(0.041), 2);
        assert_eq!(base.ticks(0.0), 0);
        assert_eq!(TimeBase::new(1001, 30000).ticks(1.001), 30);
    }

    #[test]
    fn bases_convert_to_nearest() {
        assert_eq!(TimeBase::new(1001, 30000).convert(3, TimeBase::new(1, 30000)), 3003);
        assert_eq!(TimeBase::new(1, 90000).convert(46, TimeBase::new(1, 1000)), 1);
    }
}
