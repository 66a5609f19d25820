//! Frames of a video, from a file or standard input.

mod length;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ffmpeg, decoder, frame};

use crate::decode::clock::Clock;
use crate::decode::container;
use crate::decode::damage::{Damage, Losses};
use crate::decode::demux::{Demuxer, Read};
use crate::decode::ending::Promise;
use crate::decode::error::DecodeError;
use crate::decode::ingest::Ingest;
use crate::decode::limits::Limits;
use crate::decode::open;
use crate::decode::turn::Turn;
use crate::decode::{FrameSource, check_start};
use crate::media::{self as words, Frame, MediaInfo, Pixels, Range, Ratio, Samples, Source, TimeBase, Timing, ffi};
use crate::settings::InputSettings;

/// A start later than this is sought, up to `SEEK_MARGIN` seconds before it; frames from there are dropped.
const SEEK_FROM: f64 = 4.0;
const SEEK_MARGIN: f64 = 2.0;

/// Decodes one video stream in display order.
pub(super) struct VideoSource {
    path: PathBuf,
    info: MediaInfo,
    range: Range,
    /// Frame rate of the stream.
    rate: Option<Ratio>,
    demuxer: Demuxer,
    decoder: decoder::Video,
    /// Whether the decoder was told that no more packets come.
    ended: bool,
    /// Whether the decoder has been emptied.
    drained: bool,
    /// The first decoded frame, read at opening.
    first: Option<frame::Video>,
    clock: Clock,
    /// Where the stream begins, and the first tick to keep.
    begin: i64,
    from: i64,
    ingest: Ingest,
    ready: VecDeque<(Pixels, Timing)>,
    given: u64,
    /// Frames that the decoder gave.
    decoded: u64,
    damage: Damage,
    /// Frames of the stream's rate that the wanted part should have, before any filter.
    expected: Option<u64>,
    /// Pictures in the index of the container, and how many of them lie beyond the end of the file.
    listed: Option<(u64, u64)>,
    /// Whether the file is shorter than its header says.
    cut_off: bool,
    promise: Promise,
    limits: Limits,
    /// Whether reading began in the middle, where a decoder may stumble before it finds its feet.
    sought: bool,
    /// Whether the container may begin anywhere, as a broadcast does: damage before the first frame does not count.
    lenient: bool,
    notes: Vec<String>,
    /// Whether the damage has been told.
    told: bool,
}

impl VideoSource {
    /// `file` is `None` for standard input.
    pub fn open(file: Option<&Path>, range: Range, settings: &InputSettings) -> Result<Self, DecodeError> {
        words::init();
        let path = file.unwrap_or(Path::new("-"));
        if let Some(file) = file {
            open::look_at(file)?;
        }
        check_start(path, range)?;
        if range.start > SEEK_FROM && file.is_some() {
            // Only worth anything if it lands before the first frame wanted.
            if let Ok(Some(source)) = Self::open_at(path, file, range, settings, true) {
                return Ok(source);
            }
        }
        Self::open_at(path, file, range, settings, false)?.ok_or_else(|| DecodeError::NoFrame { path: path.into() })
    }

