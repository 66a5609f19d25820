//! Counts damage in a video, including pictures that the decoder never returned.

use std::collections::{BTreeSet, VecDeque};

use ffmpeg_next::Packet;

use crate::media::ffi;

/// Counts damaged places and compares them with the allowed number.
///
/// One damaged place may show as a codec error, as a lost picture, or as both, so the larger of the two counts is used.
/// Pictures that the decoder returned but marked as damaged are added.
#[derive(Debug, Default)]
pub(super) struct Damage {
    /// `max_corrupt`.
    pub limit: u64,
    /// Places where the container or the codec found invalid data.
    errors: u64,
    /// Pictures that the decoder marked as damaged.
    marked: u64,
    /// Pictures that were sent to the decoder and did not come out.
    lost: u64,
    /// The number of decoded frames when the limit was first exceeded.
    over_at: Option<u64>,
    pub losses: Losses,
}

/// A decoder may have read this many frames ahead of the one it returns.
const LOOKAHEAD: u64 = 64;

impl Damage {
    pub fn new(limit: u64, losses: Losses) -> Self {
        Self { limit, losses, ..Self::default() }
    }

    pub fn error(&mut self) {
        self.errors += 1;
    }

    /// Adds damaged places that the demuxer skips silently.
    pub fn passed_over(&mut self, places: u64) {
        self.errors += places;
    }

    /// Records a decoded frame: its pts, and whether the decoder marked it as damaged.
    pub fn frame(&mut self, pts: Option<i64>, marked: bool) {
        self.marked += u64::from(marked);
        self.lost += self.losses.came(pts);
    }

    /// Ends the input: pictures that are still outstanding count as lost.
    pub fn end(&mut self) {
        self.lost += self.losses.rest();
    }

    /// Resets the counts. Damage before the requested range does not count.
    pub fn forget(&mut self) {
        let losses = std::mem::take(&mut self.losses);
        *self = Self::new(self.limit, losses);
    }

    pub fn places(&self) -> u64 {
        self.marked + self.errors.max(self.lost)
    }

    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Whether there is too much damage after `decoded` frames. If the number of frames is limited, the decoder has
    /// read beyond them: damage then counts only once it certainly lies within them.
    pub fn is_over(&mut self, decoded: u64, limited: bool) -> bool {
        if self.places() <= self.limit {
            return false;
        }
        let at = *self.over_at.get_or_insert(decoded);
        !limited || self.marked + self.lost > self.limit || at + LOOKAHEAD < decoded
    }
}

/// Tracks which pictures the decoder still has to return. Works for containers that store each picture in one packet
/// with its pts, with codecs that show one picture per packet; other combinations are not tracked.
#[derive(Debug, Default)]
pub(super) struct Losses {
    watches: bool,
    /// The first key picture. Pictures shown before it may refer to data that was cut off.
    begin: Option<i64>,
    owed: BTreeSet<i64>,
    /// The latest frames. A frame may come out late, but not by more than `LATE` frames.
    came: VecDeque<i64>,
    /// Whether a frame came out at a time that no packet had.
    strange: bool,
}

const LATE: usize = 16;

impl Losses {
    pub fn new(demuxer: &str, codec: &str) -> Self {
        let watches = ["mp4", "matroska"].iter().any(|name| demuxer.contains(name))
            && ["h264", "hevc", "vp9", "av1"].contains(&codec);
        Self { watches, ..Self::default() }
    }

    /// Whether all pictures so far were tracked and came out at the times of their packets.
    pub fn watches(&self) -> bool {
        self.watches && !self.strange
    }

    /// Stops tracking: in interlaced video, two packets may hold the fields of one picture.
    pub fn stop(&mut self) {
        *self = Self::default();
    }

    pub fn sent(&mut self, packet: &Packet) {
        let Some(pts) = packet.pts().filter(|_| self.watches && !ffi::is_discarded(packet)) else { return };
        if self.begin.is_none() && packet.is_key() {
            self.begin = Some(pts);
        }
        if self.begin.is_some_and(|begin| pts >= begin) {
            self.owed.insert(pts);
        }
    }

    fn came(&mut self, pts: Option<i64>) -> u64 {
        let Some(pts) = pts.filter(|_| self.watches) else { return 0 };
        let owed = self.owed.remove(&pts);
        self.strange |= !owed && self.begin.is_some_and(|begin| pts >= begin);
        self.came.push_back(pts);
        if self.came.len() <= LATE {
            return 0;
        }
        let Some(before) = self.came.pop_front() else { return 0 };
        let kept = self.owed.split_off(&before);
        std::mem::replace(&mut self.owed, kept).len() as u64
    }

    fn rest(&mut self) -> u64 {
        std::mem::take(&mut self.owed).len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(pts: i64, key: bool) -> Packet {
        let mut packet = Packet::copy(b"x");
        packet.set_pts(Some(pts));
        if key {
            packet.set_flags(ffmpeg_next::codec::packet::Flags::KEY);
        }
        packet
    }

    #[test]
    fn lost_pictures_are_counted_and_late_ones_are_not() {
        let mut damage = Damage::new(1, Losses::new("mov,mp4", "h264"));
        // A picture shown before the first key picture is not a loss.
        for (pts, key) in [(10, true), (8, false)] {
            damage.losses.sent(&packet(pts, key));
        }
        for pts in 11..60 {
            damage.losses.sent(&packet(pts, false));
        }
        for pts in [10, 12, 11].into_iter().chain((13..60).filter(|pts| *pts != 30)) {
            damage.frame(Some(pts), false);
        }
        damage.end();
        assert_eq!((damage.lost(), damage.places()), (1, 1));
        assert!(!damage.is_over(49, false));
        damage.frame(Some(60), true);
        assert!(damage.is_over(50, false));
    }

    #[test]
    fn damage_behind_the_last_wanted_frame_does_not_count() {
        let mut damage = Damage::new(0, Losses::default());
        damage.error();
        assert!(damage.is_over(10, false));
        assert!(!damage.is_over(10, true));
        assert!(damage.is_over(100, true));
    }
}
