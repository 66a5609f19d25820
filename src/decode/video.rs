//! Frames of a video file.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, codec, decoder, frame, media, threading};

use super::FrameSource;
use super::clock::Clock;
use super::demux::Demuxer;
use super::ending::Promise;
use super::error::DecodeError;
use super::ingest::{Ingest, Turn, color_of};
use crate::media::{self as words, Frame, MediaInfo, Pixels, Range, Ratio, Samples, Source, TimeBase, Timing, ffi};
use crate::settings::InputSettings;

/// A start later than this is sought, up to `SEEK_MARGIN` seconds before it; frames from there are dropped.
const SEEK_FROM: f64 = 4.0;
const SEEK_MARGIN: f64 = 2.0;

/// A decoder may have read so many frames ahead of the one it gives.
const LOOKAHEAD: u64 = 64;

/// Decodes one video stream in display order.
pub(super) struct VideoSource {
    path: PathBuf,
    info: MediaInfo,
    range: Range,
    demuxer: Demuxer,
    decoder: decoder::Video,
    /// Whether the decoder was told that no more packets come.
    ended: bool,
    /// Whether the decoder has been emptied.
    drained: bool,
    /// The first decoded frame, read at opening.
    first: Option<frame::Video>,
    clock: Clock,
    /// The first tick to keep.
    from: i64,
    ingest: Ingest,
    ready: VecDeque<(Pixels, Timing)>,
    given: u64,
    /// Frames the decoder gave, and how many those were when damage was first met.
    decoded: u64,
    damaged_at: Option<u64>,
    /// Frames that the decoder itself marked as damaged.
    marked: u64,
    promise: Promise,
    /// Whether reading began in the middle, where a decoder may stumble before it finds its feet.
    sought: bool,
}

impl VideoSource {
    pub fn open(path: &Path, range: Range, settings: &InputSettings) -> Result<Self, DecodeError> {
        words::init();
        look_at(path)?;
        if !(range.start.is_finite() && range.start >= 0.0) {
            return Err(DecodeError::BadStart { path: path.into(), start: range.start });
        }
        if range.start > SEEK_FROM {
            // Only worth anything if it lands before the first frame wanted.
            if let Ok(Some(source)) = Self::open_at(path, range, settings, true) {
                return Ok(source);
            }
        }
        Self::open_at(path, range, settings, false)?.ok_or_else(|| DecodeError::NoFrame { path: path.into() })
    }