    /// `None` if there is no frame, or if seeking was asked for and did not lead to the right place.
    fn open_at(
        path: &Path,
        file: Option<&Path>,
        range: Range,
        settings: &InputSettings,
        seek: bool,
    ) -> Result<Option<Self>, DecodeError> {
        let fail = |doing| move |source| DecodeError::Libav { path: path.into(), doing, source };
        let mut input = open::demuxer(path, file, settings)?;
        let index = open::video_stream(&input).ok_or_else(|| DecodeError::NoVideo { path: path.into() })?;
        let limits = Limits::of(settings);
        limits.check_header(path, &input, index, range)?;
        let rate = ffi::guess_frame_rate(&mut input, index);
        let promise = Promise::of(&input, index);
        let (decoder, note) = open::video_decoder(path, &input, index)?;
        let mut notes: Vec<String> = note.into_iter().collect();
        if file.is_none() {
            notes.extend(open::left_out(&input, index));
        }
        let format = input.format().name().to_owned();
        let length = file.and_then(|file| std::fs::metadata(file).ok()).map(|file| file.len());
        // Only MP4 has an index of every picture at hand.
        let listed = length.filter(|_| format.contains("mp4")).and_then(|n| ffi::index_beyond(&mut input, index, n));
        let cut_off = file.filter(|_| format.contains("matroska")).and_then(container::bytes_missing);
        let stream = input.stream(index).ok_or(ffmpeg::Error::StreamNotFound).map_err(fail("reading its streams"))?;
        let base = TimeBase::from(stream.time_base());
        let turn = Turn::of(&stream);
        let codec = stream.parameters().id().name();
        let begin = (stream.start_time() != i64::MIN).then(|| stream.start_time());
        let count = listed.map(|(listed, _)| listed).or_else(|| u64::try_from(stream.frames()).ok()).filter(|&n| n > 0);
        if seek {
            // Containers with an index only: elsewhere seeking is a guess.
            let indexed = ["mp4", "matroska"].iter().any(|name| format.contains(name));
            let (true, Some(begin)) = (indexed, begin) else { return Ok(None) };
            let micros = (1e6 * (base.seconds(begin) + range.start - SEEK_MARGIN)) as i64;
            if input.seek(micros, ..micros).is_err() {
                return Ok(None);
            }
        }
        let source = file.map(|file| Source {
            path: file.into(),
            format: settings.format.trim().into(),
            options: settings.options.iter().cloned().chain(open::protocols(settings)).collect(),
            stream: index,
            range,
        });
        let mut source = Self {
            path: path.into(),
            info: MediaInfo {
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
            },
            range,
            rate,
            demuxer: Demuxer::new(input, index),
            decoder,
            ended: false,
            drained: false,
            first: None,
            clock: Clock::new(base, rate),
            begin: 0,
            from: i64::MIN,
            ingest: Ingest::new(path, settings, turn, rate, None, codec),
            ready: VecDeque::new(),
            given: 0,
            decoded: 0,
            damage: Damage::new(settings.max_corrupt, Losses::new(&format, codec)),
            expected: None,
            listed,
            cut_off: cut_off.is_some(),
            promise,
            limits,
            sought: seek,
            lenient: begins_anywhere(&format),
            notes,
            told: false,
        };
        let begins = base.seconds(begin.unwrap_or(0));
        source.expected = source.remaining(count.or_else(|| promise.frames(begins, rate)));
        limits.frames(path, source.expected.unwrap_or(0))?;
        source.check_length(cut_off)?;
        let Some(mut first) = source.decode()? else { return Ok(None) };
        let begin = begin.or(first.timestamp()).unwrap_or(0);
        source.begin = begin;
        source.from = begin.saturating_add(base.ticks(range.start));
        if seek && first.timestamp().is_none_or(|pts| pts > source.from) {
            return Ok(None);
        }
        let aspect = ffi::guess_sample_aspect(&mut source.demuxer.input, index, &mut first);
        source.ingest = Ingest::new(path, settings, turn, rate, aspect, codec);
        source.first = Some(first);
        source.describe(aspect, turn)?;
        Ok(Some(source))
    }

