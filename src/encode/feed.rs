//! The source's audio packets, on the output's clock.

use std::collections::VecDeque;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet, Stream};

use crate::media::{TimeBase, ffi};

/// So many packets are looked through for the first one of each stream, and so much damage is passed over.
const PATIENCE: usize = 1000;

/// The part of the source's clock that is kept and where it goes, in ticks of the source's video.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub base: TimeBase,
    /// First tick kept.
    pub from: Option<i64>,
    /// First tick no longer kept.
    pub to: Option<i64>,
    /// Added to every timestamp.
    pub offset: i64,
}

impl Span {
    fn holds(&self, ticks: i64, base: TimeBase) -> bool {
        // Compared exactly: as multiples of 1/(den * den).
        let here = i128::from(ticks) * i128::from(base.num) * i128::from(self.base.den);
        let there = |limit: i64| i128::from(limit) * i128::from(self.base.num) * i128::from(base.den);
        self.from.is_none_or(|from| here >= there(from)) && self.to.is_none_or(|to| here < there(to))
    }
}

/// Hands out the packets of some streams in file order, without those outside the span.
pub(super) struct Feed {
    input: Input,
    /// Source stream of each output stream.
    streams: Vec<usize>,
    bases: Vec<TimeBase>,
    /// Ticks by which each stream is made later.
    later: Vec<i64>,
    span: Span,
    waiting: VecDeque<Packet>,
    damaged: usize,
    ended: bool,
}

impl Feed {
    pub fn new(input: Input, streams: &[usize], span: Span) -> Self {
        let base = |&index: &usize| input.stream(index).map_or(span.base, |stream| stream.time_base().into());
        let bases = streams.iter().map(base).collect();
        Self {
            input,
            streams: streams.to_vec(),
            bases,
            later: vec![0; streams.len()],
            span,
            waiting: VecDeque::new(),
            damaged: 0,
            ended: false,
        }
    }

    pub fn input(&self) -> &Input {
        &self.input
    }

    pub fn base(&self, position: usize) -> TimeBase {
        self.bases[position]
    }

    /// Samples a second of each stream.
    pub fn sample_rates(&self) -> Vec<i32> {
        self.streams.iter().filter_map(|&index| self.input.stream(index)).map(|s| ffi::sample_rate(&s)).collect()
    }

    /// When each stream begins to sound, in seconds, as far as that is found near the beginning of the file.
    pub fn first_seconds(&mut self) -> Result<Vec<f64>, ffmpeg::Error> {
        let mut first = vec![None; self.streams.len()];
        while first.iter().any(Option::is_none) && self.waiting.len() < PATIENCE {
            let Some(packet) = self.read()? else { break };
            let place = &mut first[packet.stream()];
            *place = place.or(packet.pts()).or(packet.dts());
            self.waiting.push_back(packet);
        }
        // A codec's own delay is not counted: Matroska, which has a field for it, has room for that much.
        let seconds = |(position, ticks): (usize, Option<i64>)| {
            ticks.map(|ticks| self.bases[position].seconds(ticks) + self.delay(position))
        };
        Ok(first.into_iter().enumerate().filter_map(seconds).collect())
    }

    pub fn len(&self) -> usize {
        self.streams.len()
    }

    pub fn stream(&self, position: usize) -> Option<Stream<'_>> {
        self.input.stream(self.streams[position])
    }

    /// The codec delay of a stream in seconds, to the millisecond, as Matroska has it.
    pub fn delay(&self, position: usize) -> f64 {
        let delay = self.stream(position).map_or(0.0, |stream| ffi::codec_delay(&stream));
        (delay * 1000.0).round() / 1000.0
    }

    /// A copy of the first packet of a stream, once [`Feed::first_seconds`] has looked for it.
    pub fn first_packet(&self, position: usize) -> Option<Packet> {
        self.waiting.iter().find(|packet| packet.stream() == position).cloned()
    }

    /// Makes all packets of a stream later.
    pub fn delay_by(&mut self, position: usize, seconds: f64) {
        self.later[position] = self.bases[position].ticks(seconds);
    }

    /// The next packet, its stream index being the position in `streams`, its timestamps moved by the offset but
    /// still in the source's ticks. `None` at the end.
    pub fn next(&mut self) -> Result<Option<Packet>, ffmpeg::Error> {
        let packet = match self.waiting.pop_front() {
            Some(packet) => Some(packet),
            None => self.read()?,
        };
        Ok(packet.map(|mut packet| {
            let later = self.later[packet.stream()];
            packet.set_pts(packet.pts().map(|pts| pts + later));
            packet.set_dts(packet.dts().map(|dts| dts + later));
            packet
        }))
    }

    fn read(&mut self) -> Result<Option<Packet>, ffmpeg::Error> {
        while !self.ended {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) => {}
                Err(ffmpeg::Error::Eof) => {
                    self.ended = true;
                    break;
                }
                Err(ffmpeg::Error::InvalidData) if self.damaged < PATIENCE => {
                    self.damaged += 1;
                    continue;
                }
                Err(error) => return Err(error),
            }
            let Some(position) = self.streams.iter().position(|&stream| stream == packet.stream()) else { continue };
            let base = self.bases[position];
            if !packet.pts().or(packet.dts()).is_none_or(|ticks| self.span.holds(ticks, base)) {
                continue;
            }
            let offset = self.span.base.convert(self.span.offset, base);
            packet.set_pts(packet.pts().map(|pts| pts + offset));
            packet.set_dts(packet.dts().map(|dts| dts + offset));
            packet.set_stream(position);
            return Ok(Some(packet));
        }
        Ok(None)
    }
}
