//! What a file holds, as far as it can be compared with another.

use ffmpeg_next::{codec, media};

use super::container::Container;
use super::tags::Tags;
use crate::decode::Turn;
use crate::media::ffi::read::Parameters;
use crate::media::{ColorInfo, Ratio, Samples, TimeBase};

/// How the frames of the video are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// By their packets, without decoding: fast, for files in which every packet is a frame and says when it is
    /// shown. Files in which a packet does not say so are decoded all the same.
    Packets,
    /// By decoding all of them: what a viewer sees.
    Decoded,
    /// By their packets, whatever these say; without the bytes of the video. For what is beside it.
    Beside,
}

/// Streams, packets, tags and chapters of a file, without their bytes.
#[derive(Debug, Clone)]
pub struct Contents {
    pub(super) container: Container,
    pub(super) video: Video,
    /// All other streams that are spread over time, in order.
    pub(super) tracks: Vec<Track>,
    pub(super) covers: Vec<Attached>,
    pub(super) attachments: Vec<Attached>,
    pub(super) chapters: Vec<Chapter>,
    pub(super) tags: Tags,
    /// Whether its clock begins far from 0, as a broadcast's does.
    pub(super) is_far: bool,
}

/// What all streams have.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// In the file, from 0.
    pub index: usize,
    pub medium: media::Type,
    pub codec: codec::Id,
    pub parameters: Parameters,
    pub base: TimeBase,
    /// Bits of FFmpeg's dispositions.
    pub dispositions: i32,
    pub tags: Tags,
    /// Where the header says that it ends, in seconds.
    pub end: Option<f64>,
}

/// The video that is painted.
#[derive(Debug, Clone)]
pub(super) struct Video {
    pub stream: Stream,
    /// Times of the frames in ticks, in the order they are shown.
    pub frames: Vec<i64>,
    /// Where the last frame ends by the durations of the packets, in seconds. (Headers have it in `stream.end`.)
    pub end: Option<f64>,
    /// Average rate as the container has it.
    pub rate: Option<Ratio>,
    pub turn: Turn,
    /// Size and shape of a pixel of the upright picture.
    pub width: u32,
    pub height: u32,
    pub sample_aspect: Option<Ratio>,
    pub color: ColorInfo,
    pub samples: Samples,
    /// Hashes of all packets, one over the other.
    pub hash: u64,
    /// Whether every frame's time is known.
    pub timed: bool,
}

/// Another stream with all its packets.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub stream: Stream,
    pub packets: Vec<Packet>,
    /// The words of each packet of a text subtitle.
    pub words: Vec<String>,
    /// Size and hash of all bytes of PCM, which some containers cut into other packets. `None` for anything else.
    pub samples: Option<(usize, u64)>,
    /// Whether it begins in the middle, where muxers leave out what cannot be decoded, or move it.
    pub begins_late: bool,
}

/// A packet. Times in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    pub pts: Option<i64>,
    pub dts: Option<i64>,
    /// 0 if unknown.
    pub duration: i64,
    /// Of what is hashed.
    pub size: usize,
    pub hash: u64,
    /// Whether an edit list cuts it off.
    pub hidden: bool,
}

/// A cover picture or an attached file.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    pub stream: Stream,
    pub size: usize,
    pub hash: u64,
}

/// Times in seconds.
#[derive(Debug, Clone)]
pub(super) struct Chapter {
    pub base: TimeBase,
    pub start: f64,
    pub end: f64,
    pub tags: Tags,
}

impl Stream {
    /// For messages: `stream 1 (audio, aac)`.
    pub fn name(&self) -> String {
        format!("stream {} ({}, {})", self.index, self.kind(), self.codec.name())
    }

    pub fn kind(&self) -> &'static str {
        match self.medium {
            media::Type::Video => "video",
            media::Type::Audio => "audio",
            media::Type::Subtitle => "subtitles",
            media::Type::Attachment => "attachment",
            media::Type::Data => "data",
            media::Type::Unknown => "unknown",
        }
    }

    /// `und`, which some containers write for it, is no language.
    pub fn language(&self) -> Option<&str> {
        self.tags.get("language").filter(|language| *language != "und")
    }
}

impl Contents {
    /// Number of frames of the video.
    pub fn frames(&self) -> u64 {
        self.video.frames.len() as u64
    }

    /// Times of the frames of the video in the order they are shown, in ticks of their base; `None` if some do not say.
    pub fn times(&self) -> Option<(TimeBase, &[i64])> {
        self.video.timed.then_some((self.video.stream.base, self.video.frames.as_slice()))
    }

    /// Whether its clock begins far from 0, as a broadcast's does.
    #[must_use]
    pub fn begins_far(&self) -> bool {
        self.is_far
    }

    /// The earliest time of anything in the streams that are not in `without`, in seconds.
    pub(super) fn earliest(&self, without: &[usize]) -> f64 {
        let video = self.video.frames.first().map(|&pts| self.video.stream.base.seconds(pts));
        let tracks = self.tracks.iter().filter(|track| !without.contains(&track.stream.index));
        let times = tracks.flat_map(|track| {
            let base = track.stream.base;
            track.packets.iter().filter_map(move |packet| packet.pts.map(|pts| base.seconds(pts)))
        });
        times.chain(video).fold(f64::INFINITY, f64::min)
    }
}
