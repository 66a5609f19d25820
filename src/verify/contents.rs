//! The contents of a file, in a form that can be compared with another file.

use ffmpeg_next::{codec, media};

use super::container::Container;
use super::tags::Tags;
use crate::decode::Rotation;
use crate::media::ffi::read::Parameters;
use crate::media::{ColorInfo, Ratio, Samples, TimeBase};

/// How the frames of the video are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// By packets, without decoding. This is fast and suits files in which every packet is a frame with a pts. If a
    /// packet has no pts, the file is decoded after all.
    Packets,
    /// By decoding all frames, which gives what a viewer sees.
    Decoded,
    /// By packets in any case, without hashing the video. For comparing everything except the video.
    AllButVideo,
}

/// Streams, packets, tags and chapters of a file, with hashes instead of bytes.
#[derive(Debug, Clone)]
pub struct Contents {
    pub(super) container: Container,
    pub(super) video: Video,
    /// All other streams with packets over time, in order.
    pub(super) tracks: Vec<Track>,
    pub(super) covers: Vec<Attached>,
    pub(super) attachments: Vec<Attached>,
    pub(super) chapters: Vec<Chapter>,
    pub(super) tags: Tags,
    /// Whether the file's clock begins far from 0, as in a broadcast.
    pub(super) is_far: bool,
}

/// Properties that all streams have.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    /// Index in the file, from 0.
    pub index: usize,
    pub medium: media::Type,
    pub codec: codec::Id,
    pub parameters: Parameters,
    pub base: TimeBase,
    /// Bits of FFmpeg's dispositions.
    pub dispositions: i32,
    pub tags: Tags,
    /// The end that the header states, in seconds.
    pub end: Option<f64>,
}

/// The video that is painted.
#[derive(Debug, Clone)]
pub(super) struct Video {
    pub stream: Stream,
    /// Timestamps of the frames in ticks, in display order.
    pub frames: Vec<i64>,
    /// Where the last frame ends by the durations of the packets, in seconds. (Headers have it in `stream.end`.)
    pub end: Option<f64>,
    /// Average rate as the container has it.
    pub rate: Option<Ratio>,
    pub rotation: Rotation,
    /// Size and sample aspect ratio of the upright picture.
    pub width: u32,
    pub height: u32,
    pub sample_aspect: Option<Ratio>,
    pub color: ColorInfo,
    pub samples: Samples,
    /// Chained hash of all packets.
    pub hash: u64,
    /// Whether every frame's time is known.
    pub timed: bool,
}

/// A stream other than the painted one, with all its packets.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub stream: Stream,
    pub packets: Vec<Packet>,
    /// Plain text of each packet of a text subtitle.
    pub words: Vec<String>,
    /// Size and hash of all PCM bytes, which some containers split into different packets. `None` for other codecs.
    pub samples: Option<(usize, u64)>,
    /// Whether the stream begins in the middle; there muxers drop or move packets that cannot be decoded.
    pub begins_late: bool,
}

/// A packet, with its times in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Packet {
    pub pts: Option<i64>,
    pub dts: Option<i64>,
    /// 0 if unknown.
    pub duration: i64,
    /// Number of bytes that are hashed.
    pub size: usize,
    pub hash: u64,
    /// Whether an edit list hides it.
    pub hidden: bool,
}

/// A cover picture or an attached file.
#[derive(Debug, Clone)]
pub(super) struct Attached {
    pub stream: Stream,
    pub size: usize,
    pub hash: u64,
}

/// A chapter, with its times in seconds.
#[derive(Debug, Clone)]
pub(super) struct Chapter {
    pub base: TimeBase,
    pub start: f64,
    pub end: f64,
    pub tags: Tags,
}

impl Stream {
    /// Returns the name for messages: `stream 1 (audio, aac)`.
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

    /// Returns the language. `und` counts as none; some containers write it for an unknown language.
    pub fn language(&self) -> Option<&str> {
        self.tags.get("language").filter(|language| *language != "und")
    }
}

impl Contents {
    /// Returns the number of frames of the video.
    pub fn frames(&self) -> u64 {
        self.video.frames.len() as u64
    }

    /// Times of the frames of the video in the order they are shown, in ticks of their base; `None` if some do not say.
    pub fn times(&self) -> Option<(TimeBase, &[i64])> {
        self.video.timed.then_some((self.video.stream.base, self.video.frames.as_slice()))
    }

    /// Whether the file's clock begins far from 0, as in a broadcast.
    #[must_use]
    pub fn begins_far(&self) -> bool {
        self.is_far
    }

    /// Returns the earliest time in all streams except those in `without`, in seconds.
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
