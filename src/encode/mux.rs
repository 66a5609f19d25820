//! The last pass: the new pictures and the source's audio into one file, without touching a packet's bytes.

use std::path::Path;

use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{self as ffmpeg, Dictionary, Packet, Rational, codec, encoder};

use super::EncodeError;
use super::audio::Plan;
use super::codec::Container;
use super::delay;
use super::feed::{Feed, Span};
use crate::media::{MediaInfo, TimeBase, ffi};

/// What was encoded.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pictures<'a> {
    /// The intermediate, whose timestamps count from the first frame.
    pub file: &'a Path,
    /// Whether its timestamps are exact. Where not, its packets are in display order and take theirs from `pts`.
    pub exact: bool,
    /// Timestamps of the frames in display order, in the source's ticks.
    pub pts: &'a [i64],
    pub last_duration: i64,
    pub info: &'a MediaInfo,
}

impl Pictures<'_> {
    /// Which part of the source's clock the output takes, before a container asks for more.
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

    /// Gives the packet that is number `position` in display order its exact time.
    fn retime(&self, packet: &mut Packet, position: usize, start: i64) {
        let Some(&pts) = self.pts.get(position) else { return };
        let first = self.pts.first().unwrap_or(&pts);
        packet.set_pts(Some(pts - first + start));
        packet.set_dts(packet.pts());
        packet.set_duration(self.pts.get(position + 1).map_or(self.last_duration, |next| next - pts));
    }

    /// The rate, if every frame is where it says (to a millisecond): containers that store a constant rate may.
    fn constant_rate(&self) -> Option<Rational> {
        let rate = self.info.rate?;
        let first = self.pts.first()?;
        let on_time = |(index, pts): (usize, &i64)| {
            (self.info.base.seconds(pts - first) - index as f64 / rate.value()).abs() < 1e-3
        };
        self.pts.iter().enumerate().all(on_time).then(|| Rational::new(rate.num, rate.den))
    }
}

/// What the file should now hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Muxed {
    /// Added to every timestamp: ticks of the source's video, and ticks of another base.
    pub offset: i64,
    pub shift: Shift,
    /// Packets written of each audio stream.
    pub audio: Vec<u64>,
}

/// A common delay of all streams, for containers without negative timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    ticks: i64,
    base: TimeBase,
}

impl Shift {
    /// QuickTime's edit lists begin before 0 (as the priming of AAC does), but only for sound; Matroska takes nothing
    /// before 0. `start` is the first frame in ticks of `base`, `audio` the first sounds in seconds.
    fn new(container: Container, start: i64, base: TimeBase, audio: &[f64]) -> Self {
        if container.is_quicktime() {
            return Self { ticks: (-start).max(0), base };
        }
        let first = audio.iter().copied().fold(base.seconds(start), f64::min);
        // Whole milliseconds, Matroska's ticks: all streams are rounded alike.
        Self { ticks: (-first * 1000.0 - 1e-6).ceil().max(0.0) as i64, base: TimeBase::new(1, 1000) }
    }

    pub fn ticks(self, base: TimeBase) -> i64 {
        self.base.convert(self.ticks, base)
    }
}

/// Tags that describe the source file or stream itself and would be wrong for the new one.
const FILE_TAGS: [&str; 4] = ["major_brand", "minor_version", "compatible_brands", "encoder"];
const STREAM_TAGS: [&str; 11] = [
    "rotate",
    "encoder",
    "vendor_id",
    "alpha_mode",
    "duration",
    "bps",
    "number_of_frames",
    "number_of_bytes",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
    "_statistics_tags",
];

/// Writes `path`.
pub(super) fn join(path: &Path, container: Container, pictures: &Pictures, plan: &Plan) -> Result<Muxed, EncodeError> {
    let fail = |doing| move |error| EncodeError::libav(path, doing, error);
    let open = |path: &Path| ffi::open_input(path).map_err(|error| EncodeError::libav(path, "opening it again", error));
    let span = pictures.span();
    let mut video = open(pictures.file)?;
    let source = pictures.info.source.as_ref().map(|source| open(&source.path)).transpose()?;
    let mut feed = source.map(|source| Feed::new(source, &plan.audio, span));
    let first_audio = match &mut feed {
        Some(feed) => {
            let first = feed.first_seconds().map_err(fail("reading the source's audio"))?;
            delay::correct(feed, container, &pictures.file.with_extension("trial")).map_err(fail("trying it"))?;
            first
        }
        None => Vec::new(),
    };
    let start = pictures.pts.first().copied().unwrap_or(0) + span.offset;
    let shift = Shift::new(container, start, span.base, &first_audio);

    let mut output = ffi::open_output(path, container.muxer).map_err(fail("creating it"))?;
    describe(&mut output, container.is_quicktime(), pictures, &video, feed.as_ref(), &plan.audio)
        .map_err(fail("describing its streams"))?;
    if let Some(feed) = &feed {
        copy_chapters(feed.input(), &mut output, &span, shift).map_err(fail("copying the chapters"))?;
    }
    write_header(&mut output, container, feed.as_ref(), span.base).map_err(fail("writing its header"))?;
    let timeline = Timeline { start, base: span.base, shift };
    let audio = copy(&mut output, container, timeline, pictures, &mut video, feed.as_mut());
    let audio = audio.map_err(fail("writing it"))?;
    output.write_trailer().map_err(fail("closing it"))?;
    ffi::flush_output(&mut output).map_err(fail("closing it"))?;
    Ok(Muxed { offset: span.offset, shift, audio })
}

