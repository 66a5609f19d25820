//! Packets of one stream, with an eye on whether the file is whole.

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet};

use crate::media::TimeBase;

/// More damage than this and reading on is pointless.
const DAMAGE_LIMIT: u64 = 1000;

/// Reads an input to its end and hands out the packets of one stream.
pub(super) struct Demuxer {
    pub input: Input,
    pub stream: usize,
    /// Places where the container or the codec met invalid data.
    pub damaged: u64,
    /// Packets of the stream so far.
    pub packets: u64,
    /// Latest end of a packet, in seconds on the file's clock: of the stream and of all streams.
    pub end: Option<f64>,
    pub end_of_all: Option<f64>,
}

impl Demuxer {
    pub fn new(input: Input, stream: usize) -> Self {
        Self { input, stream, damaged: 0, packets: 0, end: None, end_of_all: None }
    }

    /// The next packet of the stream, `None` at the end of the file.
    pub fn next(&mut self) -> Result<Option<Packet>, ffmpeg::Error> {
        loop {
            // A fresh packet each time: the binding does not release what a reused one holds.
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => return Ok(None),
                Err(ffmpeg::Error::InvalidData) => {
                    self.note_damage()?;
                    continue;
                }
                Err(error) => return Err(error),
            }
            self.note_end(&packet);
            if packet.stream() == self.stream {
                self.packets += 1;
                return Ok(Some(packet));
            }
        }
    }

    /// Counts a damaged place; an error once there are too many.
    pub fn note_damage(&mut self) -> Result<(), ffmpeg::Error> {
        self.damaged += 1;
        if self.damaged > DAMAGE_LIMIT { Err(ffmpeg::Error::InvalidData) } else { Ok(()) }
    }

    fn note_end(&mut self, packet: &Packet) {
        let Some(start) = packet.pts().or(packet.dts()) else { return };
        let Some(stream) = self.input.stream(packet.stream()) else { return };
        let end = TimeBase::from(stream.time_base()).seconds(start + packet.duration());
        let later = |old: Option<f64>| Some(old.map_or(end, |old| old.max(end)));
        self.end_of_all = later(self.end_of_all);
        if packet.stream() == self.stream {
            self.end = later(self.end);
        }
    }
}
