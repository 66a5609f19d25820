//! Opens a video up to the point where its first frame is known.

use std::collections::VecDeque;
use std::path::Path;

use ffmpeg_next as ffmpeg;
use ffmpeg_next::format::context::Input;

use super::{SEEK_MARGIN, VideoSource, begins_anywhere};
use crate::decode::clock::Clock;
use crate::decode::damage::{Damage, Losses};
use crate::decode::demux::Demuxer;
use crate::decode::ending::Claim;
use crate::decode::error::DecodeError;
use crate::decode::ingest::Ingest;
use crate::decode::layers::Layers;
use crate::decode::limits::Limits;
use crate::decode::rotation::Rotation;
use crate::decode::{FrameSource, evidence, open, survey};
use crate::media::splice::PacketClock;
use crate::media::{self as words, MediaInfo, Range, Ratio, Samples, Source, TimeBase, ffi};
use crate::settings::InputSettings;

impl VideoSource {
    /// Opens a video, with a seek to the start of the range if `seek` is set. Returns `None` if there is no frame, or
    /// if the seek did not land before the start.
    pub(super) fn open_at(
        path: &Path,
        file: Option<&Path>,
        range: Range,
        settings: &InputSettings,
        seek: bool,
    ) -> Result<Option<Self>, DecodeError> {
        let fail = |doing| move |source| DecodeError::Libav { path: path.into(), doing, source };
        let mut input = open::demuxer(path, file, settings)?;
        let index = open::video_stream(&input, file).ok_or_else(|| DecodeError::NoVideo { path: path.into() })?;
        let limits = Limits::of(settings);
        limits.check_header(path, &input, index)?;
        let rate = ffi::guess_frame_rate(&mut input, index);
        let claim = Claim::of(&input, index);
        let (decoder, note) = open::video_decoder(path, &input, index)?;
        let mut warnings: Vec<String> = note.into_iter().collect();
        if file.is_none() {
            warnings.extend(open::left_out(&input, index));
        }
        let clock = PacketClock::new(&input, index, settings.keep_clock);
        let mut notes: Vec<String> = clock.start_note().into_iter().collect();
        notes.extend(assumed_rate(&input, rate));
        let format = input.format().name().to_owned();
        let extent = Extent::of(&mut input, file, index, settings, range);
        let stream = input.stream(index).ok_or(ffmpeg::Error::StreamNotFound).map_err(fail("reading its streams"))?;
        let tick = TimeBase::from(stream.time_base());
        let base = sensible(tick);
        let rotation = Rotation::of(&stream);
        warnings.extend(Rotation::note(&stream));
        let codec = stream.parameters().id().name();
        let layers = Layers::of(&stream);
        let begin = (stream.start_time() != i64::MIN).then(|| stream.start_time());
        if seek {
            // Only containers with an index can be sought reliably.
            let indexed = ["mp4", "matroska"].iter().any(|name| format.contains(name));
            let (true, Some(begin)) = (indexed, begin) else { return Ok(None) };
            let micros = (1e6 * (tick.seconds(begin) + range.start - SEEK_MARGIN)) as i64;
            if input.seek(micros, ..micros).is_err() {
                return Ok(None);
            }
        }
        let source = file.map(|file| origin(file, settings, index, range));
        let moved = clock.start_of(index);
        let mut source = Self {
            path: path.into(),
            info: unseen(base, rate, codec, source),
            range,
            rate,
            demuxer: Demuxer::new(input, index, clock),
            decoder,
            ended: false,
            drained: false,
            first: None,
            tick,
            clock: Clock::new(base, rate),
            timed: VecDeque::new(),
            begin: 0,
            from: i64::MIN,
            ingest: Ingest::new(path, settings, rotation, rate, None, codec),
            ready: VecDeque::new(),
            given: 0,
            decoded: 0,
            damage: Damage::new(settings.max_corrupt, Losses::new(&format, codec)),
            expected: None,
            listed: extent.listed,
            cut_off: extent.cut_off.or(extent.sound_beyond),
            claim,
            limits,
            sought: seek,
            lenient: begins_anywhere(&format),
            // FFmpeg counts the pictures of this format in millionths of a second.
            untimed: format == "dirac",
            own_times: true,
            ends_oddly: ["mpjpeg", "smjpeg"].contains(&format.as_str()),
            layers,
            warnings,
            notes,
            told: false,
            told_joints: false,
            told_claim: false,
        };
        if let Some(file) = file.filter(|_| format == "ogg") {
            source.damage.passed_over(evidence::bad_pages(file));
        }
        let begins = tick.seconds(begin.unwrap_or(0));
        source.expected =
            source.remaining(extent.count.or_else(|| claim.frames(begins, rate).filter(|&n| limits.allows(n))));
        limits.frames(path, source.expected.unwrap_or(0))?;
        source.check_length(extent.cut_off)?;
        let Some(mut first) = source.decode()? else { return Ok(None) };
        let begin = begin.map(|begin| begin.saturating_add(moved)).or(first.timestamp()).unwrap_or(0);
        let begin = tick.convert(begin, base);
        source.begin = begin;
        source.from = begin.saturating_add(base.ticks(range.start));
        if seek && first.timestamp().is_none_or(|pts| tick.convert(pts, base) > source.from) {
            return Ok(None);
        }
        let aspect = ffi::guess_sample_aspect(&mut source.demuxer.input, index, &mut first);
        source.ingest = Ingest::new(path, settings, rotation, rate, aspect, codec);
        source.first = Some(first);
        source.describe(aspect, rotation)?;
        Ok(Some(source))
    }

