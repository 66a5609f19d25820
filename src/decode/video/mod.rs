//! Reads the frames of a video, from a file or standard input.

mod length;
mod opening;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ffmpeg, decoder, frame};

use crate::decode::clock::Clock;
use crate::decode::damage::Damage;
use crate::decode::demux::{Demuxer, Read};
use crate::decode::ending::Claim;
use crate::decode::error::DecodeError;
use crate::decode::ingest::Ingest;
use crate::decode::layers::Layers;
use crate::decode::limits::Limits;
use crate::decode::open;
use crate::decode::{FrameSource, check_start};
use crate::media::{self as words, Frame, MediaInfo, Pixels, Range, Ratio, TimeBase, Timing, ffi};
use crate::settings::InputSettings;

/// Starts later than `SEEK_FROM` seconds are reached by seeking to `SEEK_MARGIN` seconds before them; the frames up to
/// the start are dropped.
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
    /// Whether the end of the stream was sent to the decoder.
    ended: bool,
    /// Whether the decoder has returned all its frames.
    drained: bool,
    /// The first decoded frame, read while opening.
    first: Option<frame::Video>,
    /// The stream's own time base; returned frames may use a coarser one.
    tick: TimeBase,
    clock: Clock<frame::Video>,
    /// Frames with known times that wait for conversion.
    timed: VecDeque<(frame::Video, Timing)>,
    /// The tick at which the stream begins, and the first tick to keep.
    begin: i64,
    from: i64,
    ingest: Ingest,
    ready: VecDeque<(Pixels, Timing)>,
    given: u64,
    /// Number of frames that the decoder returned.
    decoded: u64,
    damage: Damage,
    /// Number of frames in the requested range at the stream's rate, before any filter.
    expected: Option<u64>,
    /// Number of pictures in the container's index, and how many of them lie beyond the end of the file.
    listed: Option<(u64, u64)>,
    /// Number of announced bytes that the file lacks, and of those it has.
    cut_off: Option<(u64, u64)>,
    claim: Claim,
    limits: Limits,
    /// Whether reading began in the middle of the file, where a decoder may report errors at first.
    sought: bool,
    /// Whether the container may begin anywhere, as a broadcast does: damage before the first frame does not count.
    lenient: bool,
    /// Whether the container's times are unusable, and whether all frames came out at the times of their packets.
    untimed: bool,
    own_times: bool,
    /// Whether the container ends with data that FFmpeg reports as damage.
    ends_oddly: bool,
    layers: Layers,
    warnings: Vec<String>,
    notes: Vec<String>,
    /// Whether the damage, the notes on the clock and the wrong length were reported already.
    told: bool,
    told_joints: bool,
    told_claim: bool,
}

impl VideoSource {
    /// Opens a video. `file` is `None` for standard input.
    pub fn open(file: Option<&Path>, range: Range, settings: &InputSettings) -> Result<Self, DecodeError> {
        words::init();
        let path = file.unwrap_or(Path::new("-"));
        if let Some(file) = file {
            open::look_at(file)?;
        }
        check_start(path, range)?;
        if range.start > SEEK_FROM && file.is_some() {
            // The seek only helps if it lands before the first requested frame.
            if let Ok(Some(source)) = Self::open_at(path, file, range, settings, true) {
                return Ok(source);
            }
        }
        Self::open_at(path, file, range, settings, false)?.ok_or_else(|| DecodeError::NoFrame { path: path.into() })
    }

