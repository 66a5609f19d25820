//! Checks whether a video is as long as it should be.

use super::VideoSource;
use crate::decode::FrameSource;
use crate::decode::ending::length_of;
use crate::decode::error::DecodeError;

impl VideoSource {
    /// Fails while opening if the end of the file is missing, so that the user does not find out only after hours.
    pub(super) fn check_length(&self, cut_off: Option<(u64, u64)>) -> Result<(), DecodeError> {
        let path = self.path.clone();
        if let Some((listed, beyond)) = self.listed.filter(|(_, beyond)| *beyond > 0) {
            let there = listed - beyond;
            let skipped = listed - self.remaining_of(listed);
            let short = match self.range.frames {
                Some(limit) => skipped.saturating_add(limit) > there && beyond > self.damage.limit,
                None => beyond > self.damage.limit,
            };
            if short {
                let expected = Some(listed);
                return Err(DecodeError::EndsEarly { path, frames: there, expected, places: beyond, opening: true });
            }
        }
        match cut_off {
            Some((missing, present)) if self.range.frames.is_none() && self.damage.limit == 0 => {
                Err(DecodeError::CutOff { path, missing, present })
            }
            _ => Ok(()),
        }
    }

    /// Returns how many of `whole` frames come after the start of the range.
    fn remaining_of(&self, whole: u64) -> u64 {
        let skipped = self.rate.map_or(0.0, |rate| self.range.start * rate.value()) as u64;
        whole.saturating_sub(skipped)
    }

    /// Returns how many frames of the whole stream are in the range.
    pub(super) fn remaining(&self, whole: Option<u64>) -> Option<u64> {
        match (whole.map(|whole| self.remaining_of(whole)), self.range.frames) {
            (Some(rest), Some(limit)) => Some(rest.min(limit)),
            (rest, _) => rest,
        }
    }

    /// Checks, at the end of the file, that no frame is missing and that the damage is within the limit.
    pub(super) fn check_end(&mut self) -> Result<(), DecodeError> {
        let (path, limited) = (self.path.clone(), self.range.frames.is_some());
        let missing = self.missing();
        let places = self.damage.places() + missing;
        if missing > 0 && places > self.damage.limit {
            let (frames, expected) = (self.given, self.info.frames);
            return Err(DecodeError::EndsEarly { path, frames, expected, places, opening: false });
        }
        if places > self.damage.limit {
            return Err(self.damaged());
        }
        if self.given == 0 && !limited {
            return Err(DecodeError::StartsAfterEnd { path, start: self.range.start });
        }
        self.note_damage(missing);
        if missing == 0 && !limited && !std::mem::replace(&mut self.told_claim, true) {
            self.note_claim();
        }
        Ok(())
    }

    /// Returns how many frames are certainly missing after the last one: those that an index lists beyond the end of
    /// the file or, if the file is cut off, as many as the claimed length amounts to.
    fn missing(&self) -> u64 {
        let seconds = self.claim.missing(&self.demuxer, self.rate);
        let by_time = if seconds > 0.0 { (seconds / length_of(self.rate)).round().max(1.0) as u64 } else { 0 };
        let cut = self.cut_off.is_some() || (self.demuxer.clock.ends_cut() && !self.lenient);
        match self.listed {
            Some((listed, beyond)) if beyond > 0 && !self.sought => {
                listed.saturating_sub(self.decoded + self.damage.lost()).max(by_time.min(1))
            }
            Some((_, beyond)) if beyond > 0 => beyond,
            _ if cut => by_time.max(1),
            _ => 0,
        }
    }

    /// Warns about a claimed length that is longer than the file although nothing is missing.
    fn note_claim(&mut self) {
        let seconds = self.claim.missing(&self.demuxer, self.rate);
        let (Some(end), true) = (self.demuxer.clock.end_of(self.demuxer.stream), seconds > 0.0) else { return };
        let begin = end.min(self.begin() - self.demuxer.clock.moved());
        let (claimed, there) = (end + seconds - begin, end - begin);
        self.warnings.push(format!(
            "its header or a tag claims {claimed:.0} s, but it holds {there:.1} s, all of which was read: the number is wrong"
        ));
    }

    pub(super) fn note_damage(&mut self, missing: u64) {
        let many = |n: u64, one: &str, more: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {more}") };
        let mut parts = Vec::new();
        if self.damage.places() > 0 {
            parts.push(many(self.damage.places(), "damaged place was skipped", "damaged places were skipped"));
        }
        if missing > 0 {
            parts.push(many(missing, "frame is missing at the end", "frames are missing at the end"));
        }
        if !parts.is_empty() && !std::mem::replace(&mut self.told, true) {
            self.warnings.push(parts.join("; "));
        }
    }
}
