//! Where the new pictures and the copied streams lie on the clock of the finished file.

use std::path::Path;

use ffmpeg_next::{Packet, Rational};

use super::codec::Container;
use super::passthrough::First;
use crate::media::{MediaInfo, Span, TimeBase};

/// The encoded pictures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures<'a> {
    /// The intermediate file, whose timestamps count from the first frame.
    pub file: &'a Path,
    /// Whether its timestamps are exact. If not, its packets are in display order and take their times from `pts`.
    pub exact: bool,
    /// Timestamps of the frames in display order, in the source's ticks.
    pub pts: &'a [i64],
    pub last_duration: i64,
    pub info: &'a MediaInfo,
}

impl Pictures<'_> {
    /// Returns the part of the source's clock that the output takes, before the container's own shift.
    pub fn span(&self) -> Span {
        let (first, last) = (self.pts.first().copied().unwrap_or(0), self.pts.last().copied().unwrap_or(0));
        let range = self.info.source.as_ref().map(|source| source.range).unwrap_or_default();
        let later = range.start > 0.0;
        let limited = range.frames.is_some_and(|limit| limit <= self.pts.len() as u64);
        Span {
            base: self.info.base,
            from: later.then_some(first),
            to: limited.then_some(last + self.last_duration),
            offset: if later { -first } else { 0 },
        }
    }

    /// Sets the times of packet number `position` of the intermediate file; the first frame is at `start`. The
    /// duration is the distance to the next frame in display order. The intermediate file has distances in decoding
    /// order, which would end the last frame of uneven times too early (QuickTime's edit list then hides it).
    pub fn time(&self, packet: &mut Packet, position: usize, start: i64) {
        let first = self.pts.first().copied().unwrap_or(0);
        if !self.exact {
            let pts = self.pts.get(position).map(|pts| pts - first);
            packet.set_pts(pts);
            packet.set_dts(pts);
        }
        let place = packet.pts().and_then(|pts| self.pts.binary_search(&(pts + first)).ok());
        if let Some(place) = place {
            let pts = self.pts[place];
            packet.set_duration(self.pts.get(place + 1).map_or(self.last_duration, |next| next - pts));
        }
        packet.set_pts(packet.pts().map(|pts| pts + start));
        packet.set_dts(packet.dts().map(|dts| dts + start));
    }

    /// Returns the seconds of the source before the first frame that is taken, if the range starts later; `begin` is
    /// the source's first tick.
    pub fn skipped(&self, begin: i64) -> f64 {
        let span = self.span();
        let first = span.from.filter(|_| begin != i64::MIN);
        first.map_or(0.0, |first| span.base.seconds(first - begin).max(0.0))
    }

    /// Returns the rate if every frame is on time (to a millisecond), for containers that store a constant rate.
    pub fn constant_rate(&self) -> Option<Rational> {
        let rate = self.info.rate?;
        let first = self.pts.first()?;
        let on_time = |(index, pts): (usize, &i64)| {
            (self.info.base.seconds(pts - first) - index as f64 / rate.value()).abs() < 1e-3
        };
        self.pts.iter().enumerate().all(on_time).then(|| Rational::new(rate.num, rate.den))
    }
}

/// A common delay of all streams, for containers without negative timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    ticks: i64,
    base: TimeBase,
}

impl Shift {
    /// In the QuickTime family, edit lists let sound begin before 0 (AAC priming does), but nothing else; Matroska
    /// allows nothing before 0. `start` is the first frame in ticks of `base`, `first` says when the other streams
    /// begin.
    pub fn new(container: Container, start: i64, base: TimeBase, first: &First) -> Self {
        let earliest = |times: &[f64], limit: f64| times.iter().copied().fold(limit, f64::min);
        let mut first_seconds = earliest(&first.others, base.seconds(start));
        if container.is_quicktime() {
            let ticks = if first_seconds < base.seconds(start) { base.ticks(-first_seconds) } else { -start };
            return Self { ticks: ticks.max(0), base };
        }
        first_seconds = earliest(&first.sound, first_seconds);
        // Whole milliseconds, Matroska's ticks, so that all streams are rounded alike.
        Self { ticks: (-first_seconds * 1000.0 - 1e-6).ceil().max(0.0) as i64, base: TimeBase::new(1, 1000) }
    }

    pub fn seconds(self) -> f64 {
        self.base.seconds(self.ticks)
    }

    pub fn ticks(self, base: TimeBase) -> i64 {
        self.base.convert(self.ticks, base)
    }
}

/// Position of the pictures on the output's clock: they count from 0 and begin at tick `start` of `base`, plus `shift`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timeline {
    pub start: i64,
    pub base: TimeBase,
    pub shift: Shift,
}