    /// Returns the next frame as the decoder returns it, `None` once it is drained.
    fn decode(&mut self) -> Result<Option<frame::Video>, DecodeError> {
        while !self.drained {
            // A broadcast may have any damage before its first frame.
            let counts = self.decoded > 0 || !self.lenient;
            if counts && self.damage.is_over(self.decoded, self.range.frames.is_some()) {
                return Err(self.damaged());
            }
            let mut frame = frame::Video::empty();
            match self.decoder.receive_frame(&mut frame) {
                Ok(()) => {
                    ffi::tidy(&mut frame);
                    self.decoded += 1;
                    // The size may change within a stream.
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

    /// Sends the decoder one packet, or the end of the stream.
    fn feed(&mut self) -> Result<(), DecodeError> {
        let sent = match self.demuxer.next().map_err(|error| self.failed(error))? {
            Read::Packet(packet) => {
                self.damage.losses.sent(&packet);
                if let Some(lost) = self.layers.look(&packet) {
                    self.warnings.push(lost.clone());
                    if let Some(source) = &mut self.info.source {
                        source.lost = Some(lost);
                    }
                }
                self.decoder.send_packet(&packet)
            }
            Read::Damage => {
                // In these containers, the data at the end is not part of the video.
                if !self.ends_oddly {
                    self.damage.error();
                }
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

    /// Returns the next frame with its time; `None` at the end.
    fn next_timed(&mut self) -> Result<Option<(frame::Video, Timing)>, DecodeError> {
        loop {
            if let Some(timed) = self.timed.pop_front() {
                return Ok(Some(timed));
            }
            let next = match self.first.take() {
                Some(frame) => {
                    // A broadcast may begin, and a seek may land, between two key frames: damage before the first good
                    // frame was never part of the video.
                    if self.lenient || self.sought {
                        self.damage.forget();
                    }
                    Some(frame)
                }
                None => self.decode()?,
            };
            let Some(frame) = next else {
                self.timed.extend(self.clock.finish());
                return Ok(self.timed.pop_front());
            };
            let (tick, base) = (self.tick, self.clock.base());
            let pts = frame.timestamp().or(frame.pts()).filter(|_| !self.untimed);
            self.own_times &= pts == frame.pts();
            let pts = pts.map(|pts| tick.convert(pts, base));
            let duration = tick.convert(frame.packet().duration, base);
            self.timed.extend(self.clock.push(frame, pts, duration));
        }
    }

    /// Decodes until a frame is ready. Returns `false` at the end.
    fn advance(&mut self) -> Result<bool, DecodeError> {
        while self.ready.is_empty() {
            let Some((frame, timing)) = self.next_timed()? else {
                self.ingest.finish(&mut self.ready)?;
                self.drop_early();
                return Ok(!self.ready.is_empty());
            };
            self.limits.duration(&self.path, timing.base.seconds(timing.pts.saturating_sub(self.from)))?;
            let early = self.is_early(timing);
            if early {
                self.damage.forget();
            }
            // Such a frame is converted only if the deinterlacer needs it as a reference.
            if early && (!frame.is_interlaced() || self.ingest.has_filter()) {
                continue;
            }
            self.ingest.push(frame, timing, &mut self.ready)?;
            self.drop_early();
        }
        Ok(true)
    }

    /// Whether a frame comes before the requested range. Without a start, no frame does, whatever a header says about
    /// the beginning.
    fn is_early(&self, timing: Timing) -> bool {
        self.range.start > 0.0 && timing.pts < self.from
    }

    fn drop_early(&mut self) {
        // The user's filters may change the clock, and they never get the early frames.
        if !self.ingest.has_filter() {
            let (from, part) = (self.from, self.range.start > 0.0);
            self.ready.retain(|(_, timing)| !part || timing.pts >= from);
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

/// Whether a container has no defined beginning.
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
        self.clock.base().seconds(self.begin)
    }

    fn next(&mut self) -> Result<Option<Frame>, DecodeError> {
        if self.range.frames.is_some_and(|limit| self.given >= limit) {
            if self.damage.is_over(self.decoded, true) {
                return Err(self.damaged());
            }
            // Any further damage lies behind the requested range.
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
        let own = self.own_times && self.clock.spread() == 0;
        own && !self.ingest.has_filter() && self.damage.places() == 0 && self.damage.losses.watches()
    }

    fn take_warnings(&mut self) -> Vec<String> {
        let mut warnings = std::mem::take(&mut self.warnings);
        warnings.extend(self.ingest.take_notes());
        warnings
    }

    fn take_notes(&mut self) -> Vec<String> {
        let mut notes = std::mem::take(&mut self.notes);
        if self.drained && !std::mem::replace(&mut self.told_joints, true) {
            notes.extend(self.demuxer.clock.joint_note());
            let spread = self.clock.spread();
            notes.extend(
                (spread > 0).then(|| format!("{spread} frames share their times with others: they are spread evenly")),
            );
        }
        notes
    }
}
