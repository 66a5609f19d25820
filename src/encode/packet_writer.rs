//! Moves packets from an encoder into a file: on the file's clock, each with the duration of its frame.

use std::collections::HashMap;

use ffmpeg_next::format::context::Output;
use ffmpeg_next::{self as ffmpeg, Packet, encoder};

use crate::media::TimeBase;

/// A file with one stream, and the durations of the frames inside its encoder.
pub(super) struct PacketWriter {
    pub output: Output,
    /// Time base of the encoder, and of the stream, which the muxer chose.
    bases: (TimeBase, TimeBase),
    /// Durations of the frames inside the encoder, by pts.
    durations: HashMap<i64, i64>,
}

impl PacketWriter {
    /// Writes into `output`, whose header is already written, from an encoder with time base `base`.
    pub fn new(output: Output, base: TimeBase) -> Self {
        let output_base = output.stream(0).map_or(base, |stream| stream.time_base().into());
        Self { output, bases: (base, output_base), durations: HashMap::new() }
    }

    /// Records the duration of the frame at `pts`, in ticks of the encoder's base.
    pub fn expect(&mut self, pts: i64, duration: i64) {
        self.durations.insert(pts, duration);
    }

    /// Writes the packets that the encoder has ready.
    pub fn drain(&mut self, encoder: &mut encoder::Video) -> Result<(), ffmpeg::Error> {
        loop {
            let mut packet = Packet::empty();
            match encoder.receive_packet(&mut packet) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof | ffmpeg::Error::Other { errno: ffmpeg::error::EAGAIN }) => return Ok(()),
                Err(error) => return Err(error),
            }
            let duration = packet.pts().and_then(|pts| self.durations.remove(&pts));
            packet.set_duration(duration.unwrap_or_else(|| packet.duration()));
            packet.rescale_ts(self.bases.0, self.bases.1);
            packet.set_stream(0);
            packet.write_interleaved(&mut self.output)?;
        }
    }
}
