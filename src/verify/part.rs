//! Reduces the contents of a file to a range of time, for a result that was made of only some of its frames.

use super::contents::{Contents, Packet, Track};
use crate::media::{TimeBase, ffi};

pub use crate::media::Span as Cut;

fn takes(cut: &Cut, packet: &Packet, base: TimeBase) -> bool {
    packet.pts.or(packet.dts).is_none_or(|tick| cut.holds(tick, base))
}

/// Shortens a subtitle packet to its part inside the range. Returns `false` if nothing of it is inside.
fn clip(cut: &Cut, packet: &mut Packet, base: TimeBase) -> bool {
    let Some(begin) = packet.pts.filter(|_| packet.duration > 0) else { return takes(cut, packet, base) };
    let (from, to) = cut.inside(begin, packet.duration, base);
    (packet.pts, packet.dts, packet.duration) = (Some(from), Some(from), to - from);
    from < to
}

impl Contents {
    /// Returns the contents that belong to a result made of `frames` frames starting at frame `first` (from 0). Unless
    /// that is the first frame, time restarts at 0 with it. The other streams are cut to the time in which the frames
    /// are shown.
    #[must_use]
    pub fn part(mut self, first: u64, frames: u64) -> Self {
        let all = &self.video.frames;
        let begin = usize::try_from(first).map_or(all.len(), |first| first.min(all.len()));
        let end = usize::try_from(frames).map_or(all.len(), |frames| begin.saturating_add(frames).min(all.len()));
        let from = all.get(begin).filter(|_| begin > 0).copied();
        let to = all.get(end).copied();
        let offset = from.map_or(0, |from| -from);
        self.video.frames = all[begin..end].iter().map(|pts| pts.saturating_add(offset)).collect();
        let base = self.video.stream.base;
        self.cut(&Cut { base, from, to, offset })
    }

    /// Keeps only what lies inside a range of time, except for the frames. Subtitles and chapters are shortened to it.
    #[must_use]
    pub(super) fn cut(mut self, cut: &Cut) -> Self {
        let is_part = cut.from.is_some() || cut.to.is_some();
        if is_part {
            // Headers describe the whole file.
            (self.video.end, self.video.stream.end) = (None, None);
        }
        for track in &mut self.tracks {
            track.cut(cut);
            if is_part {
                (track.stream.end, track.samples) = (None, None);
            }
        }
        if cut.from.is_some() {
            // A timecode belongs to the first frame, which is cut off.
            let tracks = self.tracks.iter_mut().map(|track| &mut track.stream.tags);
            for tags in tracks.chain([&mut self.tags, &mut self.video.stream.tags]) {
                tags.remove("timecode");
            }
        }
        let seconds = |tick: i64| cut.base.seconds(tick);
        for chapter in &mut self.chapters {
            chapter.start = chapter.start.max(cut.from.map_or(f64::MIN, seconds)) + seconds(cut.offset);
            chapter.end = chapter.end.min(cut.to.map_or(f64::MAX, seconds)) + seconds(cut.offset);
        }
        if is_part {
            self.chapters.retain(|chapter| chapter.start < chapter.end);
        }
        self
    }
}

impl Track {
    fn cut(&mut self, cut: &Cut) {
        let base = self.stream.base;
        self.begins_late = cut.from.is_some();
        let later = cut.base.convert(cut.offset, base);
        let is_text = ffi::is_text_subtitle(self.stream.codec);
        let mut words = std::mem::take(&mut self.words).into_iter();
        self.packets.retain_mut(|packet| {
            let words = words.next();
            let inside = if is_text { clip(cut, packet, base) } else { takes(cut, packet, base) };
            if inside {
                self.words.extend(words);
                packet.pts = packet.pts.map(|pts| pts.saturating_add(later));
                packet.dts = packet.dts.map(|dts| dts.saturating_add(later));
            }
            inside
        });
    }
}