/// Creates the streams: the pictures, then the audio.
fn describe(
    output: &mut Output,
    quicktime: bool,
    pictures: &Pictures,
    video: &Input,
    feed: Option<&Feed>,
    audio: &[usize],
) -> Result<(), ffmpeg::Error> {
    let info = pictures.info;
    let encoded = video.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?;
    let mut stream = output.add_stream(encoder::find(codec::Id::None))?;
    ffi::copy_stream(&encoded, &mut stream, &["handler_name", "language", "encoder", "vendor_id", "duration"])?;
    if quicktime && encoded.parameters().id() == codec::Id::HEVC {
        // The other name, hev1, Apple's players do not know.
        ffi::set_codec_tag(&mut stream, *b"hvc1");
    }
    stream.set_time_base(info.base);
    if let Some(rate) = pictures.constant_rate() {
        stream.set_avg_frame_rate(rate);
    }
    if let Some(aspect) = info.sample_aspect {
        ffi::set_stream_aspect(&mut stream, aspect);
    }
    let (Some(feed), Some(source)) = (feed, &info.source) else { return Ok(()) };
    let original = feed.input().stream(source.stream).ok_or(ffmpeg::Error::StreamNotFound)?;
    ffi::copy_stream_metadata(&original, &mut stream, &STREAM_TAGS)?;
    for &index in audio {
        let original = feed.input().stream(index).ok_or(ffmpeg::Error::StreamNotFound)?;
        let mut stream = output.add_stream(encoder::find(codec::Id::None))?;
        ffi::copy_stream(&original, &mut stream, &STREAM_TAGS)?;
        stream.set_time_base(original.time_base());
    }
    ffi::copy_metadata(feed.input(), output, &FILE_TAGS)
}

/// Copies the chapters that begin in the span.
fn copy_chapters(source: &Input, output: &mut Output, span: &Span, shift: Shift) -> Result<(), ffmpeg::Error> {
    for (id, chapter) in (0..).zip(source.chapters()) {
        let base = TimeBase::from(chapter.time_base());
        let offset = span.base.convert(span.offset, base) + shift.ticks(base);
        let from = span.from.map_or(i64::MIN, |from| span.base.convert(from, base));
        let to = span.to.map_or(i64::MAX, |to| span.base.convert(to, base));
        let (begin, end) = (chapter.start().max(from), chapter.end().min(to));
        if begin < end {
            let title = chapter.metadata().get("title").unwrap_or_default().to_owned();
            let mut copy = output.add_chapter(id, base, begin + offset, end + offset, title)?;
            ffi::copy_chapter_metadata(&chapter, &mut copy)?;
        }
    }
    Ok(())
}

fn write_header(
    output: &mut Output,
    container: Container,
    feed: Option<&Feed>,
    base: TimeBase,
) -> Result<(), ffmpeg::Error> {
    let rates: Vec<i32> = feed.map(Feed::sample_rates).unwrap_or_default();
    let mut options = if container.is_quicktime() { quicktime_options(base, &rates) } else { matroska_options() };
    if container.is_quicktime() {
        // Playable while it is still being downloaded.
        options.set("movflags", "+faststart");
    }
    all_used(&output.write_header_with(options)?)
}

/// Options for exact timestamps in the QuickTime family: a start offset is stored in the movie's own time scale,
/// whose default of milliseconds would round it.
pub(super) fn quicktime_options(base: TimeBase, sample_rates: &[i32]) -> Dictionary<'static> {
    const LARGEST: i64 = 10_000_000;
    let video = i64::from(base.den);
    let exact = sample_rates.iter().try_fold(video, |scale, &rate| {
        let common = least_common_multiple(scale, i64::from(rate.max(1)));
        (common <= LARGEST).then_some(common)
    });
    let mut options = Dictionary::new();
    options.set("movie_timescale", &exact.unwrap_or(video).to_string());
    options.set("fflags", "+bitexact");
    options
}

