//! Packets of one stream, with an eye on how far the file goes.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet};

use crate::media::splice::PacketClock;

/// So many errors in a row, without a packet between them, are the end of what can be read.
const TOO_MANY: u32 = 100_000;

/// Reads an input to its end and hands out the packets of one stream, their times mended (see [`PacketClock`]).
pub(super) struct Demuxer {
    pub input: Input,
    pub stream: usize,
    pub clock: PacketClock,
    errors: u32,
}

/// What reading on has brought.
pub(super) enum Read {
    Packet(Packet),
    /// Something that is no packet.
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
