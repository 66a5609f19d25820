//! A part of a source's clock.

use super::time::TimeBase;

/// The part of a source's clock that is kept and where it goes, in ticks of the source's video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub base: TimeBase,
    /// First tick kept.
    pub from: Option<i64>,
    /// First tick no longer kept.
    pub to: Option<i64>,
    /// Added to every timestamp.
    pub offset: i64,
}

impl Span {
    /// Whether a tick of `base` is inside. Compared exactly, as multiples of 1/(den * den).
    pub fn holds(&self, ticks: i64, base: TimeBase) -> bool {
        let here = i128::from(ticks) * i128::from(base.num) * i128::from(self.base.den);
        let there = |limit: i64| i128::from(limit) * i128::from(self.base.num) * i128::from(base.den);
        self.from.is_none_or(|from| here >= there(from)) && self.to.is_none_or(|to| here < there(to))
    }

    /// Begin and end of the part inside of what is shown from tick `begin` of `base` for `duration`; nothing is inside
    /// where the end is not after the begin.
    pub fn inside(&self, begin: i64, duration: i64, base: TimeBase) -> (i64, i64) {
        let limit = |ticks: i64| self.base.convert(ticks, base);
        let end = begin.saturating_add(duration);
        let from = self.from.map_or(begin, |from| begin.max(limit(from)));
        (from, self.to.map_or(end, |to| end.min(limit(to))))
    }
}
