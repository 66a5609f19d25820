//! Joins the segments of a video into one file by stream copy.

use std::path::{Path, PathBuf};

use ffmpeg_next::{self as ffmpeg, Packet, codec, encoder};

use super::EncodeError;
use super::mux;
use super::segment::Store;
use crate::media::{TimeBase, ffi};

/// A segment's file and the number of frames it should hold.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub file: PathBuf,
    pub frames: usize,
}

/// Writes the pictures of `pieces` into `result`. `pts` are the times of all their frames in display order, in ticks of
/// `base`; the last one lasts `last_duration`.
///
/// Each segment begins with a key frame and refers to nothing outside, so only dts have to be computed again. Packet
/// `n` is decoded when picture `n - ahead` is shown, where `ahead` is the largest reordering distance in any segment.
/// (The first packets are decoded before anything is shown.) This holds across segments, since display order does not
/// mix them.
///
/// # Errors
/// If a segment does not hold what it should, or the disk fails.
pub(super) fn concatenate(
    path: &Path,
    pieces: &[Piece],
    (store, base): (Store, TimeBase),
    (pts, last_duration): (&[i64], i64),
    result: &Path,
) -> Result<(), EncodeError> {
    let read = |error| EncodeError::libav(path, "reading its segments", error);
    let write = |error| EncodeError::libav(path, "joining its segments", error);
    let changed = |what: String| EncodeError::Segment { path: path.into(), what };
    let first = pts.first().copied().unwrap_or(0);
    let shown: Vec<i64> = pts.iter().map(|pts| pts - first).collect();
    let mut orders = Vec::with_capacity(pieces.len());
    let mut begin = 0;
    for piece in pieces {
        let times = shown.get(begin..begin + piece.frames).unwrap_or_default();
        let order = order(piece, store, base, times).map_err(read)?;
        orders.push(order.ok_or_else(|| changed(format!("frames {begin} to {}", begin + piece.frames)))?);
        begin += piece.frames;
    }
    let ahead = orders.iter().flat_map(|order| order.iter().enumerate().map(|(at, &place)| at.saturating_sub(place)));
    let ahead = ahead.max().unwrap_or(0);

    let mut output = ffi::open_output(result, store.muxer).map_err(write)?;
    let mut head: Option<Vec<u8>> = None;
    let (mut begin, mut at, mut output_base) = (0, 0, base);
    for (piece, order) in pieces.iter().zip(&orders) {
        let mut input = ffi::open_input(&piece.file).map_err(read)?;
        let encoded = input.stream(0).ok_or(ffmpeg::Error::StreamNotFound).map_err(read)?;
        let parameters = ffi::extradata(&encoded);
        match &head {
            Some(head) if *head != parameters => {
                return Err(changed(format!("an encoder's parameters, from frame {begin} on")));
            }
            Some(_) => {}
            None => {
                let mut stream = output.add_stream(encoder::find(codec::Id::None)).map_err(write)?;
                ffi::copy_stream(&encoded, &mut stream, &[]).map_err(write)?;
                stream.set_time_base(base);
                mux::all_used(&output.write_header_with(store.options(base)).map_err(write)?).map_err(write)?;
                output_base = output.stream(0).map_or(base, |stream| stream.time_base().into());
                head = Some(parameters);
            }
        }
        for &place in order {
            let mut packet = Packet::empty();
            packet.read(&mut input).map_err(read)?;
            let pts = shown[begin + place];
            packet.set_pts(Some(pts));
            packet.set_dts(Some(decoded(&shown, at, ahead)));
            packet.set_duration(shown.get(begin + place + 1).map_or(last_duration, |next| next - pts));
            packet.rescale_ts(base, output_base);
            packet.set_position(-1);
            packet.set_stream(0);
            packet.write_interleaved(&mut output).map_err(write)?;
            at += 1;
        }
        begin += piece.frames;
    }
    output.write_trailer().map_err(write)?;
    ffi::flush_output(&mut output).map_err(write)
}

/// Returns the position in display order of each packet of a segment, in file order; `None` if the packets do not match
/// `times`, at which the segment's frames are shown.
fn order(piece: &Piece, store: Store, base: TimeBase, times: &[i64]) -> Result<Option<Vec<usize>>, ffmpeg::Error> {
    let mut input = ffi::open_input(&piece.file)?;
    let own: TimeBase = input.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    let begin = times.first().copied().unwrap_or(0);
    let mut order = Vec::with_capacity(times.len());
    loop {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(ffmpeg::Error::Eof) => break,
            Err(error) => return Err(error),
        }
        let place = if store.exact {
            let pts = packet.pts().map(|pts| own.convert(pts, base) + begin);
            pts.and_then(|pts| times.binary_search(&pts).ok())
        } else {
            // Rounded times cannot be matched, but these encoders do not reorder.
            (order.len() < times.len()).then_some(order.len())
        };
        let Some(place) = place else { return Ok(None) };
        order.push(place);
    }
    let mut met = order.clone();
    met.sort_unstable();
    Ok(met.into_iter().eq(0..times.len()).then_some(order))
}

/// Returns the dts of packet number `at`, if encoders reorder by at most `ahead` packets.
fn decoded(shown: &[i64], at: usize, ahead: usize) -> i64 {
    match at.checked_sub(ahead) {
        Some(place) => shown[place],
        None => shown[at] - shown[ahead] + shown[0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoding_times_rise_and_come_before_what_is_shown() {
        let shown = [0, 10, 25, 27, 60, 61];
        for ahead in 0..4 {
            let times: Vec<i64> = (0..shown.len()).map(|at| decoded(&shown, at, ahead)).collect();
            assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{ahead}: {times:?}");
            assert_eq!(times[ahead], 0, "{ahead}");
        }
        assert_eq!((0..6).map(|at| decoded(&shown, at, 0)).collect::<Vec<_>>(), shown);
    }
}
