//! Converts sound to a codec that the container takes.

use ffmpeg_next::codec::encoder::audio::Encoder;
use ffmpeg_next::codec::{decoder, encoder};
use ffmpeg_next::{self as ffmpeg, Dictionary, Packet, Rational, Rescale, Stream, StreamMut, codec, filter, frame};

use crate::encode::codec::Container;
use crate::media::ffi;

/// Bit rate of each channel, in bits per second.
const BITS: usize = 96_000;

/// Returns the container's usual codec for sound, and its encoders, best first.
pub(super) fn own_codec(container: Container) -> (codec::Id, &'static [&'static str]) {
    match container.muxer {
        "webm" => (codec::Id::OPUS, &["libopus"]),
        _ => (codec::Id::AAC, &["aac"]),
    }
}

/// Whether the sound of a stream can be converted for a container.
pub(super) fn is_convertible(container: Container, stream: &Stream) -> bool {
    SoundConverter::new(stream, own_codec(container).0).is_ok()
}

/// Converts the sound of one stream.
pub(in crate::encode) struct SoundConverter {
    decoder: decoder::Audio,
    graph: Option<filter::Graph>,
    encoder: Encoder,
    /// Time base of the stream's packets, both in and out.
    base: Rational,
    rate: i32,
    channels: i32,
    ready: Vec<Packet>,
    /// Number of packets and frames that could not be decoded.
    pub damaged: u64,
}

impl SoundConverter {
    pub fn new(stream: &Stream, to: codec::Id) -> Result<Self, ffmpeg::Error> {
        let mut decoder = codec::Context::from_parameters(stream.parameters())?.decoder();
        decoder.set_packet_time_base(stream.time_base());
        let decoder = decoder.audio()?;
        let names: &[&str] = if to == codec::Id::OPUS { &["libopus"] } else { &["aac"] };
        let codec = names.iter().find_map(|name| encoder::find_by_name(name)).ok_or(ffmpeg::Error::EncoderNotFound)?;
        // Opus is encoded at 48 kHz; AAC at any of the usual rates.
        let usual = [8000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000];
        let own = i32::try_from(decoder.rate()).unwrap_or(0);
        let rate = if to == codec::Id::OPUS || !usual.contains(&own) { 48_000 } else { own };
        let channels = i32::from(decoder.channels()).clamp(1, 8);
        let format =
            codec.audio()?.formats().and_then(|mut formats| formats.next()).ok_or(ffmpeg::Error::InvalidData)?;
        let mut encoder = codec::Context::new_with_codec(codec).encoder().audio()?;
        encoder.set_rate(rate);
        encoder.set_format(format);
        ffi::set_channels(&mut encoder, channels);
        encoder.set_bit_rate(BITS * channels as usize);
        encoder.set_time_base(Rational::new(1, rate));
        ffi::add_sound_flags(&mut encoder, codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        let encoder = encoder.open_as_with(codec, Dictionary::new())?;
        Ok(Self {
            decoder,
            graph: None,
            encoder,
            base: stream.time_base(),
            rate,
            channels,
            ready: Vec::new(),
            damaged: 0,
        })
    }

    /// Gives an output stream the parameters of the target codec.
    pub fn describe(&self, stream: &mut StreamMut) -> Result<(), ffmpeg::Error> {
        stream.set_parameters(codec::Parameters::from(&**self.encoder));
        Ok(())
    }

    /// Converts a packet and returns the packets that are ready; `None` drains the converter.
    pub fn convert(&mut self, packet: Option<&Packet>) -> Result<Vec<Packet>, ffmpeg::Error> {
        let sent = match packet {
            Some(packet) => self.decoder.send_packet(packet),
            None => self.decoder.send_eof(),
        };
        match sent {
            Err(ffmpeg::Error::InvalidData) => self.damaged += 1,
            Err(ffmpeg::Error::Eof) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        loop {
            let mut sound = frame::Audio::empty();
            match self.decoder.receive_frame(&mut sound) {
                Ok(()) => self.filter(sound)?,
                Err(ffmpeg::Error::InvalidData) => self.damaged += 1,
                Err(_) => break,
            }
        }
        if packet.is_none() {
            if let Some(graph) = &mut self.graph {
                graph.get("in").ok_or(ffmpeg::Error::Bug)?.source().flush()?;
            }
            self.encode()?;
            self.encoder.send_eof()?;
        }
        self.drain();
        Ok(std::mem::take(&mut self.ready))
    }

    /// Takes the packets that the encoder has ready.
    fn drain(&mut self) {
        let own = Rational::new(1, self.rate);
        loop {
            let mut packet = Packet::empty();
            if self.encoder.receive_packet(&mut packet).is_err() {
                return;
            }
            packet.set_pts(packet.pts().map(|pts| pts.rescale(own, self.base)));
            packet.set_dts(packet.dts().map(|dts| dts.rescale(own, self.base)));
            packet.set_duration(packet.duration().rescale(own, self.base).max(1));
            self.ready.push(packet);
        }
    }

    fn filter(&mut self, mut sound: frame::Audio) -> Result<(), ffmpeg::Error> {
        let pts = sound.timestamp();
        sound.set_pts(pts);
        if self.graph.is_none() {
            self.graph = Some(self.build(&sound)?);
        }
        let Some(graph) = &mut self.graph else { return Ok(()) };
        graph.get("in").ok_or(ffmpeg::Error::Bug)?.source().add(&sound)?;
        self.encode()
    }

    fn build(&self, sound: &frame::Audio) -> Result<filter::Graph, ffmpeg::Error> {
        let channels = i32::from(sound.channels()).max(1);
        let told = sound.channel_layout().bits();
        let layout = if told == 0 { ffmpeg::ChannelLayout::default(channels).bits() } else { told };
        let arguments = format!(
            "time_base={}/{}:sample_rate={}:sample_fmt={}:channel_layout=0x{layout:x}",
            self.base.numerator(),
            self.base.denominator(),
            sound.rate(),
            sound.format().name(),
        );
        let mut graph = filter::Graph::new();
        graph.add(&filter::find("abuffer").ok_or(ffmpeg::Error::FilterNotFound)?, "in", &arguments)?;
        graph.add(&filter::find("abuffersink").ok_or(ffmpeg::Error::FilterNotFound)?, "out", "")?;
        // Pauses become silence, so that later sound stays in sync with the pictures.
        let chain = format!(
            "aresample=async=1:min_hard_comp=0.05,aformat=sample_fmts={}:sample_rates={}:channel_layouts=0x{:x}",
            self.encoder.format().name(),
            self.rate,
            ffmpeg::ChannelLayout::default(self.channels).bits(),
        );
        graph.output("in", 0)?.input("out", 0)?.parse(&chain)?;
        graph.validate()?;
        if self.encoder.frame_size() > 0 {
            graph.get("out").ok_or(ffmpeg::Error::Bug)?.sink().set_frame_size(self.encoder.frame_size());
        }
        Ok(graph)
    }

    fn encode(&mut self) -> Result<(), ffmpeg::Error> {
        loop {
            let Some(graph) = &mut self.graph else { return Ok(()) };
            let mut sink = graph.get("out").ok_or(ffmpeg::Error::Bug)?;
            let mut sound = frame::Audio::empty();
            if sink.sink().frame(&mut sound).is_err() {
                return Ok(());
            }
            let from = sink.sink().time_base();
            let pts = sound.pts().map(|pts| pts.rescale(from, Rational::new(1, self.rate)));
            sound.set_pts(pts);
            self.encoder.send_frame(&sound)?;
            self.drain();
        }
    }
}