    /// `None` if seeking was asked for and did not lead to the right place.
    fn open_at(path: &Path, range: Range, _settings: &InputSettings, seek: bool) -> Result<Option<Self>, DecodeError> {
        let fail = |doing| move |source| DecodeError::Libav { path: path.into(), doing, source };
        let mut input = ffi::open_input(path).map_err(|error| match error {
            ffmpeg::Error::InvalidData => DecodeError::NotMedia { path: path.into() },
            error => fail("opening it")(error),
        })?;
        let index = video_stream(&input).ok_or_else(|| DecodeError::NoVideo { path: path.into() })?;
        let rate = ffi::guess_frame_rate(&mut input, index);
        let promise = Promise::of(&input, index);
        let decoder = open_decoder(path, &input, index)?;
        let stream = input.stream(index).ok_or(ffmpeg::Error::StreamNotFound).map_err(fail("reading its streams"))?;
        let base = TimeBase::from(stream.time_base());
        let turn = Turn::of(&stream);
        let codec = stream.parameters().id().name();
        let begin = (stream.start_time() != i64::MIN).then(|| stream.start_time());
        let count = u64::try_from(stream.frames()).ok().filter(|&count| count > 0);
        if seek {
            // Containers with an index only: elsewhere seeking is a guess.
            let indexed = ["mp4", "matroska"].iter().any(|name| input.format().name().contains(name));
            let (true, Some(begin)) = (indexed, begin) else { return Ok(None) };
            let micros = (1e6 * (base.seconds(begin) + range.start - SEEK_MARGIN)) as i64;
            if input.seek(micros, ..micros).is_err() {
                return Ok(None);
            }
        }
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
                source: Some(Source { path: path.into(), stream: index, range }),
            },
            range,
            demuxer: Demuxer::new(input, index),
            decoder,
            ended: false,
            drained: false,
            first: None,
            clock: Clock::new(base, rate),
            from: i64::MIN,
            ingest: Ingest::new(0, 0, turn, base),
            ready: VecDeque::new(),
            given: 0,
            decoded: 0,
            damaged_at: None,
            marked: 0,
            promise,
            sought: seek,
        };
        let Some(mut first) = source.decode().map_err(fail("decoding"))? else { return Ok(None) };
        let begin = begin.or(first.timestamp()).unwrap_or(0);
        source.from = begin + base.ticks(range.start);
        if seek && first.timestamp().is_none_or(|pts| pts > source.from) {
            return Ok(None);
        }
        source.describe(&mut first, turn)?;
        let expected = count.or_else(|| promise.frames(base.seconds(begin), rate));
        source.info.frames = source.remaining(expected);
        source.first = Some(first);
        Ok(Some(source))
    }

    /// What only the first frame tells for certain: size, pixel shape, colours.
    fn describe(&mut self, first: &mut frame::Video, turn: Turn) -> Result<(), DecodeError> {
        let color = color_of(first);
        if let Some(transfer) = color.hdr() {
            return Err(DecodeError::Hdr { path: self.path.clone(), transfer });
        }
        if color.scale_matrix().is_none() {
            let matrix = color.matrix.name().unwrap_or("an unknown matrix");
            return Err(DecodeError::Colour { path: self.path.clone(), matrix });
        }
        let aspect = ffi::guess_sample_aspect(&mut self.demuxer.input, self.demuxer.stream, first);
        let (width, height) = (first.width(), first.height());
        self.ingest = Ingest::new(width, height, turn, self.info.base);
        let (width, height) = (width as usize, height as usize);
        self.info.color = color;
        self.info.samples = ffi::samples_of(first.format());
        self.info.sample_aspect = aspect;
        (self.info.width, self.info.height) = (width, height);
        if turn.swaps {
            (self.info.width, self.info.height) = (height, width);
            self.info.sample_aspect = aspect.map(|aspect| Ratio::new(aspect.den, aspect.num));
        }
        Ok(())
    }

    /// Of the frames of the whole stream, how many are in the range.
    fn remaining(&self, whole: Option<u64>) -> Option<u64> {
        let skipped = self.info.rate.map_or(0.0, |rate| self.range.start * rate.value()) as u64;
        let rest = whole.map(|whole| whole.saturating_sub(skipped));
        match (rest, self.range.frames) {
            (Some(rest), Some(limit)) => Some(rest.min(limit)),
            (rest, _) => rest,
        }
    }

    /// The next frame as the decoder gives it, `None` once it is drained.
    fn decode(&mut self) -> Result<Option<frame::Video>, ffmpeg::Error> {
        while !self.drained {
            if self.demuxer.damaged > 0 {
                self.damaged_at.get_or_insert(self.decoded);
            }
            let mut frame = frame::Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    self.decoded += 1;
                    if frame.is_corrupt() || frame.has_decode_errors() {
                        self.marked += 1;
                        self.demuxer.note_damage()?;
                    }
                    return Ok(Some(frame));
                }
                Err(ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) if !self.ended => self.feed()?,
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => self.drained = true,
                Err(ffmpeg::Error::InvalidData) => self.demuxer.note_damage()?,
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Gives the decoder one packet, or the news that there are no more.
    fn feed(&mut self) -> Result<(), ffmpeg::Error> {
        let sent = match self.demuxer.next()? {
            Some(packet) => self.decoder.send_packet(&packet),
            None => {
                self.ended = true;
                self.decoder.send_eof()
            }
        };
        match sent {
            Err(ffmpeg::Error::InvalidData) => self.demuxer.note_damage(),
            Err(ffmpeg::Error::Eof) => Ok(()),
            other => other,
        }
    }

    /// Decodes until a frame is ready. `false` at the end.
    fn advance(&mut self) -> Result<bool, ffmpeg::Error> {
        while self.ready.is_empty() {
            let next = match self.first.take() {
                // A broadcast may begin, and a seek land, between two key frames: what is damaged before the first
                // good frame was never part of the video.
                Some(frame) => {
                    self.forget_damage();
                    Some(frame)
                }
                None => self.decode()?,
            };
            let Some(frame) = next else {
                self.ingest.flush(&mut self.ready)?;
                self.drop_early();
                return Ok(!self.ready.is_empty());
            };
            let timing = self.clock.time(frame.timestamp().or(frame.pts()), frame.packet().duration);
            let early = timing.pts < self.from;
            if early && self.sought {
                self.forget_damage();
            }
            // Not worth converting, unless the deinterlacer looks back at it.
            if early && !frame.is_interlaced() {
                continue;
            }
            self.ingest.push(frame, timing, &mut self.ready)?;
            self.drop_early();
        }
        Ok(true)
    }

    fn forget_damage(&mut self) {
        self.demuxer.damaged = 0;
        self.damaged_at = None;
        self.marked = 0;
    }

    fn drop_early(&mut self) {
        self.ready.retain(|(_, timing)| timing.pts >= self.from);
    }

    /// Whether what was read is all there is, and sound. Where only a limited number of frames was wanted, the decoder
    /// has looked beyond them: damage counts if it is certain to lie among them.
    fn check_end(&self, limited: bool) -> Result<(), DecodeError> {
        let (path, frames) = (self.path.clone(), self.given);
        let expected = self.info.frames;
        if !limited && self.promise.is_broken(&self.demuxer, self.info.rate) {
            return Err(DecodeError::EndsEarly { path, frames, expected });
        }
        let inside = self.marked > 0 || self.damaged_at.is_some_and(|at| at + LOOKAHEAD < self.decoded);
        let damaged = if limited { inside } else { self.demuxer.damaged > 0 };
        if damaged {
            return Err(DecodeError::Damaged { path, places: self.demuxer.damaged, frames, expected });
        }
        if frames == 0 && !limited {
            return Err(DecodeError::StartsAfterEnd { path, start: self.range.start });
        }
        Ok(())
    }
}

