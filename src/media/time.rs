//! Timestamps: copied from source to sink, never computed from a frame rate.

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

    /// `ticks` in seconds.
    pub fn seconds(self, ticks: i64) -> f64 {
        ticks as f64 * f64::from(self.num) / f64::from(self.den)
    }
}

/// When a frame is shown. `pts` and `duration` are in ticks of `base`, the source stream's time base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    pub pts: i64,
    pub duration: Option<i64>,
    pub base: TimeBase,
}
