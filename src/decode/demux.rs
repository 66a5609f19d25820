//! Packets of one stream, with an eye on how far the file goes.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet};

use crate::media::TimeBase;

/// So many errors in a row, without a packet between them, are the end of what can be read.
const TOO_MANY: u32 = 100_000;

/// Reads an input to its end and hands out the packets of one stream.
pub(super) struct Demuxer {
    pub input: Input,
    pub stream: usize,
    /// Latest end of a packet, in seconds on the file's clock: of the stream and of all streams.
    pub end: Option<f64>,
    pub end_of_all: Option<f64>,
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
    pub fn new(input: Input, stream: usize) -> Self {
        Self { input, stream, end: None, end_of_all: None, errors: 0 }
    }

    pub fn next(&mut self) -> Result<Read, ffmpeg::Error> {
        loop {
            // A fresh packet each time: the binding does not release what a reused one holds.
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => self.errors = 0,
                Err(ffmpeg::Error::Eof) => return Ok(Read::End),
                Err(ffmpeg::Error::InvalidData) if self.errors < TOO_MANY => {
                    self.errors += 1;
                    return Ok(Read::Damage);
                }
                Err(ffmpeg::Error::InvalidData) => return Ok(Read::End),
                Err(error) => return Err(error),
            }
            self.note_end(&packet);
            if packet.stream() == self.stream {
                return Ok(Read::Packet(packet));
            }
        }
    }

    fn note_end(&mut self, packet: &Packet) {
        let Some(start) = packet.pts().or(packet.dts()) else { return };
        let Some(stream) = self.input.stream(packet.stream()) else { return };
        let end = TimeBase::from(stream.time_base()).seconds(start.saturating_add(packet.duration()));
        let later = |old: Option<f64>| Some(old.map_or(end, |old| old.max(end)));
        self.end_of_all = later(self.end_of_all);
        if packet.stream() == self.stream {
            self.end = later(self.end);
        }
    }
}
