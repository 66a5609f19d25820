//! The last pass: joins the new pictures and the source's other streams in one file by stream copy.

use std::path::Path;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Packet, Rational};

use super::codec::Container;
use super::feed::{Feed, First};
use super::interleave::{self, Copied, Timeline};
use super::streams::{Fate, Plan};
use super::{EncodeError, delay, header};
use crate::media::splice::PacketClock;
use crate::media::tags::LABEL;
use crate::media::{MediaInfo, Span, TimeBase, ffi};

pub(super) use header::{all_used, header_options, quicktime_options};

/// What errors say was being done when the source turns out to be unreadable.
const READING: &str = "reading the source's other streams";

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
    fn span(&self) -> Span {
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

/// What was written, and so what the file should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Muxed {
    /// Added to every timestamp, as is `shift`: ticks of the source's video.
    pub offset: i64,
    pub shift: Shift,
    /// The part of the source that is taken, in ticks of its video: `from` inclusive, `to` exclusive.
    pub from: Option<i64>,
    pub to: Option<i64>,
    /// For each slot of the plan: the index of its stream in the file, if it has one, and its number of packets.
    pub streams: Vec<(Option<usize>, u64)>,
    /// Number of these packets that the muxer refused, over all streams.
    pub refused: u64,
    /// What became of every stream of the source.
    pub fates: Vec<(usize, Fate)>,
    /// Whether some text or sound could not be converted whole.
    pub has_notes: bool,
    /// Deviations from the plan, one line each.
    pub warnings: Vec<String>,
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
    fn new(container: Container, start: i64, base: TimeBase, first: &First) -> Self {
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

/// Writes the finished file to `path`. Containers with free-form tags get the label as a tag.
pub(super) fn join(
    path: &Path,
    container: Container,
    pictures: &Pictures,
    plan: &Plan,
    label: Option<&str>,
) -> Result<Muxed, EncodeError> {
    let fail = |doing| move |error| EncodeError::libav(path, doing, error);
    let span = pictures.span();
    let again =
        |path, opened: Result<Input, _>| opened.map_err(|error| EncodeError::libav(path, "opening it again", error));
    let mut video = again(pictures.file, ffi::open_input(pictures.file))?;
    let source =
        pictures.info.source.as_ref().map(|source| again(&source.path, ffi::open_source(source))).transpose()?;
    let clock = |input: &Input| {
        let source = pictures.info.source.as_ref();
        PacketClock::new(
            input,
            source.map_or(0, |source| source.stream),
            source.is_some_and(|source| source.keep_clock),
        )
    };
    let fed = source.map(|source| (clock(&source), source)).map(|(clock, source)| (source, clock));
    let mut feed = fed.map(|fed| Feed::new(fed, plan.fed(), span)).transpose().map_err(fail(READING))?;
    let mut first = First::default();
    if let Some(feed) = &mut feed {
        first = feed.first_seconds().map_err(fail(READING))?;
        delay::correct(feed, container, &pictures.file.with_extension("trial")).map_err(fail("trying it"))?;
    }
    let start = pictures.pts.first().copied().unwrap_or(0) + span.offset;
    let shift = Shift::new(container, start, span.base, &first);

    let mut output = ffi::open_output(path, container.muxer).map_err(fail("creating it"))?;
    header::describe(&mut output, container, pictures, &video, feed.as_ref(), plan)
        .map_err(fail("describing its streams"))?;
    if let Some(label) = label.filter(|_| !container.is_quicktime()) {
        ffi::set_file_tag(&mut output, LABEL, label).map_err(fail("describing it"))?;
    }
    if let Some(feed) = &feed {
        header::copy_chapters(feed, &mut output, &span, shift).map_err(fail("copying the chapters"))?;
    }
    let made = header::made_by_muxer(&output, container);
    header::write_header(&mut output, container, feed.as_ref(), span.base).map_err(fail("writing its header"))?;
    let timeline = Timeline { start, base: span.base, shift };
    let copied = interleave::copy(&mut output, container, timeline, plan, pictures, &mut video, feed.as_mut());
    let Copied { packets, refused, moved } = copied.map_err(fail("writing it"))?;
    output.write_trailer().map_err(fail("closing it"))?;
    ffi::flush_output(&mut output).map_err(fail("closing it"))?;
    let fates = plan.fates_of(&packets, container, made);
    let damaged = format!("damaged packets of the source's other streams are left out ({refused})");
    let mut notes: Vec<String> = feed.iter().flat_map(Feed::notes).collect();
    let has_notes = !notes.is_empty();
    notes.extend((refused > 0).then_some(damaged));
    notes.extend((moved > 0).then(|| {
        format!("the source's other streams overlap themselves: {moved} packets are a little later, to follow in order")
    }));
    Ok(Muxed {
        offset: span.offset,
        shift,
        from: span.from,
        to: span.to,
        streams: plan.outputs(&packets, container, made).into_iter().zip(packets.iter().copied()).collect(),
        has_notes,
        warnings: notes.into_iter().chain(plan.lost(&fates)).collect(),
        refused,
        fates,
    })
}
