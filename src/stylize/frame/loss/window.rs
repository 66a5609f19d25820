//! Parts of a frame: which places of the frame's maps a part shows, and which of them count.

use tch::Tensor;

use crate::stylize::StyleError;

/// Rows or columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: i64,
    /// The first one behind.
    pub to: i64,
}

impl Span {
    pub fn new(from: i64, to: i64) -> Self {
        Self { from, to: to.max(from) }
    }

    pub fn length(self) -> i64 {
        self.to - self.from
    }
}

/// Where the map `[1,C,h,w]` of a part lies in the map of the whole frame. Arrays hold rows, then columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Height and width of the whole frame's map.
    pub whole: [i64; 2],
    /// What the part's map shows, in the whole frame's.
    pub shown: [Span; 2],
    /// What counts as the part. The rest of `shown` is its halo.
    pub core: [Span; 2],
}

impl Window {
    /// The window of a map that shows the whole frame.
    pub fn all([h, w]: [i64; 2]) -> Self {
        let all = [Span::new(0, h), Span::new(0, w)];
        Self { whole: [h, w], shown: all, core: all }
    }

    /// Returns what counts of `shown`, a map of what this window shows.
    pub(super) fn counted(&self, shown: &Tensor) -> Result<Tensor, StyleError> {
        if self.core == self.shown {
            return Ok(shown.shallow_clone());
        }
        cut(shown, [0, 1].map(|axis| (self.core[axis].from - self.shown[axis].from, self.core[axis].length())))
    }

    /// Returns what counts of `map`, a map of the whole frame.
    pub(super) fn of_whole(&self, map: &Tensor) -> Result<Tensor, StyleError> {
        if *self == Self::all(self.whole) {
            return Ok(map.shallow_clone());
        }
        cut(map, self.core.map(|span| (span.from, span.length())))
    }

    /// The window of a map that has only the places with `before` neighbours before and `after` behind them along
    /// `axis` (0: rows, 1: columns). A place belongs to the part that its own pixel belongs to.
    pub(super) fn with_neighbours(mut self, axis: usize, before: i64, after: i64) -> Self {
        let (shown, core) = (self.shown[axis], self.core[axis]);
        self.shown[axis] = Span::new(shown.from, shown.to - before - after);
        let last = self.whole[axis] - after;
        self.core[axis] = Span::new(core.from.max(before) - before, core.to.min(last) - before);
        self.whole[axis] = (self.whole[axis] - before - after).max(0);
        self
    }

    /// The window of the squares of 2 `step` x 2 `step` pixels in steps of `step`, counted from the frame's corner; and
    /// how many rows and columns lie before the first square that this window shows. A square belongs to the part that
    /// its first pixel belongs to.
    pub(super) fn squares(self, step: i64) -> (Self, [i64; 2]) {
        let skipped = self.shown.map(|span| (-span.from).rem_euclid(step));
        let whole = self.whole.map(|length| length / step - 1);
        let shown = [0, 1].map(|axis| {
            let Span { from, to } = self.shown[axis];
            let first = (from + skipped[axis]) / step;
            Span::new(first, first + (to - from - skipped[axis]) / step - 1)
        });
        let core = [0, 1].map(|axis| {
            let up = |pixel: i64| (pixel + step - 1) / step;
            Span::new(up(self.core[axis].from), up(self.core[axis].to).min(whole[axis]))
        });
        (Self { whole, shown, core }, skipped)
    }
}

/// Returns the rows and columns of `map` `[1,C,h,w]` that `parts` give as first and number.
pub(super) fn cut(map: &Tensor, [rows, columns]: [(i64, i64); 2]) -> Result<Tensor, StyleError> {
    Ok(map.f_narrow(2, rows.0, rows.1)?.f_narrow(3, columns.0, columns.1)?)
}
