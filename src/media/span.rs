//! A part of a source's timeline.

use super::time::TimeBase;

/// The part of a source's timeline that is kept, and the offset that places it in the output, in ticks of the source's
/// video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub base: TimeBase,
    /// First tick that is kept.
    pub from: Option<i64>,
    /// First tick after the part.
    pub to: Option<i64>,
    /// Added to every timestamp.
    pub offset: i64,
}

impl Span {
    /// Returns whether a tick of `base` lies inside. The comparison is exact, in multiples of 1/(den * den).
    pub fn holds(&self, ticks: i64, base: TimeBase) -> bool {
        let here = i128::from(ticks) * i128::from(base.num) * i128::from(self.base.den);
        let there = |limit: i64| i128::from(limit) * i128::from(self.base.num) * i128::from(base.den);
        self.from.is_none_or(|from| here >= there(from)) && self.to.is_none_or(|to| here < there(to))
    }

    /// Clips an interval that begins at tick `begin` of `base` and lasts `duration`, and returns its begin and end. If
    /// the end is not after the begin, none of it lies inside.
    pub fn inside(&self, begin: i64, duration: i64, base: TimeBase) -> (i64, i64) {
        let limit = |ticks: i64| self.base.convert(ticks, base);
        let end = begin.saturating_add(duration);
        let from = self.from.map_or(begin, |from| begin.max(limit(from)));
        (from, self.to.map_or(end, |to| end.min(limit(to))))
    }
}
