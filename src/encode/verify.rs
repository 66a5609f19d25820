//! Reads the finished file again: what is published was seen to be whole.

use std::path::Path;

use ffmpeg_next::{self as ffmpeg, Packet, media};

use super::EncodeError;
use super::mux::{Muxed, Pictures};
use crate::media::{TimeBase, ffi};

/// Compares the file's streams and timestamps with what was written.
pub(super) fn check(path: &Path, pictures: &Pictures, muxed: &Muxed) -> Result<(), EncodeError> {
    let found = read(path).map_err(|error| EncodeError::libav(path, "reading it again", error))?;
    let differs = |what: String| Err(EncodeError::Verify { path: path.into(), what });
    if found.pts.len() != pictures.pts.len() {
        return differs(format!("{} frames of {}", found.pts.len(), pictures.pts.len()));
    }
    let base = pictures.info.base;
    let delay = muxed.shift.ticks(found.base);
    for (index, (&pts, &found_pts)) in pictures.pts.iter().zip(&found.pts).enumerate() {
        let expected = base.convert(pts + muxed.offset, found.base) + delay;
        if expected != found_pts {
            let (expected, found) = (found.base.seconds(expected), found.base.seconds(found_pts));
            return differs(format!("frame {index} is shown at {found} s instead of {expected} s"));
        }
    }
    if found.audio.len() != muxed.audio.len() {
        return differs(format!("{} audio streams of {}", found.audio.len(), muxed.audio.len()));
    }
    for (index, (&written, &read)) in muxed.audio.iter().zip(&found.audio).enumerate() {
        // An edit list may hide a packet at either end.
        if read + 2 < written {
            return differs(format!("{read} packets of {written} in audio stream {index}"));
        }
    }
    Ok(())
}

struct Found {
    base: TimeBase,
    /// Of the pictures, in display order.
    pts: Vec<i64>,
    /// Packets of each audio stream.
    audio: Vec<u64>,
}

fn read(path: &Path) -> Result<Found, ffmpeg::Error> {
    let mut input = ffi::open_input(path)?;
    let base = input.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let is_audio: Vec<bool> =
        input.streams().map(|stream| stream.parameters().medium() == media::Type::Audio).collect();
    let mut counts = vec![0; is_audio.len()];
    let mut pts = Vec::new();
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(ffmpeg::Error::Eof) => break,
            Err(error) => return Err(error),
        }
        // A stream that appears only now belongs to a file that is not ours.
        *counts.get_mut(packet.stream()).ok_or(ffmpeg::Error::InvalidData)? += 1;
        if packet.stream() == 0 {
            pts.push(packet.pts().ok_or(ffmpeg::Error::InvalidData)?);
        }
    }
    pts.sort_unstable();
    let audio = counts.into_iter().zip(is_audio).filter_map(|(count, audio)| audio.then_some(count)).collect();
    Ok(Found { base, pts, audio })
}
