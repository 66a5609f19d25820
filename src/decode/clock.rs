//! Derives one strictly increasing timestamp per frame from the container's timestamps.

use crate::media::{Ratio, TimeBase, Timing};

/// At most this many frames share one timestamp.
const MOST: usize = 8;

/// Turns a decoder's timestamps into `Timing`s. Each frame waits until a frame with a later time is known: frames with
/// equal times are spread evenly over the time that they share.
#[derive(Debug)]
pub(crate) struct Clock<T> {
    base: TimeBase,
    /// Duration of a frame in ticks, if nothing else is known.
    usual: i64,
    last: Option<Timing>,
    /// The waiting frames, which share one timestamp, each with the duration that its packet states.
    held: Vec<(T, i64)>,
    /// The timestamp of the waiting frames.
    pts: i64,
    /// Whether that timestamp is a guess because no frame so far has one.
    guessed: bool,
    /// Number of frames that shared a timestamp and were spread.
    spread: u64,
}

impl<T> Clock<T> {
    pub fn new(base: TimeBase, rate: Option<Ratio>) -> Self {
        let seconds = rate.filter(|rate| rate.value() > 0.0).map_or(0.04, |rate| 1.0 / rate.value());
        let usual = base.ticks(seconds).max(1);
        Self { base, usual, last: None, held: Vec::new(), pts: 0, guessed: false, spread: 0 }
    }

    /// Takes the next frame in display order and returns the frames whose times are now known. A `pts` later than the
    /// previous one is kept; a missing one follows from the previous frame's duration.
    pub fn push(&mut self, item: T, pts: Option<i64>, duration: i64) -> Vec<(T, Timing)> {
        let Some((_, before)) = self.held.last() else {
            self.guessed = pts.is_none() && self.last.is_none();
            self.pts = pts.unwrap_or_else(|| self.last.map_or(0, |last| last.pts + self.usual));
            self.held.push((item, duration));
            return Vec::new();
        };
        let length = if *before > 0 { *before } else { self.usual };
        if let Some(pts) = pts.filter(|_| std::mem::take(&mut self.guessed)) {
            // The first frames had no timestamps: place them right before the first frame that has one.
            self.pts = pts.saturating_sub(length.saturating_mul(self.held.len() as i64));
        }
        let after = self.pts.saturating_add(length.saturating_mul(self.held.len() as i64));
        let mut pts = pts.unwrap_or(after);
        if pts <= self.pts && self.held.len() >= MOST {
            // The timestamps are useless: place the frames at the usual distance instead.
            pts = after;
        }
        if pts <= self.pts {
            self.held.push((item, duration));
            return Vec::new();
        }
        let ready = self.release(Some(pts));
        self.pts = pts;
        self.held.push((item, duration));
        ready
    }

    /// Ends the input and returns the frames still waiting.
    pub fn finish(&mut self) -> Vec<(T, Timing)> {
        self.release(None)
    }

    fn release(&mut self, next: Option<i64>) -> Vec<(T, Timing)> {
        let held = std::mem::take(&mut self.held);
        let count = held.len() as i64;
        let length = held.first().map_or(0, |(_, duration)| *duration);
        let usual = if length > 0 { length } else { self.usual };
        let all = usual.saturating_mul(count);
        let room = next.map_or(all, |next| next.saturating_sub(self.pts).min(all.max(count)));
        self.spread += if count > 1 { count as u64 } else { 0 };
        let mut ready = Vec::with_capacity(held.len());
        for (place, (item, duration)) in (0..).zip(held) {
            let wanted = self.pts.saturating_add((i128::from(room) * i128::from(place) / i128::from(count)) as i64);
            let pts = self.last.map_or(wanted, |last| wanted.max(last.pts.saturating_add(1)));
            let timing = Timing { pts, duration: (duration > 0).then_some(duration), base: self.base };
            self.last = Some(timing);
            ready.push((item, timing));
        }
        ready
    }

    pub fn base(&self) -> TimeBase {
        self.base
    }

    /// Returns how many frames shared their timestamp with others.
    pub fn spread(&self) -> u64 {
        self.spread
    }
}

/// Makes timestamps strictly increasing without delaying any frame.
#[derive(Debug, Default)]
pub(super) struct Rising {
    last: Option<i64>,
}

impl Rising {
    /// Returns `pts` if it is later than the previous one, otherwise the tick after that.
    pub fn time(&mut self, pts: i64) -> i64 {
        let pts = self.last.map_or(pts, |last| pts.max(last.saturating_add(1)));
        self.last = Some(pts);
        pts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(given: &[(Option<i64>, i64)]) -> Vec<i64> {
        let mut clock = Clock::new(TimeBase::new(1, 1000), Some(Ratio::new(25, 1)));
        let mut ready: Vec<((), Timing)> =
            given.iter().flat_map(|&(pts, duration)| clock.push((), pts, duration)).collect();
        ready.extend(clock.finish());
        ready.into_iter().map(|(_, timing)| timing.pts).collect()
    }

    #[test]
    fn timestamps_stay_strictly_increasing() {
        let given = [(Some(500), 40), (None, 0), (Some(530), 0), (None, 0), (Some(700), 40)];
        assert_eq!(times(&given), [500, 540, 580, 620, 700]);
        assert_eq!(times(&[(None, 0), (None, 0), (None, 0)]), [0, 40, 80]);
        assert_eq!(times(&[(None, 0), (Some(1520), 0), (Some(1560), 0)]), [1480, 1520, 1560]);
    }

    #[test]
    fn equal_times_are_spread() {
        let at = |list: &[i64]| times(&list.iter().map(|&pts| (Some(pts), 0)).collect::<Vec<_>>());
        assert_eq!(at(&[0, 0, 80, 80, 160, 160]), [0, 40, 80, 120, 160, 200]);
        assert_eq!(at(&[0, 40, 40, 40, 100]), [0, 40, 60, 80, 100]);
        // Frames are not spread over a pause.
        assert_eq!(at(&[0, 0, 9000]), [0, 40, 9000]);
        assert_eq!(at(&[0, 0, 1, 2]), [0, 1, 2, 3]);
        assert_eq!(at(&[100, 90, 140]), [100, 120, 140]);
    }
}
