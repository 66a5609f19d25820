//! Writes the header of the finished file: streams, tags, chapters, and the options that keep timestamps exact.

use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, Dictionary, codec, encoder, media};

use super::codec::{Container, Family};
use super::passthrough::Passthrough;
use super::streams::{self, Plan, Slot, TIMECODE};
use super::timeline::{Pictures, Shift};
use crate::media::splice::FAR;
use crate::media::tags::{FILE_TAGS, PAINTED_TAGS, STREAM_TAGS};
use crate::media::{Ratio, Span, TimeBase, ffi};

/// Creates the streams as planned, with the tags of each stream and of the file.
pub(super) fn describe(
    output: &mut Output,
    container: Container,
    pictures: &Pictures,
    video: &Input,
    passthrough: Option<&Passthrough>,
    plan: &Plan,
) -> Result<(), ffmpeg::Error> {
    for slot in &plan.slots {
        match *slot {
            Slot::Painted => painted(output, container.is_quicktime(), pictures, video, passthrough)?,
            Slot::Carried { source, carriage, .. } => {
                let passthrough = passthrough.ok_or(ffmpeg::Error::StreamNotFound)?;
                let original = passthrough.input().stream(source).ok_or(ffmpeg::Error::StreamNotFound)?;
                streams::describe(output, &original, carriage, &[STREAM_TAGS.as_slice(), &[TIMECODE]].concat())?;
            }
        }
    }
    if container.is_quicktime() {
        refine_text_clocks(output, plan)?;
    }
    let (Some(passthrough), Some(source)) = (passthrough, &pictures.info.source) else { return Ok(()) };
    ffi::copy_metadata(passthrough.input(), output, &[FILE_TAGS.as_slice(), &[TIMECODE]].concat())?;
    let begin = |stream: ffmpeg::Stream| match stream.start_time() {
        i64::MIN => i64::MIN,
        begin => begin.saturating_add(passthrough.start_of(source.stream)),
    };
    let skipped = passthrough.input().stream(source.stream).map_or(0.0, |stream| pictures.skipped(begin(stream)));
    copy_timecodes(output, container, pictures, passthrough.input(), plan, skipped)
}

fn painted(
    output: &mut Output,
    quicktime: bool,
    pictures: &Pictures,
    video: &Input,
    passthrough: Option<&Passthrough>,
) -> Result<(), ffmpeg::Error> {
    let info = pictures.info;
    let encoded = video.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?;
    let mut stream = output.add_stream(encoder::find(codec::Id::None))?;
    ffi::copy_stream(&encoded, &mut stream, &["handler_name", "language", "encoder", "vendor_id", "duration"])?;
    let tag = Family::of(encoded.parameters().id()).and_then(Family::quicktime_tag);
    if let Some(tag) = tag.filter(|_| quicktime) {
        ffi::set_codec_tag(&mut stream, tag);
    }
    stream.set_time_base(info.base);
    if let Some(rate) = pictures.constant_rate() {
        stream.set_avg_frame_rate(rate);
    }
    if let Some(aspect) = info.sample_aspect {
        ffi::set_stream_aspect(&mut stream, aspect);
    }
    let (Some(passthrough), Some(source)) = (passthrough, &info.source) else { return Ok(()) };
    let original = passthrough.input().stream(source.stream).ok_or(ffmpeg::Error::StreamNotFound)?;
    let skip = [STREAM_TAGS.as_slice(), &PAINTED_TAGS, &[TIMECODE]].concat();
    ffi::copy_stream_metadata(&original, &mut stream, &skip)?;
    ffi::copy_projection(&original, &mut stream)
}

/// Gives text tracks a finer clock than all other tracks. QuickTime's muxer ends a subtitle, with a packet of its own,
/// once another stream is further on, but compares ticks without regard to the time bases: with a coarser clock, it
/// would end subtitles that follow each other at once. The clock is no finer than needed, because no pause may be
/// longer than 2^31 ticks.
fn refine_text_clocks(output: &mut Output, plan: &Plan) -> Result<(), ffmpeg::Error> {
    let rate = |stream: ffmpeg::Stream| {
        let rate = stream.time_base().denominator().max(ffi::sample_rate(&stream)).max(1);
        let is_video = stream.parameters().medium() == media::Type::Video;
        // The muxer's own rule for video.
        std::iter::successors(Some(rate), |rate| rate.checked_mul(2)).find(|&rate| !is_video || rate >= 10_000)
    };
    let finest = output.streams().filter_map(rate).max().unwrap_or(1);
    for (index, slot) in plan.slots.iter().enumerate() {
        let Slot::Carried { is_movie_text: true, .. } = slot else { continue };
        let mut stream = output.stream_mut(index).ok_or(ffmpeg::Error::StreamNotFound)?;
        let own = stream.time_base().denominator().max(1);
        let finer = own.checked_mul(1 + (finest - 1) / own).unwrap_or(own);
        stream.set_time_base(ffmpeg::Rational::new(1, finer));
    }
    Ok(())
}

