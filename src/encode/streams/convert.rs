//! Converts text subtitles to a codec that the container takes.

use ffmpeg_next::codec::decoder;
use ffmpeg_next::codec::encoder::subtitle::Encoder;
use ffmpeg_next::{self as ffmpeg, Packet, Stream, StreamMut, codec};

use crate::media::ffi;

/// Converts the text of one stream packet by packet; packets keep their times.
pub(in crate::encode) struct Converter {
    decoder: decoder::Subtitle,
    encoder: Encoder,
    /// Number of packets whose text could not be read.
    pub damaged: u64,
}

impl Converter {
    pub fn new(stream: &Stream, to: codec::Id) -> Result<Self, ffmpeg::Error> {
        let decoder = codec::Context::from_parameters(stream.parameters())?.decoder().subtitle()?;
        let encoder = ffi::open_text_encoder(&decoder, to)?;
        Ok(Self { decoder, encoder, damaged: 0 })
    }

    /// Gives an output stream the parameters of the target codec.
    pub fn describe(&self, stream: &mut StreamMut) -> Result<(), ffmpeg::Error> {
        stream.set_parameters(codec::Parameters::from(&*self.encoder));
        Ok(())
    }

    /// Converts a packet; `None` if it has no text (MP4 has such packets while nothing is shown) or cannot be read.
    pub fn convert(&mut self, packet: &Packet) -> Result<Option<Packet>, ffmpeg::Error> {
        let bytes = match ffi::convert_text(&mut self.decoder, &mut self.encoder, packet) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            Err(ffmpeg::Error::InvalidData) => {
                self.damaged += 1;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mut converted = Packet::copy(&bytes);
        converted.set_pts(packet.pts());
        converted.set_dts(packet.dts());
        converted.set_duration(packet.duration());
        converted.set_stream(packet.stream());
        converted.set_flags(packet.flags());
        Ok(Some(converted))
    }
}
