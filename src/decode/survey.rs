//! Counts the pictures of a file by reading its packets, instead of trusting its header.

use std::path::Path;
use std::time::{Duration, Instant};

use super::demux::{Demuxer, Read};
use super::open;
use crate::media::splice::PacketClock;
use crate::media::{Range, ffi};
use crate::settings::InputSettings;

/// Counting stops after this time: the number only serves the progress display.
const LONGEST: Duration = Duration::from_secs(4);
/// A range of at most this many frames needs no count.
const FEW: u64 = 1000;

/// Counts the packets of a stream that are shown. Returns `None` if the file takes too long to read or cannot be read
/// twice; the caller then uses the number that the header claims.
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
