//! Verifies a file that was written directly.

use std::path::Path;

use ffmpeg_next::{self as ffmpeg, Packet};

use super::super::codec::Animation;
use super::super::{EncodeError, riff};
use super::format::DirectFormat;
use crate::media::{TimeBase, ffi};

/// Reads a file back and checks the number of frames and their times. `pts` are in ticks of `base`.
///
/// An animated WebP is also patched so that each frame replaces the previous one.
pub(super) fn verify(path: &Path, way: DirectFormat, pts: &[i64], base: TimeBase) -> Result<(), EncodeError> {
    let differs = |what: String| Err(EncodeError::Verify { path: path.into(), what });
    let expected: Vec<f64> = pts.iter().map(|&pts| base.seconds(pts)).collect();
    let found = if way == DirectFormat::Animation(Animation::WebP) {
        let durations = riff::make_frames_replace(path).map_err(|e| EncodeError::io(path, e))?;
        let opened = image::image_dimensions(path);
        opened.map_err(|source| EncodeError::Picture { path: path.into(), source })?;
        // A single picture is stored as a still, without durations.
        let durations = if durations.is_empty() { vec![0] } else { durations };
        let starts = durations.iter().scan(0, |at, &duration| {
            *at += duration;
            Some((*at - duration) as f64 / 1000.0)
        });
        starts.collect()
    } else {
        packet_times(path).map_err(|error| EncodeError::libav(path, "reading it again", error))?
    };
    if found.len() != expected.len() {
        return differs(format!("{} frames of {}", found.len(), expected.len()));
    }
    // FFmpeg reads delays below 1/50 s as 1/10 s, as browsers do: such times cannot be compared.
    let steps_are_long = || pts.windows(2).all(|pair| pair[1] - pair[0] >= 2);
    if way == DirectFormat::Animation(Animation::Gif) && !steps_are_long() {
        return Ok(());
    }
    for (index, (expected, found)) in expected.iter().zip(&found).enumerate() {
        if (expected - found).abs() > 1e-4 {
            return differs(format!("frame {index} is shown at {found} s instead of {expected} s"));
        }
    }
    Ok(())
}

/// Returns the times of a file's packets, in seconds after the first.
fn packet_times(path: &Path) -> Result<Vec<f64>, ffmpeg::Error> {
    let mut input = ffi::open_input(path)?;
    let base: TimeBase = input.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let mut ticks = Vec::new();
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => ticks.push(packet.pts().or(packet.dts()).ok_or(ffmpeg::Error::InvalidData)?),
            Err(ffmpeg::Error::Eof) => break,
            Err(error) => return Err(error),
        }
    }
    let first = ticks.first().copied().unwrap_or(0);
    Ok(ticks.into_iter().map(|ticks| base.seconds(ticks - first)).collect())
}
