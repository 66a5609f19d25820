//! Reads the packets of the source's other streams, on the output's clock.

use std::collections::VecDeque;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet, Stream, codec, media};

use super::streams::{Carriage, Converter, SoundConverter};
use crate::media::splice::PacketClock;
use crate::media::{Span, TimeBase, ffi};

/// Number of packets that are searched for the first one of each stream, and of damaged packets that are skipped.
const PATIENCE: usize = 1000;

/// Whether a packet begins inside the span.
fn takes(span: &Span, packet: &Packet, base: TimeBase) -> bool {
    packet.pts().or(packet.dts()).is_none_or(|ticks| span.holds(ticks, base))
}

/// Shortens a packet to the part inside the span; `false` if nothing is inside.
fn clip(span: &Span, packet: &mut Packet, base: TimeBase) -> bool {
    let (Some(begin), length) = (packet.pts(), packet.duration()) else { return takes(span, packet, base) };
    if length <= 0 {
        return takes(span, packet, base);
    }
    let (from, to) = span.inside(begin, length, base);
    packet.set_pts(Some(from));
    packet.set_dts(Some(from));
    packet.set_duration(to - from);
    from < to
}

/// Returns the tick at which a packet ends; one without a duration lasts one tick.
fn end_of(packet: &Packet) -> Option<i64> {
    packet.dts().or(packet.pts()).map(|ticks| ticks + packet.duration().max(1))
}

/// Returns the packets of some streams in file order, without those outside the span. A text subtitle that begins
/// before the span and lasts into it is cut to begin with it; one that outlasts the span is cut to end with it.
pub(super) struct Passthrough {
    input: Input,
    clock: PacketClock,
    lines: Vec<Line>,
    span: Span,
    waiting: VecDeque<Packet>,
    /// Packets of converted sound that are waiting.
    sounds: VecDeque<Packet>,
    damaged: usize,
    ended: bool,
}

/// The state of one stream.
struct Line {
    /// Index in the source.
    source: usize,
    carriage: Carriage,
    base: TimeBase,
    medium: media::Type,
    /// Ticks by which all its packets are delayed.
    later: i64,
    /// End of the last packet, which becomes the time of a packet without timestamps.
    end: Option<i64>,
    /// End of the last packet inside the span, as it was cut to the span.
    shown: Option<i64>,
    /// Number of texts that begin before the previous one ends, in a codec that cannot show two at once.
    overlaps: u64,
    /// Whether its packets are text, which may be cut to any part of its time.
    is_text: bool,
    converter: Option<Converter>,
    sound: Option<SoundConverter>,
}

impl Line {
    fn new(input: &Input, source: usize, carriage: Carriage) -> Result<Self, ffmpeg::Error> {
        let stream = input.stream(source).ok_or(ffmpeg::Error::StreamNotFound)?;
        let converter = match carriage {
            Carriage::Text(codec) => Some(Converter::new(&stream, codec)?),
            _ => None,
        };
        let sound = match carriage {
            Carriage::Sound(codec) => Some(SoundConverter::new(&stream, codec)?),
            _ => None,
        };
        Ok(Self {
            source,
            carriage,
            base: stream.time_base().into(),
            medium: stream.parameters().medium(),
            later: 0,
            end: None,
            shown: None,
            overlaps: 0,
            is_text: ffi::is_text_subtitle(stream.parameters().id()),
            converter,
            sound,
        })
    }
}

impl Passthrough {
    /// Feeds streams of the source, each given by index and by how it is written, which must be as packets.
    pub fn new(
        (input, clock): (Input, PacketClock),
        streams: impl IntoIterator<Item = (usize, Carriage)>,
        span: Span,
    ) -> Result<Self, ffmpeg::Error> {
        let line = |(source, carriage)| Line::new(&input, source, carriage);
        let lines = streams.into_iter().map(line).collect::<Result<_, _>>()?;
        Ok(Self {
            input,
            clock,
            lines,
            span,
            waiting: VecDeque::new(),
            sounds: VecDeque::new(),
            damaged: 0,
            ended: false,
        })
    }

    pub fn input(&self) -> &Input {
        &self.input
    }

    /// Returns the seconds by which everything is moved to begin at 0: 0 or less.
    pub fn moved(&self) -> f64 {
        self.clock.moved()
    }

    /// Returns the ticks by which the beginning of a stream of the source is moved.
    pub fn start_of(&self, source: usize) -> i64 {
        self.clock.start_of(source)
    }

    pub fn base(&self, position: usize) -> TimeBase {
        self.lines[position].base
    }

    /// Returns the clock rates of the streams in ticks per second: sample rates of sound first, where samples count.
    pub fn clock_rates(&self) -> Vec<i32> {
        let sound = self.lines.iter().filter_map(|line| self.input.stream(line.source)).map(|s| ffi::sample_rate(&s));
        let others = self.lines.iter().filter(|line| line.medium != media::Type::Audio).map(|line| line.base.den);
        sound.filter(|&rate| rate > 0).chain(others).collect()
    }

    /// Returns when each stream begins, in seconds, as far as that shows near the beginning of the file; sound and
    /// other streams apart. Subtitles may begin late, so they are not waited for.
    pub fn first_seconds(&mut self) -> Result<First, ffmpeg::Error> {
        let mut first: Vec<Option<i64>> = vec![None; self.lines.len()];
        let dense =
            |line: &Line| line.carriage.is_track() && matches!(line.medium, media::Type::Audio | media::Type::Video);
        let sought: Vec<bool> = self.lines.iter().map(dense).collect();
        while first.iter().zip(&sought).any(|(first, sought)| *sought && first.is_none())
            && self.waiting.len() < PATIENCE
        {
            let Some(packet) = self.read()? else { break };
            let place = &mut first[packet.stream()];
            *place = place.or(packet.pts()).or(packet.dts());
            self.waiting.push_back(packet);
        }
        let mut found = First::default();
        for (position, (line, ticks)) in self.lines.iter().zip(first).enumerate() {
            let Some(ticks) = ticks.filter(|_| line.carriage.is_track()) else { continue };
            // The codec delay is added: Matroska has a field for it, and so room for that much before 0.
            let seconds = line.base.seconds(ticks) + self.delay(position);
            if line.medium == media::Type::Audio { found.sound.push(seconds) } else { found.others.push(seconds) }
        }
        Ok(found)
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn stream(&self, position: usize) -> Option<Stream<'_>> {
        self.input.stream(self.lines[position].source)
    }

