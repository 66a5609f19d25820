//! Part of a file, as a source of which only some frames are taken.

use super::contents::{Contents, Packet};

impl Contents {
    /// What of this file belongs to a result made of `frames` frames from the one numbered `first` (from 0) on. Where
    /// that is not the very first, time begins anew with it; what is beside the pictures is cut to when they are shown.
    #[must_use]
    pub fn part(mut self, first: u64, frames: u64) -> Self {
        let all = &self.video.frames;
        let begin = usize::try_from(first).map_or(all.len(), |first| first.min(all.len()));
        let end = usize::try_from(frames).map_or(all.len(), |frames| begin.saturating_add(frames).min(all.len()));
        let base = self.video.stream.base;
        let from = all.get(begin).filter(|_| begin > 0).copied();
        let to = all.get(end).copied();
        let offset = from.unwrap_or(0);
        let (from_time, to_time) = (from.map(|tick| base.seconds(tick)), to.map(|tick| base.seconds(tick)));
        let holds = |time: f64| from_time.is_none_or(|from| time >= from) && to_time.is_none_or(|to| time < to);
        self.video.frames = all[begin..end].iter().map(|pts| pts.saturating_sub(offset)).collect();
        if from.is_some() || to.is_some() {
            // Headers tell about the whole.
            (self.video.end, self.video.stream.end) = (None, None);
        }
        for track in &mut self.tracks {
            let (own, words) = (track.stream.base, std::mem::take(&mut track.words));
            let later = base.convert(offset, own);
            let is_inside = |packet: &Packet| packet.pts.or(packet.dts).is_none_or(|tick| holds(own.seconds(tick)));
            let inside = words.into_iter().zip(&track.packets).filter(|(_, packet)| is_inside(packet));
            track.words = inside.map(|(words, _)| words).collect();
            track.packets.retain(is_inside);
            for packet in &mut track.packets {
                packet.pts = packet.pts.map(|pts| pts.saturating_sub(later));
                packet.dts = packet.dts.map(|dts| dts.saturating_sub(later));
            }
        }
        for chapter in &mut self.chapters {
            chapter.start = chapter.start.max(from_time.unwrap_or(f64::MIN)) - base.seconds(offset);
            chapter.end = chapter.end.min(to_time.unwrap_or(f64::MAX)) - base.seconds(offset);
        }
        self.chapters.retain(|chapter| chapter.start < chapter.end);
        self
    }
}