    /// Reads up to the first frame that is given, which alone tells for certain what comes out.
    fn describe(&mut self, aspect: Option<Ratio>, turn: Turn) -> Result<(), DecodeError> {
        self.info.sample_aspect =
            if turn.swaps { aspect.map(|aspect| Ratio::new(aspect.den, aspect.num)) } else { aspect };
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

    fn stream_base(&self) -> ffmpeg::Rational {
        let stream = self.demuxer.input.stream(self.demuxer.stream);
        stream.map_or(ffmpeg::Rational::new(1, 1), |stream| stream.time_base())
    }

    /// The next frame as the decoder gives it, `None` once it is drained.
    fn decode(&mut self) -> Result<Option<frame::Video>, DecodeError> {
        while !self.drained {
            // Before the first frame of a broadcast there may be anything.
            let counts = self.decoded > 0 || !self.lenient;
            if counts && self.damage.is_over(self.decoded, self.range.frames.is_some()) {
                return Err(self.damaged());
            }
            let mut frame = frame::Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    ffi::tidy(&mut frame);
                    self.decoded += 1;
                    // A stream may change its size.
                    self.limits.size(&self.path, frame.width().into(), frame.height().into())?;
                    if frame.is_interlaced() {
                        self.damage.losses.stop();
                    }
                    self.damage.frame(frame.pts(), frame.is_corrupt() || frame.has_decode_errors());
                    return Ok(Some(frame));
                }
                Err(ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) if !self.ended => self.feed()?,
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => {
                    self.drained = true;
                    self.damage.end();
                }
                Err(ffmpeg::Error::InvalidData) => self.damage.error(),
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(None)
    }

    /// Gives the decoder one packet, or the news that there are no more.
    fn feed(&mut self) -> Result<(), DecodeError> {
        let sent = match self.demuxer.next().map_err(|error| self.failed(error))? {
            Read::Packet(packet) => {
                self.damage.losses.sent(&packet);
                self.decoder.send_packet(&packet)
            }
            Read::Damage => {
                self.damage.error();
                return Ok(());
            }
            Read::End => {
                self.ended = true;
                self.decoder.send_eof()
            }
        };
        match sent {
            Err(ffmpeg::Error::InvalidData) => {
                self.damage.error();
                Ok(())
            }
            Err(ffmpeg::Error::Eof) => Ok(()),
            other => other.map_err(|error| self.failed(error)),
        }
    }

    /// Decodes until a frame is ready. `false` at the end.
    fn advance(&mut self) -> Result<bool, DecodeError> {
        while self.ready.is_empty() {
            let next = match self.first.take() {
                Some(frame) => {
                    // A broadcast may begin, and a seek land, between two key frames: what is damaged before the
                    // first good frame was never part of the video.
                    if self.lenient || self.sought {
                        self.damage.forget();
                    }
                    Some(frame)
                }
                None => self.decode()?,
            };
            let Some(frame) = next else {
                self.ingest.finish(&mut self.ready)?;
                self.drop_early();
                return Ok(!self.ready.is_empty());
            };
            let timing = self.clock.time(frame.timestamp().or(frame.pts()), frame.packet().duration);
            self.limits.duration(&self.path, timing.base.seconds(timing.pts.saturating_sub(self.from)))?;
            let early = timing.pts < self.from;
            if early {
                self.damage.forget();
            }
            // Not worth converting, unless the deinterlacer looks back at it.
            if early && (!frame.is_interlaced() || self.ingest.has_filter()) {
                continue;
            }
            self.ingest.push(frame, timing, &mut self.ready)?;
            self.drop_early();
        }
        Ok(true)
    }

    fn drop_early(&mut self) {
        // The user's filters may have a clock of their own, and have not seen what is early.
        if !self.ingest.has_filter() {
            self.ready.retain(|(_, timing)| timing.pts >= self.from);
        }
    }

    fn damaged(&self) -> DecodeError {
        DecodeError::Damaged {
            path: self.path.clone(),
            places: self.damage.places(),
            frames: self.decoded,
            expected: self.expected,
        }
    }

    fn failed(&self, source: ffmpeg::Error) -> DecodeError {
        DecodeError::Libav { path: self.path.clone(), doing: "decoding", source }
    }
}

/// Containers without a beginning of their own.
fn begins_anywhere(demuxer: &str) -> bool {
    demuxer.split(',').any(|name| {
        ["mpegts", "mpeg", "h264", "hevc", "mpegvideo", "m4v", "h263", "h261", "obu", "vc1", "cavsvideo", "dirac"]
            .contains(&name)
    })
}

impl FrameSource for VideoSource {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn begin(&self) -> f64 {
        TimeBase::from(self.stream_base()).seconds(self.begin)
    }

    fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        if self.range.frames.is_some_and(|limit| self.given >= limit) {
            if self.damage.is_over(self.decoded, true) {
                return Err(self.damaged());
            }
            // What more damage there is lies behind the wanted part.
            if self.damage.places() <= self.damage.limit {
                self.note_damage(0);
            }
            return Ok(None);
        }
        let more = self.advance()?;
        let Some((pixels, timing)) = self.ready.pop_front().filter(|_| more) else {
            self.check_end()?;
            return Ok(None);
        };
        let index = self.given;
        self.given += 1;
        self.limits.frames(&self.path, self.given)?;
        Ok(Some(Frame { pixels, timing, index }))
    }

    fn gave_every_frame(&self) -> bool {
        !self.ingest.has_filter() && self.damage.places() == 0 && self.damage.losses.watches()
    }

    fn take_warnings(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.ingest.take_notes());
        notes
    }
}
