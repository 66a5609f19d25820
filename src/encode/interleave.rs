//! Writes all packets of the finished file in order of decoding time, on its clock.

use ffmpeg_next::error::EINVAL;
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::{self as ffmpeg, Packet};

use super::codec::Container;
use super::passthrough::Passthrough;
use super::streams::{Plan, Slot};
use super::timeline::{Pictures, Shift, Timeline};
use crate::media::{TimeBase, ffi};

/// Number of refused packets that are skipped: a damaged source is no reason to lose the painted frames.
const PATIENCE: u64 = 1000;

/// Counts of the copied packets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Copied {
    /// Number of packets that each slot of the plan got.
    pub packets: Vec<u64>,
    /// Number of them that the muxer refused as damaged; it does not say of which stream.
    pub refused: u64,
    /// Number of packets that were delayed because they begin before the end of those already written.
    pub moved: u64,
}

impl Copied {
    /// Counts a packet that the muxer refused, and skips it.
    fn note(&mut self, written: Result<(), ffmpeg::Error>) -> Result<(), ffmpeg::Error> {
        match written {
            Err(ffmpeg::Error::InvalidData | ffmpeg::Error::Other { errno: EINVAL }) if self.refused < PATIENCE => {
                self.refused += 1;
                Ok(())
            }
            other => other,
        }
    }
}

/// Copies all packets of the pictures and of the other streams.
pub(super) fn copy(
    output: &mut Output,
    container: Container,
    timeline: Timeline,
    plan: &Plan,
    pictures: &Pictures,
    video: &mut Input,
    mut passthrough: Option<&mut Passthrough>,
) -> Result<Copied, ffmpeg::Error> {
    let encoded: TimeBase = video.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let painted = plan.painted();
    let mut position = 0;
    let mut next_picture = |video: &mut Input| -> Result<Option<Timed>, ffmpeg::Error> {
        let Some(mut packet) = read_picture(video, encoded, timeline.base)? else { return Ok(None) };
        pictures.time(&mut packet, position, timeline.start);
        packet.set_stream(painted);
        position += 1;
        Ok(Some(Timed { packet, base: timeline.base }))
    };
    // Slots without packets have no position in the feed.
    let is_fed = |slot: &Slot| matches!(slot, Slot::Carried { carriage, .. } if carriage.has_packets());
    let fed: Vec<usize> = (0..plan.slots.len()).filter(|&slot| is_fed(&plan.slots[slot])).collect();
    let mut copied = Copied { packets: vec![0; plan.slots.len()], refused: 0, moved: 0 };
    let mut last = vec![None; plan.slots.len()];
    let mut picture = next_picture(video)?;
    let mut other = next_other(passthrough.as_deref_mut(), &fed)?;
    loop {
        let other_first = match (&picture, &other) {
            (None, None) => break,
            (None, Some(_)) => true,
            (Some(_), None) => false,
            (Some(picture), Some(other)) => other.seconds() < picture.seconds(),
        };
        let mut timed = if other_first { other.take() } else { picture.take() }.ok_or(ffmpeg::Error::Bug)?;
        let stream = timed.packet.stream();
        let base: TimeBase = output.stream(stream).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
        let apart = timed.place(base, timeline.shift, container.is_quicktime(), &mut last[stream]);
        // Rounding moves a packet by at most one tick of the coarser clock.
        copied.moved += u64::from(base.seconds(apart) > 2.0 * timed.base.seconds(1).max(base.seconds(1)));
        copied.note(timed.packet.write_interleaved(output))?;
        copied.packets[stream] += 1;
        if other_first {
            other = next_other(passthrough.as_deref_mut(), &fed)?;
        } else {
            picture = next_picture(video)?;
        }
    }
    // The trailer would stop at the first queued packet that is refused.
    loop {
        let before = copied.refused;
        copied.note(ffi::write_queued(output))?;
        if copied.refused == before {
            return Ok(copied);
        }
    }
}

/// A packet and the time base of its timestamps.
struct Timed {
    packet: Packet,
    base: TimeBase,
}

impl Timed {
    fn seconds(&self) -> f64 {
        self.packet.dts().or(self.packet.pts()).map_or(f64::NEG_INFINITY, |ticks| self.base.seconds(ticks))
    }

    /// Moves the packet to the output's clock. dts never decrease; in the QuickTime family they are set apart if
    /// rounding made them equal, and a duration that means "until further notice" becomes unknown.
    ///
    /// Returns the number of ticks by which the packet was delayed for that.
    fn place(&mut self, base: TimeBase, shift: Shift, quicktime: bool, last: &mut Option<i64>) -> i64 {
        self.packet.rescale_ts(self.base, base);
        let delay = shift.ticks(base);
        self.packet.set_pts(self.packet.pts().map(|pts| pts + delay));
        self.packet.set_dts(self.packet.dts().map(|dts| dts + delay));
        self.packet.set_position(-1);
        let Some(dts) = self.packet.dts() else { return 0 };
        if quicktime && i32::try_from(self.packet.duration()).is_err() {
            self.packet.set_duration(0);
        }
        let apart = last.map_or(dts, |last| dts.max(last + i64::from(quicktime)));
        self.packet.set_dts(Some(apart));
        self.packet.set_pts(self.packet.pts().map(|pts| pts.max(apart)));
        *last = Some(apart);
        apart - dts
    }
}

/// Reads the next packet of the pictures, in ticks of `base`.
fn read_picture(video: &mut Input, encoded: TimeBase, base: TimeBase) -> Result<Option<Packet>, ffmpeg::Error> {
    let mut packet = Packet::empty();
    match packet.read(video) {
        Ok(()) => {}
        Err(ffmpeg::Error::Eof) => return Ok(None),
        Err(error) => return Err(error),
    }
    // Exact: the time base of the intermediate file is the source's or a fraction of it.
    packet.rescale_ts(encoded, base);
    Ok(Some(packet))
}

/// Reads the next packet of the source's other streams, for the output stream that `fed` has at its position.
fn next_other(passthrough: Option<&mut Passthrough>, fed: &[usize]) -> Result<Option<Timed>, ffmpeg::Error> {
    let Some(passthrough) = passthrough else { return Ok(None) };
    let Some(mut packet) = passthrough.next()? else { return Ok(None) };
    let position = packet.stream();
    packet.set_stream(*fed.get(position).ok_or(ffmpeg::Error::Bug)?);
    Ok(Some(Timed { packet, base: passthrough.base(position) }))
}
