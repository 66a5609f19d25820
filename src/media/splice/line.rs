//! The state of one stream's clock, updated with each packet, and the detection of its breaks.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, Packet, media};

use crate::media::TimeBase;

/// A clock falls back where decoding times decrease by more than `FALL` seconds, or display times, which may be out of
/// order, by more than `FALL_SHOWN` seconds.
const FALL: f64 = 0.2;
const FALL_SHOWN: f64 = 1.5;
/// A clock jumps where the next packet is later than expected by this many seconds, in containers whose clocks may
/// jump.
pub(super) const JUMP: f64 = 10.0;

/// The clock state of one stream.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub base: TimeBase,
    /// Whether its times follow the clock of the file: true of audio and video, except cover art.
    pub leads: bool,
    pub is_sound: bool,
    /// Whether no packet has arrived since the last break.
    pub joined: bool,
    /// End of the last packet, on the corrected clock.
    pub reached: Option<i64>,
    /// Ticks that are added to this stream only.
    pub own: i64,
    /// Index of the offset in use.
    pub epoch: usize,
    /// Time of the last packet: dts, or else pts. This and the fields below are on the file's own clock.
    pub last: Option<i64>,
    pub last_dts: Option<i64>,
    pub last_pts: Option<i64>,
    /// Last positive distance between two packets.
    pub step: i64,
    /// Largest delay between the decoding and the display of a packet.
    pub delay: i64,
    /// Latest end of a packet since the last break.
    pub end: Option<i64>,
    /// Latest end of a packet in the whole file.
    pub furthest: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
/// How a clock breaks: it falls back, or it jumps forward.
pub(super) enum Break {
    Fall,
    Jump,
}

impl Line {
    pub fn new(input: &Input, index: usize) -> Self {
        let stream = input.stream(index);
        let cover = |stream: &ffmpeg::Stream| stream.disposition().contains(Disposition::ATTACHED_PIC);
        let leads = stream.as_ref().is_some_and(|stream| {
            matches!(stream.parameters().medium(), media::Type::Audio | media::Type::Video) && !cover(stream)
        });
        let is_sound = stream.as_ref().is_some_and(|stream| stream.parameters().medium() == media::Type::Audio);
        let base = stream.map_or(TimeBase::new(1, 1000), |stream| stream.time_base().into());
        Self {
            base,
            leads,
            is_sound,
            joined: false,
            reached: None,
            own: 0,
            epoch: 0,
            last: None,
            last_dts: None,
            last_pts: None,
            step: 0,
            delay: 0,
            end: None,
            furthest: None,
        }
    }

    /// Forgets the packets before a break.
    pub fn begin_again(&mut self) {
        (self.end, self.last, self.last_dts, self.last_pts) = (None, None, None, None);
        self.joined = true;
    }

    /// Returns how the clock breaks at a packet, if it does. Decoding times never decrease. A packet without one is
    /// only tested if it is a key frame, since other pictures may be displayed before those read earlier.
    pub fn breaks(&self, packet: &Packet, jumps: bool) -> Option<Break> {
        let (now, last, fall) = match (packet.dts(), self.last_dts) {
            (Some(now), Some(last)) => (now, last, FALL),
            (None, _) if packet.is_key() => (packet.pts()?, self.last_pts?, FALL_SHOWN),
            _ => return None,
        };
        let seconds = self.base.seconds(now.saturating_sub(last));
        if seconds < -fall {
            return Some(Break::Fall);
        }
        (jumps && seconds > JUMP + self.base.seconds(self.step.max(packet.duration()))).then_some(Break::Jump)
    }

    /// Removes implausible values: a pts too far from the dts, in containers whose clocks may jump, and an audio
    /// packet's duration of more than `JUMP` seconds.
    pub fn doubt(&self, packet: &mut Packet, jumps: bool) {
        // An audio packet lasts as long as its samples, and no packet holds that many.
        if self.is_sound && self.step > 0 && self.base.seconds(packet.duration()) > JUMP {
            packet.set_duration(self.step);
        }
        let (Some(pts), Some(dts)) = (packet.pts(), packet.dts()) else { return };
        let ahead = self.base.seconds(pts.saturating_sub(dts));
        if jumps && !(-1.0..=JUMP.max(32.0 * self.base.seconds(self.step))).contains(&ahead) {
            packet.set_pts(None);
        }
    }

    pub fn note(&mut self, packet: &Packet) {
        let Some(now) = time_of(packet) else { return };
        if let Some(step) = self.last.map(|last| now.saturating_sub(last)).filter(|&step| step > 0) {
            self.step = step;
        }
        self.last_dts = packet.dts().or(self.last_dts);
        self.last_pts = packet.pts().or(self.last_pts);
        self.last = Some(now);
        let length = if packet.duration() > 0 { packet.duration() } else { self.step };
        if let (Some(pts), Some(dts)) = (packet.pts(), packet.dts()) {
            self.delay = self.delay.max(pts.saturating_sub(dts));
        }
        let shown = packet.pts().unwrap_or_else(|| now.saturating_add(self.delay));
        let end = shown.saturating_add(length);
        self.end = self.end.max(Some(end));
        self.furthest = self.furthest.max(Some(end));
    }
}

pub(super) fn time_of(packet: &Packet) -> Option<i64> {
    packet.dts().or(packet.pts())
}

pub(super) fn begin_of(packet: &Packet) -> Option<i64> {
    packet.pts().or(packet.dts())
}
