//! How many pictures a file has: counted, not claimed.

use std::path::Path;
use std::time::{Duration, Instant};

use super::demux::{Demuxer, Read};
use super::open;
use crate::media::splice::PacketClock;
use crate::media::{Range, ffi};
use crate::settings::InputSettings;

/// Reading takes no longer than this: the number is for the display of progress.
const LONGEST: Duration = Duration::from_secs(4);
/// A part of so many frames needs no count.
const FEW: u64 = 1000;

/// The packets of a stream that are shown; `None` where a claim has to do, for the file is long or cannot be read twice.
pub(super) fn count(file: &Path, settings: &InputSettings, index: usize, range: Range) -> Option<u64> {
    let regular = std::fs::metadata(file).is_ok_and(|found| found.is_file());
    if !regular || range.frames.is_some_and(|frames| frames <= FEW) {
        return None;
    }
    let input = open::demuxer(file, Some(file), settings).ok()?;
    let clock = PacketClock::new(&input, index, true);
    let mut demuxer = Demuxer::new(input, index, clock);
    let (began, mut count) = (Instant::now(), 0);
    loop {
        match demuxer.next().ok()? {
            Read::Packet(packet) => count += u64::from(!ffi::is_discarded(&packet)),
            Read::Damage => {}
            Read::End => return (count > 0).then_some(count),
        }
        if began.elapsed() > LONGEST {
            return None;
        }
    }
}