impl FrameSource for VideoSource {
    fn info(&self) -> &MediaInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        if self.range.frames.is_some_and(|limit| self.given >= limit) {
            self.check_end(true)?;
            return Ok(None);
        }
        let more = self.advance().map_err(|source| match source {
            ffmpeg::Error::InvalidData => DecodeError::Damaged {
                path: self.path.clone(),
                places: self.demuxer.damaged,
                frames: self.given,
                expected: self.info.frames,
            },
            source => DecodeError::Libav { path: self.path.clone(), doing: "decoding", source },
        })?;
        let Some((pixels, timing)) = self.ready.pop_front().filter(|_| more) else {
            self.check_end(false)?;
            return Ok(None);
        };
        let index = self.given;
        self.given += 1;
        Ok(Some(Frame { pixels, timing, index }))
    }
}

/// What can be said about a path before FFmpeg sees it.
pub(crate) fn look_at(path: &Path) -> Result<(), DecodeError> {
    let path = || path.to_path_buf();
    match std::fs::metadata(path()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(DecodeError::Missing { path: path() }),
        Err(source) => Err(DecodeError::Io { path: path(), source }),
        Ok(found) if found.is_dir() => Err(DecodeError::Folder { path: path() }),
        Ok(found) if found.is_file() && found.len() == 0 => Err(DecodeError::Empty { path: path() }),
        // Opening it here tells a lack of permission in the system's own words.
        Ok(_) => std::fs::File::open(path()).map(drop).map_err(|source| DecodeError::Io { path: path(), source }),
    }
}

/// FFmpeg's choice of the main video stream, never a cover picture.
pub(crate) fn video_stream(input: &ffmpeg::format::context::Input) -> Option<usize> {
    let is_film = |stream: &ffmpeg::Stream| {
        stream.parameters().medium() == media::Type::Video && !stream.disposition().contains(Disposition::ATTACHED_PIC)
    };
    let best = input.streams().best(media::Type::Video).filter(is_film);
    best.or_else(|| input.streams().find(is_film)).map(|stream| stream.index())
}

pub(crate) fn open_decoder(
    path: &Path,
    input: &ffmpeg::format::context::Input,
    index: usize,
) -> Result<decoder::Video, DecodeError> {
    let fail = |source| DecodeError::Libav { path: path.into(), doing: "opening its decoder", source };
    let stream = input.stream(index).ok_or(ffmpeg::Error::StreamNotFound).map_err(fail)?;
    let mut context = codec::Context::from_parameters(stream.parameters()).map_err(fail)?;
    context.set_threading(threading::Config { kind: threading::Type::Frame, count: 0, ..Default::default() });
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    decoder.video().map_err(|error| match error {
        ffmpeg::Error::DecoderNotFound => {
            DecodeError::Codec { path: path.into(), codec: stream.parameters().id().name() }
        }
        error => fail(error),
    })
}