    /// Reads up to the first returned frame, the only reliable source for the output's properties.
    fn describe(&mut self, aspect: Option<Ratio>, rotation: Rotation) -> Result<(), DecodeError> {
        self.info.sample_aspect =
            if rotation.swaps { aspect.map(|aspect| Ratio::new(aspect.den, aspect.num)) } else { aspect };
        if !self.advance()? && self.ingest.filtered().is_some() {
            let graph = self.ingest.filter_text();
            return Err(DecodeError::NothingLeft { path: self.path.clone(), graph });
        }
        self.info.frames = self.expected;
        if let Some(exit) = self.ingest.filtered() {
            let (before, after) = (self.rate.map_or(0.0, Ratio::value), exit.rate.map_or(0.0, Ratio::value));
            let ratio = if before > 0.0 && after > 0.0 { after / before } else { 1.0 };
            let frames = self.expected.map(|frames| (frames as f64 * ratio).round() as u64);
            self.info.frames = match (frames, self.range.frames) {
                (Some(frames), Some(limit)) => Some(frames.min(limit)),
                (frames, _) => frames,
            };
            (self.info.base, self.info.rate, self.info.sample_aspect) = (exit.base, exit.rate, exit.sample_aspect);
        }
        if let Some(first) = self.ingest.first() {
            self.info.color = first.color;
            self.info.samples = first.samples;
        }
        let Some((pixels, timing)) = self.ready.front() else {
            self.check_end()?;
            return Err(DecodeError::StartsAfterEnd { path: self.path.clone(), start: self.range.start });
        };
        (self.info.width, self.info.height) = (pixels.width, pixels.height);
        if let Some(rate) = self.info.rate {
            let since = timing.base.seconds(timing.pts) - self.begin();
            self.info.first = (since * rate.value()).round().max(0.0) as u64;
        }
        Ok(())
    }
}

/// Returns the time base for the frames. Muxers store some distances in 31 bits: with ticks finer than any frame rate
/// needs, a pause would not fit.
fn sensible(tick: TimeBase) -> TimeBase {
    const FINEST: TimeBase = TimeBase::new(1, 240_000);
    if tick.seconds(1) < FINEST.seconds(1) { FINEST } else { tick }
}

/// Returns the properties known before the first frame.
fn unseen(base: TimeBase, rate: Option<Ratio>, codec: &'static str, source: Option<Source>) -> MediaInfo {
    MediaInfo {
        width: 0,
        height: 0,
        frames: None,
        base,
        rate,
        sample_aspect: None,
        color: words::ColorInfo::BT709,
        samples: Samples::RGB8,
        codec,
        first: 0,
        source,
    }
}

/// Describes the file from which the other streams of an output are copied.
fn origin(file: &Path, settings: &InputSettings, stream: usize, range: Range) -> Source {
    Source {
        path: file.into(),
        format: settings.format.trim().into(),
        options: settings.options.iter().cloned().chain(open::protocols(settings)).collect(),
        stream,
        keep_clock: settings.keep_clock,
        lost: None,
        range,
    }
}

/// The extent of a file, from data that can be counted.
struct Extent {
    /// Number of pictures in the index, and how many of them lie beyond the end of the file.
    listed: Option<(u64, u64)>,
    /// Number of announced bytes that the file lacks, and of those it has.
    cut_off: Option<(u64, u64)>,
    /// Set if another stream (usually audio) continues beyond the end; the number of missing bytes is then a nominal 1.
    sound_beyond: Option<(u64, u64)>,
    /// Number of pictures in total.
    count: Option<u64>,
}

impl Extent {
    fn of(input: &mut Input, file: Option<&Path>, index: usize, settings: &InputSettings, range: Range) -> Self {
        let format = input.format().name().to_owned();
        let size = file.and_then(|file| std::fs::metadata(file).ok()).filter(|found| found.is_file());
        let length = size.map(|found| found.len());
        // Only MP4 offers an index of all its pictures.
        let whole = |file: &Path| format.contains("mp4") && !evidence::is_fragmented(file);
        let indexed = length.filter(|_| file.is_some_and(whole));
        let listed = indexed.and_then(|length| ffi::index_beyond(input, index, length));
        let others: Vec<usize> = (0..input.nb_streams() as usize).filter(|&other| other != index).collect();
        let sound_beyond = indexed.filter(|&length| {
            let beyond = |other| ffi::index_beyond(input, other, length).is_some_and(|(_, beyond)| beyond > 0);
            others.into_iter().any(beyond)
        });
        let cut_off = file.filter(|_| length.is_some()).and_then(|file| evidence::bytes_missing(file, &format));
        let count = listed.map(|(listed, _)| listed).filter(|&count| count > 0);
        let count = count.or_else(|| survey::count(file?, settings, index, range));
        let told = || input.stream(index).and_then(|stream| u64::try_from(stream.frames()).ok());
        let count = count.or_else(|| told().filter(|&frames| frames > 0));
        Self { listed, cut_off, sound_beyond: sound_beyond.map(|length| (1, length)), count }
    }
}

/// Returns a note for a stream without timestamps, whose frame rate is an assumption.
fn assumed_rate(input: &Input, rate: Option<Ratio>) -> Option<String> {
    const RAW: [&str; 13] = [
        "h264",
        "hevc",
        "m4v",
        "mpegvideo",
        "h261",
        "h263",
        "vc1",
        "cavsvideo",
        "dirac",
        "obu",
        "avs2",
        "avs3",
        "mjpeg",
    ];
    let name = input.format().name().to_owned();
    let rate = rate.filter(|_| RAW.contains(&name.as_str()))?;
    let value = (rate.value() * 1000.0).round() / 1000.0;
    Some(format!(
        "a {name} stream has no times of its own: {value} frames a second are assumed (--input-opt framerate=N with \
         --input-format {name} says otherwise)"
    ))
}
