//! One strictly increasing timestamp per frame, from what the container gives.

use crate::media::{Ratio, TimeBase, Timing};

/// Turns a decoder's timestamps into `Timing`s.
#[derive(Debug)]
pub(crate) struct Clock {
    base: TimeBase,
    /// Ticks of a frame where nothing else tells.
    usual: i64,
    last: Option<Timing>,
}

impl Clock {
    pub fn new(base: TimeBase, rate: Option<Ratio>) -> Self {
        let seconds = rate.filter(|rate| rate.value() > 0.0).map_or(0.04, |rate| 1.0 / rate.value());
        Self { base, usual: base.ticks(seconds).max(1), last: None }
    }

    /// The timing of the next frame in display order. `pts` is kept wherever it is there and later than the frame
    /// before; a missing one continues from that frame's duration.
    pub fn time(&mut self, pts: Option<i64>, duration: i64) -> Timing {
        let pts = match (self.last, pts) {
            (None, pts) => pts.unwrap_or(0),
            (Some(last), Some(pts)) if pts > last.pts => pts,
            (Some(last), Some(_)) => last.pts + 1,
            (Some(last), None) => last.pts + last.duration.unwrap_or(self.usual),
        };
        let timing = Timing { pts, duration: (duration > 0).then_some(duration), base: self.base };
        self.last = Some(timing);
        timing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_stay_strictly_increasing() {
        let mut clock = Clock::new(TimeBase::new(1, 1000), Some(Ratio::new(25, 1)));
        let given = [(Some(500), 40), (None, 0), (Some(530), 0), (None, 0), (Some(700), 40)];
        let pts: Vec<i64> = given.iter().map(|&(pts, duration)| clock.time(pts, duration).pts).collect();
        assert_eq!(pts, [500, 540, 541, 581, 700]);
    }
}
