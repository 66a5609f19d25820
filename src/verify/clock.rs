//! Maps times of the first file to times of the second.

use super::allowed::Allowed;
use super::contents::Contents;
use super::difference::{Difference, seconds};
use crate::media::TimeBase;

/// The precision of times in floating-point seconds.
const EPSILON: f64 = 1e-6;

/// The relation between the clocks of the two files.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Clock {
    /// Seconds by which all streams of the second file are later.
    pub shift: f64,
}

impl Clock {
    /// Returns the shift between the first frames, if it is acceptable; otherwise returns it as a difference.
    pub fn of(a: &Contents, b: &Contents, allowed: &Allowed) -> Result<Self, Difference> {
        let (base_a, base_b) = (a.video.stream.base, b.video.stream.base);
        let (Some(&first_a), Some(&first_b)) = (a.video.frames.first(), b.video.frames.first()) else {
            return Ok(Self { shift: 0.0 });
        };
        let (begin_a, begin_b) = (base_a.seconds(first_a), base_b.seconds(first_b));
        let slack = half_tick(base_a, base_b);
        if (begin_b - begin_a).abs() <= slack {
            return Ok(Self { shift: 0.0 });
        }
        // Muxers shift by whole ticks of B.
        let shift = base_b.seconds(first_b.saturating_sub(base_a.convert(first_a, base_b)));
        let earliest = a.earliest(&allowed.left_out);
        // QuickTime's edit lists can hold audio before 0, but no picture.
        let needed = if b.container.is_quicktime() { -begin_a } else { -earliest };
        let is_needed = needed > 0.0 && (shift - needed).abs() <= slack + base_b.seconds(1);
        let no_choice = b.container.has_no_start() && begin_b.abs() <= slack;
        if is_needed || no_choice {
            return Ok(Self { shift });
        }
        Err(Difference::new("frame 1", "its time", seconds(begin_a), seconds(begin_b)))
    }

    /// Whether a frame at `a` in the first file matches one at `b` in the second, both in ticks.
    pub fn is_picture(self, (a, base_a): (i64, TimeBase), (b, base_b): (i64, TimeBase)) -> bool {
        (base_a.seconds(a) + self.shift - base_b.seconds(b)).abs() <= half_tick(base_a, base_b)
    }

    /// Whether two times in seconds match within two ticks of the coarser time base: times may be rounded more than
    /// once (when shifted, then when stored).
    pub fn is_near(self, a: f64, b: f64, base_a: TimeBase, base_b: TimeBase) -> bool {
        (a + self.shift - b).abs() <= 2.0 * one_tick(base_a, base_b)
    }
}

pub(super) fn half_tick(a: TimeBase, b: TimeBase) -> f64 {
    0.5 * a.seconds(1).max(b.seconds(1)) + EPSILON
}

pub(super) fn one_tick(a: TimeBase, b: TimeBase) -> f64 {
    a.seconds(1).max(b.seconds(1)) + EPSILON
}