/// Without its own idea of a delay: [`Shift`] has made one that is just enough. And without random identifiers.
fn matroska_options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("avoid_negative_ts", "disabled");
    options.set("fflags", "+bitexact");
    options
}

/// An option the muxer did not know has no effect and no error of its own.
pub(super) fn all_used(unused: &Dictionary) -> Result<(), ffmpeg::Error> {
    if unused.iter().next().is_some() { Err(ffmpeg::Error::OptionNotFound) } else { Ok(()) }
}

fn least_common_multiple(a: i64, b: i64) -> i64 {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    a / x.max(1) * b
}

/// Where the pictures, which count from 0, lie on the output's clock: from tick `start` of `base`, and `shift`.
#[derive(Debug, Clone, Copy)]
struct Timeline {
    start: i64,
    base: TimeBase,
    shift: Shift,
}

/// Copies all packets in order of decoding time. Returns how many of each audio stream there were.
fn copy(
    output: &mut Output,
    container: Container,
    timeline: Timeline,
    pictures: &Pictures,
    video: &mut Input,
    mut feed: Option<&mut Feed>,
) -> Result<Vec<u64>, ffmpeg::Error> {
    let encoded_base: TimeBase = video.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let mut counts = vec![0; output.nb_streams() as usize - 1];
    let mut last = vec![None; output.nb_streams() as usize];
    let mut position = 0;
    let mut next = |video: &mut Input| -> Result<Option<Timed>, ffmpeg::Error> {
        let mut picture = next_picture(video, encoded_base, timeline)?;
        if let Some(timed) = picture.as_mut().filter(|_| !pictures.exact) {
            pictures.retime(&mut timed.packet, position, timeline.start);
            position += 1;
        }
        Ok(picture)
    };
    let mut picture = next(video)?;
    let mut sound = next_sound(feed.as_deref_mut())?;
    loop {
        let sound_first = match (&picture, &sound) {
            (None, None) => return Ok(counts),
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (Some(picture), Some(sound)) => sound.seconds() < picture.seconds(),
        };
        let mut timed = if sound_first { sound.take() } else { picture.take() }.ok_or(ffmpeg::Error::Bug)?;
        let stream = timed.packet.stream();
        let base: TimeBase = output.stream(stream).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
        timed.place(base, timeline.shift, container.is_quicktime().then_some(&mut last[stream]));
        timed.packet.write_interleaved(output)?;
        if sound_first {
            counts[stream - 1] += 1;
            sound = next_sound(feed.as_deref_mut())?;
        } else {
            picture = next(video)?;
        }
    }
}

/// A packet and the base of its timestamps.
struct Timed {
    packet: Packet,
    base: TimeBase,
}

impl Timed {
    fn seconds(&self) -> f64 {
        self.packet.dts().or(self.packet.pts()).map_or(f64::NEG_INFINITY, |ticks| self.base.seconds(ticks))
    }

    /// Moves the packet to the output's clock. With `last`, decoding times that rounding made equal are set apart,
    /// as QuickTime needs them.
    fn place(&mut self, base: TimeBase, shift: Shift, last: Option<&mut Option<i64>>) {
        self.packet.rescale_ts(self.base, base);
        let delay = shift.ticks(base);
        self.packet.set_pts(self.packet.pts().map(|pts| pts + delay));
        self.packet.set_dts(self.packet.dts().map(|dts| dts + delay));
        self.packet.set_position(-1);
        let (Some(last), Some(dts)) = (last, self.packet.dts()) else { return };
        let apart = last.map_or(dts, |last| dts.max(last + 1));
        self.packet.set_dts(Some(apart));
        self.packet.set_pts(self.packet.pts().map(|pts| pts.max(apart)));
        *last = Some(apart);
    }
}

fn next_picture(video: &mut Input, encoded: TimeBase, timeline: Timeline) -> Result<Option<Timed>, ffmpeg::Error> {
    let mut packet = Packet::empty();
    match packet.read(video) {
        Ok(()) => {}
        Err(ffmpeg::Error::Eof) => return Ok(None),
        Err(error) => return Err(error),
    }
    // Exact: the intermediate's base is the source's or a fraction of it.
    packet.rescale_ts(encoded, timeline.base);
    packet.set_pts(packet.pts().map(|pts| pts + timeline.start));
    packet.set_dts(packet.dts().map(|dts| dts + timeline.start));
    packet.set_stream(0);
    Ok(Some(Timed { packet, base: timeline.base }))
}

fn next_sound(feed: Option<&mut Feed>) -> Result<Option<Timed>, ffmpeg::Error> {
    let Some(feed) = feed else { return Ok(None) };
    let Some(mut packet) = feed.next()? else { return Ok(None) };
    let position = packet.stream();
    packet.set_stream(position + 1);
    Ok(Some(Timed { packet, base: feed.base(position) }))
}