    /// Returns the codec delay of a stream in seconds, rounded to milliseconds as in Matroska.
    pub fn delay(&self, position: usize) -> f64 {
        // Converted sound has the delay of the new encoder, which shows in its packets.
        let stream = self.stream(position).filter(|_| self.lines[position].sound.is_none());
        let delay = stream.map_or(0.0, |stream| ffi::codec_delay(&stream));
        (delay * 1000.0).round() / 1000.0
    }

    /// Returns a copy of the first packet of a stream, once [`Passthrough::first_seconds`] has looked for it.
    pub fn first_packet(&self, position: usize) -> Option<Packet> {
        self.waiting.iter().find(|packet| packet.stream() == position).cloned()
    }

    /// Delays all packets of a stream.
    pub fn delay_by(&mut self, position: usize, seconds: f64) {
        self.lines[position].later = self.lines[position].base.ticks(seconds);
    }

    /// Lists what did not come through whole of converted sound and text, one line each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for line in &self.lines {
            if let Some(damaged) = line.sound.as_ref().map(|sound| sound.damaged).filter(|&damaged| damaged > 0) {
                notes.push(format!("stream {}: sound that cannot be read is left out ({damaged})", line.source));
            }
            let Some(converter) = &line.converter else { continue };
            let mut note = |count: u64, what: &str| {
                if count > 0 {
                    notes.push(format!("stream {}: {what} ({count})", line.source));
                }
            };
            note(converter.damaged, "subtitles that cannot be read are left out");
            note(line.overlaps, "subtitles end early, where the next one begins: MP4 shows one at a time");
        }
        notes
    }

    /// Returns the next packet; `None` at the end. Its stream index is the position among the fed streams; its
    /// timestamps are moved by the offset, but still in the source's ticks.
    pub fn next(&mut self) -> Result<Option<Packet>, ffmpeg::Error> {
        let packet = match self.waiting.pop_front() {
            Some(packet) => Some(packet),
            None => self.read()?,
        };
        Ok(packet.map(|mut packet| {
            let later = self.lines[packet.stream()].later;
            packet.set_pts(packet.pts().map(|pts| pts + later));
            packet.set_dts(packet.dts().map(|dts| dts + later));
            packet
        }))
    }

    fn read(&mut self) -> Result<Option<Packet>, ffmpeg::Error> {
        loop {
            if let Some(packet) = self.sounds.pop_front() {
                return Ok(Some(packet));
            }
            if self.ended {
                return Ok(None);
            }
            let mut packet = match self.clock.read(&mut self.input) {
                Ok(packet) => packet,
                Err(ffmpeg::Error::Eof) => {
                    self.ended = true;
                    for position in 0..self.lines.len() {
                        self.convert_sound(position, None)?;
                    }
                    continue;
                }
                Err(ffmpeg::Error::InvalidData) if self.damaged < PATIENCE => {
                    self.damaged += 1;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(position) = self.lines.iter().position(|line| line.source == packet.stream()) else { continue };
            let line = &mut self.lines[position];
            if line.carriage == Carriage::Cover {
                if line.end.replace(0).is_some() {
                    continue;
                }
                // Its time means nothing, and is often missing.
                packet.set_pts(Some(0));
                packet.set_dts(Some(0));
            } else {
                if let (None, None, Some(end)) = (packet.pts(), packet.dts(), line.end) {
                    packet.set_pts(Some(end));
                    packet.set_dts(Some(end));
                }
                line.end = end_of(&packet);
                let inside = if line.is_text {
                    clip(&self.span, &mut packet, line.base)
                } else {
                    takes(&self.span, &packet, line.base)
                };
                if !inside {
                    continue;
                }
                // After the cut: a text that ends before the span hides no other.
                let single = matches!(line.carriage, Carriage::Text(codec::Id::MOV_TEXT));
                line.overlaps += u64::from(single && packet.pts() < line.shown && packet.pts().is_some());
                line.shown = end_of(&packet);
                let offset = self.span.base.convert(self.span.offset, line.base);
                packet.set_pts(packet.pts().map(|pts| pts + offset));
                packet.set_dts(packet.dts().map(|dts| dts + offset));
            }
            packet.set_stream(position);
            if line.sound.is_some() {
                self.convert_sound(position, Some(&packet))?;
                continue;
            }
            match &mut line.converter {
                None => return Ok(Some(packet)),
                Some(converter) => {
                    if let Some(packet) = converter.convert(&packet)? {
                        return Ok(Some(packet));
                    }
                }
            }
        }
    }

    /// Converts a packet of sound and queues the result; `None` drains the converter.
    fn convert_sound(&mut self, position: usize, packet: Option<&Packet>) -> Result<(), ffmpeg::Error> {
        let Some(sound) = &mut self.lines[position].sound else { return Ok(()) };
        for mut packet in sound.convert(packet)? {
            packet.set_stream(position);
            self.sounds.push_back(packet);
        }
        Ok(())
    }
}

/// When the streams begin, in seconds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct First {
    pub sound: Vec<f64>,
    pub others: Vec<f64>,
}
