//! Reads the packets of a file on one continuous clock, as players do. A start far from 0 moves to 0; where the clock
//! falls back or jumps within the file, the packets after the break continue where those before it ended. Audio and
//! video are moved together.

mod line;

use std::collections::VecDeque;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::{self as ffmpeg, Packet};

use super::{TimeBase, ffi};
use line::{Break, JUMP, Line, begin_of, time_of};

/// A file that starts later than this, in seconds, follows some external clock.
pub(crate) const FAR: f64 = 10.0;
/// Audio and video that start further apart than this, in seconds, follow separate clocks.
const OWN: f64 = 3600.0;
/// How far apart, in seconds, the streams may be in the order of the file.
const SKEW: f64 = 3.0;
/// Upper limit for the packets that are read ahead of a break in the clock.
const PATIENCE: usize = 3000;

/// FFmpeg's value for "no timestamp".
const NONE: i64 = i64::MIN;

/// Reads the packets of an input and maps their times to one clock.
pub(crate) struct PacketClock {
    lines: Vec<Line>,
    /// Index of the stream that defines the clock: its pictures follow each other without a gap across a break.
    main: usize,
    base: TimeBase,
    /// Offset of each epoch (a stretch between two breaks), in ticks of `base`: the first applies from the beginning,
    /// the others after each break.
    offsets: Vec<i64>,
    /// The start time that is moved to 0, in seconds: that of the file, or of a stream with a clock of its own. `None`
    /// if nothing is moved.
    start: Option<f64>,
    /// Whether the container's clock may jump forward.
    jumps: bool,
    /// Packets that were read ahead.
    waiting: VecDeque<Result<Packet, ffmpeg::Error>>,
    /// Times of the breaks in seconds, on the corrected clock.
    joints: Vec<f64>,
    /// Whether the packet read last is truncated.
    cut: bool,
}

impl PacketClock {
    /// Creates the clock of an input that is positioned at its beginning. With `keep`, a start far from 0 is left
    /// unchanged.
    pub fn new(input: &Input, main: usize, keep: bool) -> Self {
        let mut lines: Vec<Line> = (0..input.nb_streams() as usize).map(|index| Line::new(input, index)).collect();
        let base = lines.get(main).map_or(TimeBase::new(1, 1000), |line| line.base);
        let mut clock = Self {
            main,
            base,
            offsets: vec![0],
            start: None,
            jumps: ffi::clock_may_jump(input),
            waiting: VecDeque::new(),
            joints: Vec::new(),
            cut: false,
            lines: Vec::new(),
        };
        let begins: Vec<Option<f64>> = (0..lines.len())
            .map(|index| {
                let start = input.stream(index).map(|stream| stream.start_time()).filter(|&start| start != NONE);
                start.filter(|_| lines[index].leads).map(|start| lines[index].base.seconds(start))
            })
            .collect();
        let first = begins.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        let latest = begins.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        if !keep && latest.is_finite() && (first > FAR || latest > first + OWN) {
            let ticks = |base: TimeBase, seconds: f64| (seconds * f64::from(base.den) / f64::from(base.num)).floor();
            for (line, begin) in lines.iter_mut().zip(&begins) {
                // This stream follows a clock of its own: make it start with the others.
                if let Some(begin) = begin.filter(|begin| *begin > first + OWN) {
                    line.own = -(ticks(line.base, begin - first.max(0.0)) as i64);
                }
            }
            if first > FAR {
                clock.offsets[0] = -(ticks(base, first) as i64);
            }
            clock.start = Some(if first > FAR { first } else { latest });
        }
        clock.lines = lines;
        clock
    }

    /// Returns the next packet with corrected times.
    ///
    /// # Errors
    /// Returns what FFmpeg reports; the end of the file is one of its errors.
    pub fn read(&mut self, input: &mut Input) -> Result<Packet, ffmpeg::Error> {
        loop {
            let packet = self.read_next(input)?;
            if !self.overlaps(&packet) {
                return Ok(packet);
            }
        }
    }

    /// Returns whether an audio packet right after a break repeats time that was already played: the audio before a
    /// break often ends a little later than the pictures.
    fn overlaps(&mut self, packet: &Packet) -> bool {
        let (Some(line), Some(begin)) = (self.lines.get_mut(packet.stream()), begin_of(packet)) else { return false };
        let early = line.is_sound && line.joined && line.reached.is_some_and(|reached| begin < reached - line.step / 2);
        if !early {
            line.joined = false;
            line.reached = Some(begin.saturating_add(packet.duration().max(0)));
        }
        early
    }

