//! Checks whether a file was read up to the end that its container claims. A claim is only a hint: headers may keep the
//! length of the recording that a file was cut from.

use ffmpeg_next::format::context::Input;

use super::demux::Demuxer;
use crate::media::{Ratio, TimeBase, ffi};

/// Claimed lengths from this many seconds on stand for "unknown".
const NONSENSE: f64 = 1e8;

/// The end of the video that a container claims, in seconds on the file's clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Claim {
    /// End of the video stream, if the container states it per stream.
    stream: Option<f64>,
    /// End of the longest stream.
    file: Option<f64>,
}

impl Claim {
    pub fn of(input: &Input, index: usize) -> Self {
        // A header's duration (MP4, Matroska) counts from 0, even if the file starts later. A duration that FFmpeg
        // found by looking at the file's end counts from the first packet; the claim is then too small, which does no
        // harm.
        let known = input.duration() > 0 && !ffi::duration_is_a_guess(input);
        // A start before 0 (a transport stream whose clock wraps around) is not part of a header's claim.
        let begins = input.streams().filter(|stream| stream.start_time() != NONE);
        let begins = begins.map(|stream| TimeBase::from(stream.time_base()).seconds(stream.start_time()));
        let file = known.then(|| input.duration() as f64 / 1e6 + begins.fold(0.0, f64::min));
        let stream = input.stream(index).and_then(|stream| {
            let base = TimeBase::from(stream.time_base());
            let start = if stream.start_time() == NONE { 0 } else { stream.start_time() };
            let from_header =
                (stream.duration() > 0 && known).then(|| base.seconds(start.saturating_add(stream.duration())));
            // Matroska has no field for the duration of a stream; muxers write a tag.
            from_header.or_else(|| stream.metadata().get("DURATION").and_then(clock_time))
        });
        let sensible = |end: &f64| end.is_finite() && (0.0..NONSENSE).contains(&(end - input_begin(input)));
        Self { stream: stream.filter(sensible), file: file.filter(sensible) }
    }

    /// Returns how many seconds are missing at the end, or 0 unless reading stopped clearly before the claimed end.
    /// Some slack is allowed because containers are not exact.
    pub fn missing(&self, read: &Demuxer, rate: Option<Ratio>) -> f64 {
        let frame = length_of(rate);
        let short = |claimed: Option<f64>, got: Option<f64>, slack: f64| match (claimed, got) {
            (Some(claimed), Some(got)) if claimed - got > slack => claimed - got,
            _ => 0.0,
        };
        let stream = short(self.stream, read.clock.end_of(read.stream), (3.0 * frame).max(0.25));
        let file = short(self.file, read.clock.end_of_all(), (3.0 * frame).max(0.5));
        if stream > 0.0 { stream } else { file }
    }

    /// Returns the number of frames that the claimed length amounts to.
    pub fn frames(&self, begin: f64, rate: Option<Ratio>) -> Option<u64> {
        let end = self.stream.or(self.file)?;
        let frames = (end - begin) * rate?.value();
        (frames >= 1.0).then_some(frames.round() as u64)
    }
}

/// Returns the duration of a frame in seconds.
pub(super) fn length_of(rate: Option<Ratio>) -> f64 {
    rate.filter(|rate| rate.value() > 0.0).map_or(0.04, |rate| 1.0 / rate.value())
}

fn input_begin(input: &Input) -> f64 {
    let begins = input.streams().filter(|stream| stream.start_time() != NONE);
    let first = begins.map(|stream| TimeBase::from(stream.time_base()).seconds(stream.start_time())).reduce(f64::min);
    first.unwrap_or(0.0).max(0.0)
}

/// FFmpeg's value for "no timestamp".
const NONE: i64 = i64::MIN;

/// Parses `HH:MM:SS.fraction` into seconds.
pub(crate) fn clock_time(text: &str) -> Option<f64> {
    let mut parts = text.trim().split(':');
    let hours: f64 = parts.next()?.parse().ok()?;
    let minutes: f64 = parts.next()?.parse().ok()?;
    let seconds: f64 = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some(hours * 3600.0 + minutes * 60.0 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matroska_durations_are_read() {
        assert_eq!(clock_time("00:01:02.500000000"), Some(62.5));
        assert_eq!(clock_time("soon"), None);
    }
}
