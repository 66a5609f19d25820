//! Codec delay in Matroska: the sound that a decoder drops at its beginning.
//!
//! Matroska counts time from the first dropped sample, FFmpeg from the first kept one. Its demuxer subtracts the
//! delay; its muxer adds it, but did not in FFmpeg 5.1, where each copy of Opus moved away from the pictures.

use std::path::Path;

use ffmpeg_next::{self as ffmpeg, Packet, codec, encoder};

use super::codec::Container;
use super::feed::Feed;
use crate::media::{TimeBase, ffi};

/// Corrects the feed's streams where the muxer at hand would not add their delay. `file` is written for a moment.
pub(super) fn correct(feed: &mut Feed, container: Container, file: &Path) -> Result<(), ffmpeg::Error> {
    if container.is_quicktime() {
        return Ok(());
    }
    for position in 0..feed.len() {
        let delay = feed.delay(position);
        let Some(packet) = feed.first_packet(position).filter(|_| delay > 0.0) else { continue };
        let begins = trial(feed, position, packet, container, file);
        // Found or not, the file is of no more use.
        let _ = std::fs::remove_file(file);
        if begins? < -delay / 2.0 {
            feed.delay_by(position, delay);
        }
    }
    Ok(())
}

/// Where a packet muxed at 0 is found again, in seconds.
fn trial(
    feed: &Feed,
    position: usize,
    mut packet: Packet,
    container: Container,
    file: &Path,
) -> Result<f64, ffmpeg::Error> {
    let stream = feed.stream(position).ok_or(ffmpeg::Error::StreamNotFound)?;
    let mut output = ffi::open_output(file, container.muxer)?;
    let mut copy = output.add_stream(encoder::find(codec::Id::None))?;
    ffi::copy_stream(&stream, &mut copy, &[])?;
    output.write_header()?;
    packet.set_stream(0);
    packet.set_pts(Some(0));
    packet.set_dts(Some(0));
    packet.write_interleaved(&mut output)?;
    output.write_trailer()?;
    ffi::flush_output(&mut output)?;
    drop(output);
    let mut input = ffi::open_input(file)?;
    let mut found = Packet::empty();
    found.read(&mut input)?;
    let base: TimeBase = input.stream(0).ok_or(ffmpeg::Error::StreamNotFound)?.time_base().into();
    Ok(base.seconds(found.pts().unwrap_or(0)))
}