    fn read_next(&mut self, input: &mut Input) -> Result<Packet, ffmpeg::Error> {
        let mut packet = match self.waiting.pop_front() {
            Some(read) => read?,
            None => self.read_raw(input)?,
        };
        let index = packet.stream();
        while self.lines.len() <= index {
            let next = self.lines.len();
            self.lines.push(Line::new(input, next));
        }
        if self.lines[index].leads && !ffi::is_discarded(&packet) {
            self.lines[index].doubt(&mut packet, self.jumps);
            if let Some(what) = self.lines[index].breaks(&packet, self.jumps) {
                if self.is_outlier(input, index) {
                    packet.set_pts(None);
                    packet.set_dts(None);
                    return Ok(packet);
                }
                if let Some(epoch) = self.epoch_after(input, index, &packet, what) {
                    self.lines[index].epoch = epoch;
                    self.lines[index].begin_again();
                }
            }
            self.lines[index].note(&packet);
        }
        self.mend(&mut packet);
        Ok(packet)
    }

    fn read_raw(&mut self, input: &mut Input) -> Result<Packet, ffmpeg::Error> {
        // A new packet each time: the binding does not release the buffers of a reused one.
        let mut packet = Packet::empty();
        match packet.read(input) {
            // Some demuxers report the end with an error of their own.
            Err(error) if error != ffmpeg::Error::InvalidData && ffi::is_read_to_end(input) => {
                return Err(ffmpeg::Error::Eof);
            }
            read => read?,
        }
        self.cut = packet.is_corrupt();
        Ok(packet)
    }

    fn mend(&self, packet: &mut Packet) {
        let later = self.later(packet.stream(), time_of(packet));
        if later != 0 {
            packet.set_pts(packet.pts().map(|pts| pts.saturating_add(later)));
            packet.set_dts(packet.dts().map(|dts| dts.saturating_add(later)));
        }
    }

    /// Returns the ticks that are added to a time of a stream.
    fn later(&self, index: usize, time: Option<i64>) -> i64 {
        let Some(line) = self.lines.get(index) else { return 0 };
        if line.leads {
            return self.base.convert(self.offsets[line.epoch], line.base) + line.own;
        }
        // Times that never followed the file's clock stay unchanged.
        let early = |start: f64| time.is_some_and(|time| line.base.seconds(time) < start - FAR);
        if self.start.is_some_and(early) {
            return 0;
        }
        let epoch = self.lines.get(self.main).map_or(0, |main| main.epoch);
        self.base.convert(self.offsets[epoch], line.base)
    }

    /// Returns the index of the offset that a stream uses from `packet` on, where its clock breaks; `None` if no
    /// correction is needed.
    fn epoch_after(&mut self, input: &mut Input, index: usize, packet: &Packet, what: Break) -> Option<usize> {
        let begin = begin_of(packet)?;
        let latest = self.offsets.len() - 1;
        let line = self.lines[index].clone();
        if line.epoch < latest {
            // The other streams have passed a break already: join the epoch that fits best.
            let main = &self.lines[self.main];
            let place = main.end.map(|end| self.base.seconds(end.saturating_add(self.offsets[main.epoch])));
            let apart = |epoch: usize| {
                let at =
                    line.base.seconds(begin) + self.base.seconds(self.offsets[epoch]) + line.base.seconds(line.own);
                place.map_or(0.0, |place| (at - place).abs())
            };
            let near = (line.epoch + 1..=latest).min_by(|&a, &b| apart(a).total_cmp(&apart(b)))?;
            if apart(near) < JUMP {
                return Some(near);
            }
        }
        let (end, begin) = if index == self.main {
            if what == Break::Jump && !self.others_jump(input, index, begin) {
                return None;
            }
            (line.end?, begin)
        } else {
            self.main_breaks(input, index, packet)?
        };
        let main = &self.lines[self.main];
        let before = self.offsets[main.epoch];
        self.offsets.push(before.saturating_add(end.saturating_sub(begin)));
        self.joints.push(self.base.seconds(end.saturating_add(before)));
        Some(self.offsets.len() - 1)
    }

    /// Returns item `place` of the packets ahead, reading as far as needed; `None` at the end, at the read-ahead limit,
    /// and where that read failed.
    fn ahead(&mut self, input: &mut Input, place: usize) -> Option<&Packet> {
        while self.waiting.len() <= place {
            let is_end = matches!(self.waiting.back(), Some(Err(error)) if *error != ffmpeg::Error::InvalidData);
            if is_end || place >= PATIENCE {
                return None;
            }
            let read = self.read_raw(input);
            self.waiting.push_back(read);
        }
        self.waiting.get(place)?.as_ref().ok()
    }

    /// Returns whether a packet with an unexpected time is a single outlier: the next packet of its stream continues as
    /// before.
    fn is_outlier(&mut self, input: &mut Input, index: usize) -> bool {
        const NEAR: usize = 300;
        let (line, jumps) = (self.lines[index].clone(), self.jumps);
        let mut place = 0;
        while place < NEAR {
            if let Some(next) = self.ahead(input, place) {
                if next.stream() == index && time_of(next).is_some() {
                    return line.breaks(next, jumps).is_none() && time_of(next) >= line.last;
                }
            } else if !self.is_read_to(place) {
                return false;
            }
            place += 1;
        }
        false
    }

