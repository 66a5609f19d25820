//! Corrects the codec delay in Matroska: the samples that a decoder drops at the beginning of a sound stream.
//!
//! Matroska counts time from the first dropped sample, FFmpeg from the first kept one. FFmpeg's demuxer subtracts the
//! delay and its muxer adds it. The muxer of FFmpeg 5.1 did not: there each copy moved Opus further from the pictures.

use std::path::Path;

use ffmpeg_next::{self as ffmpeg, Packet, codec, encoder};

use super::codec::Container;
use super::passthrough::Passthrough;
use crate::media::{TimeBase, ffi};

/// Delays the feed's streams if this FFmpeg's muxer does not add their codec delay. Writes `file` for a trial.
pub(super) fn correct(passthrough: &mut Passthrough, container: Container, file: &Path) -> Result<(), ffmpeg::Error> {
    if container.is_quicktime() {
        return Ok(());
    }
    for position in 0..passthrough.len() {
        let delay = passthrough.delay(position);
        let Some(packet) = passthrough.first_packet(position).filter(|_| delay > 0.0) else { continue };
        let begins = trial(passthrough, position, packet, container, file);
        // The file is no longer needed, whatever the result.
        let _ = std::fs::remove_file(file);
        if begins? < -delay / 2.0 {
            passthrough.delay_by(position, delay);
        }
    }
    Ok(())
}

/// Muxes a packet at time 0, reads it back and returns its time in seconds.
fn trial(
    passthrough: &Passthrough,
    position: usize,
    mut packet: Packet,
    container: Container,
    file: &Path,
) -> Result<f64, ffmpeg::Error> {
    let stream = passthrough.stream(position).ok_or(ffmpeg::Error::StreamNotFound)?;
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
