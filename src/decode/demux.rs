//! Reads the packets of one stream and tolerates damage between them.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet};

use crate::media::splice::PacketClock;

/// After this many errors in a row without a packet, reading stops.
const TOO_MANY: u32 = 100_000;

/// Reads an input to its end and returns the packets of one stream with corrected times (see [`PacketClock`]).
pub(super) struct Demuxer {
    pub input: Input,
    pub stream: usize,
    pub clock: PacketClock,
    errors: u32,
}

/// The result of one read.
pub(super) enum Read {
    Packet(Packet),
    /// Invalid data where a packet was expected.
    Damage,
    End,
}

impl Demuxer {
    pub fn new(input: Input, stream: usize, clock: PacketClock) -> Self {
        Self { input, stream, clock, errors: 0 }
    }

    pub fn next(&mut self) -> Result<Read, ffmpeg::Error> {
        loop {
            let packet = match self.clock.read(&mut self.input) {
                Ok(packet) => packet,
                Err(ffmpeg::Error::Eof) => return Ok(Read::End),
                Err(ffmpeg::Error::InvalidData) if self.errors < TOO_MANY => {
                    self.errors += 1;
                    return Ok(Read::Damage);
                }
                Err(ffmpeg::Error::InvalidData) => return Ok(Read::End),
                Err(error) => return Err(error),
            };
            self.errors = 0;
            if packet.stream() == self.stream {
                return Ok(Read::Packet(packet));
            }
        }
    }
}