    fn is_read_to(&self, place: usize) -> bool {
        self.waiting.len() > place
    }

    /// Returns where the main stream's pictures end before the break that a packet of another stream lies behind, and
    /// where they begin after it; `None` if the main stream has no break there.
    fn main_breaks(&mut self, input: &mut Input, index: usize, packet: &Packet) -> Option<(i64, i64)> {
        let mut main = self.lines[self.main].clone();
        let (base, jumps) = (self.lines[index].base, self.jumps);
        let since = time_of(packet)?;
        let mut place = 0;
        loop {
            let (number, is_main) = (self.main, |packet: &Packet, main| packet.stream() == main);
            if let Some(next) = self.ahead(input, place) {
                if is_main(next, number) {
                    if main.breaks(next, jumps).is_some() {
                        return Some((main.end?, begin_of(next)?));
                    }
                    main.note(next);
                } else if next.stream() == index
                    && time_of(next).is_some_and(|time| base.seconds(time.saturating_sub(since)) > SKEW)
                {
                    return None;
                }
            } else if !self.is_read_to(place) {
                return None;
            }
            place += 1;
        }
    }

    /// Returns whether a forward jump belongs to the clock rather than being a gap in one stream: the other streams
    /// jump too, or there are no others.
    fn others_jump(&mut self, input: &mut Input, index: usize, begin: i64) -> bool {
        let then = self.lines[index].base.seconds(begin);
        let here = self.lines[index].last.map_or(0.0, |last| self.lines[index].base.seconds(last));
        // A stream with packets inside the gap proves that the clock does not jump.
        let is_through = |line: &Line| {
            let last = line.last.map(|last| line.base.seconds(last));
            line.leads && last.is_some_and(|last| last > here + SKEW && last < then + 2.0 * SKEW)
        };
        if self.lines.iter().enumerate().any(|(number, line)| number != index && is_through(line)) {
            return false;
        }
        let alive = |line: &Line| {
            line.leads && line.last.is_some_and(|last| (line.base.seconds(last) - here).abs() < 2.0 * SKEW)
        };
        let others: Vec<Option<Line>> = (self.lines.iter().enumerate())
            .map(|(number, line)| (number != index && alive(line)).then(|| line.clone()))
            .collect();
        if others.iter().all(Option::is_none) {
            return true;
        }
        let mut place = 0;
        loop {
            let jumps = self.jumps;
            if let Some(next) = self.ahead(input, place) {
                if let Some(Some(line)) = others.get(next.stream()) {
                    if line.breaks(next, jumps).is_some() {
                        return true;
                    }
                    let last = line.last.unwrap_or(0);
                    if time_of(next).is_some_and(|time| line.base.seconds(time.saturating_sub(last)) > SKEW) {
                        return false;
                    }
                }
            } else if !self.is_read_to(place) {
                return true;
            }
            place += 1;
        }
    }

    /// Describes how the beginning of the clock is changed; `None` if it is not.
    pub fn start_note(&self) -> Option<String> {
        let start = self.start?;
        Some(format!(
            "its clock begins at {}: all of it is moved to begin at 0 (--keep-clock leaves it where it is)",
            long(start)
        ))
    }

    /// Describes the breaks that were closed so far; `None` if there were none.
    pub fn joint_note(&self) -> Option<String> {
        let first = self.joints.first()?;
        let times =
            if self.joints.len() == 1 { String::new() } else { format!(", {} times in all", self.joints.len()) };
        Some(format!(
            "its clock breaks off after {}{times}: what follows continues there, sound and pictures together",
            long(*first)
        ))
    }

    /// Returns the ticks by which the beginning of a stream is moved.
    pub fn start_of(&self, index: usize) -> i64 {
        self.lines.get(index).map_or(0, |line| self.base.convert(self.offsets[0], line.base) + line.own)
    }

    /// Returns the seconds that are added to make the file begin at 0; 0 if it is not moved, negative otherwise.
    pub fn moved(&self) -> f64 {
        self.base.seconds(self.offsets[0])
    }

    /// Returns the latest end of the packets of a stream that were read so far, in seconds on the file's own clock.
    pub fn end_of(&self, index: usize) -> Option<f64> {
        self.lines.get(index).and_then(|line| Some(line.base.seconds(line.furthest?)))
    }

    /// Returns the latest end over all streams (see [`Self::end_of`]).
    pub fn end_of_all(&self) -> Option<f64> {
        (0..self.lines.len()).filter_map(|index| self.end_of(index)).reduce(f64::max)
    }

    /// Returns whether the packet read last is shorter than it claims.
    pub fn ends_cut(&self) -> bool {
        self.cut
    }
}

/// Formats seconds, without decimals from a day on.
fn long(seconds: f64) -> String {
    if seconds < 86_400.0 { format!("{} s", (seconds * 1000.0).round() / 1000.0) } else { format!("{seconds:.0} s") }
}