/// Copies timecodes, advanced to the first frame that is taken. Muxers of the QuickTime family make a track of a
/// timecode and fail if they cannot read it.
fn copy_timecodes(
    output: &mut Output,
    container: Container,
    pictures: &Pictures,
    input: &Input,
    plan: &Plan,
    skipped: f64,
) -> Result<(), ffmpeg::Error> {
    let moved = |timecode: &str, rate: Option<Ratio>| {
        let frames = (skipped * rate.map_or(0.0, Ratio::value)).round() as i64;
        let readable = rate.and_then(|rate| ffi::timecode_after(timecode, rate, frames));
        readable.or_else(|| (!container.is_quicktime()).then(|| timecode.to_owned()))
    };
    let of_file = input.metadata().get(TIMECODE).and_then(|timecode| moved(timecode, pictures.info.rate));
    for (index, slot) in plan.slots.iter().enumerate() {
        let (source, rate) = match *slot {
            Slot::Painted => (pictures.info.source.as_ref().map(|source| source.stream), pictures.info.rate),
            Slot::Carried { source, carriage, .. } if carriage.is_track() => {
                (Some(source), input.stream(source).and_then(|stream| ffi::average_rate(&stream)))
            }
            Slot::Carried { .. } => continue,
        };
        let Some(original) = source.and_then(|source| input.stream(source)) else { continue };
        let mut stream = output.stream_mut(index).ok_or(ffmpeg::Error::StreamNotFound)?;
        let own = original.metadata().get(TIMECODE).and_then(|timecode| moved(timecode, rate));
        let is_video = original.parameters().medium() == media::Type::Video;
        if let Some(timecode) = &own {
            ffi::default_tag(&mut stream, TIMECODE, timecode)?;
        }
        // The timecode track counts frames, even if they do not come at a constant rate.
        let has_timecode = own.is_some() || of_file.is_some();
        if let Some(rate) = rate.filter(|_| container.is_quicktime() && is_video && has_timecode) {
            stream.set_avg_frame_rate(ffmpeg::Rational::new(rate.num, rate.den));
        }
    }
    of_file.map_or(Ok(()), |timecode| ffi::set_file_tag(output, TIMECODE, &timecode))
}

/// Returns the number of tracks that a muxer of the QuickTime family will add to a described output: one for the
/// chapters, and one for each video with a timecode.
pub(super) fn made_by_muxer(output: &Output, container: Container) -> usize {
    if !container.is_quicktime() {
        return 0;
    }
    let of_file = output.metadata().get(TIMECODE).is_some();
    let has_timecode = |stream: &ffmpeg::Stream| {
        let is_video = stream.parameters().medium() == media::Type::Video;
        let is_cover = stream.disposition().contains(Disposition::ATTACHED_PIC);
        is_video && !is_cover && (of_file || stream.metadata().get(TIMECODE).is_some())
    };
    usize::from(output.nb_chapters() > 0) + output.streams().filter(has_timecode).count()
}

/// Copies the chapters that overlap the span. If the clock was moved to begin at 0, chapters on it move too.
pub(super) fn copy_chapters(
    passthrough: &Passthrough,
    output: &mut Output,
    span: &Span,
    shift: Shift,
) -> Result<(), ffmpeg::Error> {
    for (id, chapter) in (0..).zip(passthrough.input().chapters()) {
        let base = TimeBase::from(chapter.time_base());
        let moved = -base.ticks(-passthrough.moved());
        let moved = if base.seconds(chapter.start()) + FAR < -passthrough.moved() { 0 } else { moved };
        let offset = span.base.convert(span.offset, base) + shift.ticks(base);
        let from = span.from.map_or(i64::MIN, |from| span.base.convert(from, base));
        let to = span.to.map_or(i64::MAX, |to| span.base.convert(to, base));
        let at = |ticks: i64| ticks.saturating_add(moved);
        let (begin, end) = (at(chapter.start()).max(from), at(chapter.end()).min(to));
        if begin < end {
            let title = chapter.metadata().get("title").unwrap_or_default().to_owned();
            let mut copy = output.add_chapter(id, base, begin + offset, end + offset, title)?;
            ffi::copy_chapter_metadata(&chapter, &mut copy)?;
        }
    }
    Ok(())
}

pub(super) fn write_header(
    output: &mut Output,
    container: Container,
    passthrough: Option<&Passthrough>,
    base: TimeBase,
) -> Result<(), ffmpeg::Error> {
    let rates: Vec<i32> = passthrough.map(Passthrough::clock_rates).unwrap_or_default();
    all_used(&output.write_header_with(header_options(container, base, &rates))?)
}

/// Returns the muxer options of a finished file. `clock_rates` as for [`quicktime_options`].
pub(super) fn header_options(container: Container, base: TimeBase, clock_rates: &[i32]) -> Dictionary<'static> {
    let mut options = if container.is_quicktime() { quicktime_options(base, clock_rates) } else { matroska_options() };
    if container.is_quicktime() {
        // Playable while it is still being downloaded.
        options.set("movflags", "+faststart");
        // Stereoscopic and 360 degree video is marked by boxes that are in use, but not in the standard.
        options.set("strict", "unofficial");
    }
    options
}

/// Returns options for exact timestamps in the QuickTime family: a start offset is stored in the movie's own time
/// scale, whose default of milliseconds would round it. `clock_rates` are the ticks per second of the other streams,
/// the most important first.
pub(super) fn quicktime_options(base: TimeBase, clock_rates: &[i32]) -> Dictionary<'static> {
    const LARGEST: i64 = 10_000_000;
    let scale = clock_rates.iter().fold(i64::from(base.den), |scale, &rate| {
        let common = least_common_multiple(scale, i64::from(rate.max(1)));
        if common <= LARGEST { common } else { scale }
    });
    let mut options = Dictionary::new();
    options.set("movie_timescale", &scale.to_string());
    options.set("fflags", "+bitexact");
    options
}

/// Returns options that keep the muxer from adding a delay ([`Shift`] is just enough) and random identifiers.
fn matroska_options() -> Dictionary<'static> {
    let mut options = Dictionary::new();
    options.set("avoid_negative_ts", "disabled");
    options.set("fflags", "+bitexact");
    options
}

/// Fails if an option was unknown to the muxer, which ignores it silently.
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
