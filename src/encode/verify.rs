//! Reads the finished file again: what is published was seen to be whole.

use std::path::Path;

use ffmpeg_next::{self as ffmpeg, Packet};

use super::EncodeError;
use super::mux::{Muxed, Pictures};
use crate::media::{TimeBase, ffi};

/// Compares the file's streams and timestamps with what was written, the pictures in slot `painted`.
pub(super) fn check(path: &Path, pictures: &Pictures, painted: usize, muxed: &Muxed) -> Result<(), EncodeError> {
    let video = muxed.streams.get(painted).and_then(|stream| stream.0).unwrap_or(0);
    let found = read(path, video).map_err(|error| EncodeError::libav(path, "reading it again", error))?;
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
    for (position, &(index, written)) in muxed.streams.iter().enumerate() {
        let Some(index) = index.filter(|_| position != painted) else { continue };
        let Some(&read) = found.packets.get(index) else {
            return differs(format!("stream {index} is missing"));
        };
        // An edit list may hide a packet at either end.
        if read + 2 + muxed.refused < written {
            return differs(format!("{read} packets of {written} in stream {index}"));
        }
    }
    Ok(())
}

struct Found {
    base: TimeBase,
    /// Of the pictures, in display order.
    pts: Vec<i64>,
    /// Packets of each stream.
    packets: Vec<u64>,
}

/// Reads a file whose pictures are stream `video`.
fn read(path: &Path, video: usize) -> Result<Found, ffmpeg::Error> {
    let mut input = ffi::open_input(path)?;
    let base = input.stream(video).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let mut packets = vec![0; input.nb_streams() as usize];
    let mut pts = Vec::new();
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(ffmpeg::Error::Eof) => break,
            Err(error) => return Err(error),
        }
        // A stream that appears only now belongs to a file that is not ours.
        *packets.get_mut(packet.stream()).ok_or(ffmpeg::Error::InvalidData)? += 1;
        if packet.stream() == video {
            pts.push(packet.pts().ok_or(ffmpeg::Error::InvalidData)?);
        }
    }
    pts.sort_unstable();
    Ok(Found { base, pts, packets })
}
