//! Runs the user's filters (`--pre-filter`), which may change the size, the time base and the number of frames.

use std::path::PathBuf;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, frame};

use super::clock::Rising;
use super::error::DecodeError;
use super::stage::Timed;
use super::tags::color_of;
use crate::media::graph::{Entry, Exit, VideoGraph};
use crate::media::{Ratio, TimeBase, Timing};

pub(super) struct UserFilter {
    path: PathBuf,
    pub text: String,
    /// Frame rate and sample aspect ratio of the input frames.
    rate: Option<Ratio>,
    aspect: Option<Ratio>,
    graph: Option<((u32, u32, Pixel), VideoGraph)>,
    /// The output properties of the first graph, and the clock that keeps its times rising.
    exit: Option<(Exit, Rising)>,
    /// The last frame, held until the next one shows how long it lasts.
    held: Option<Timed>,
    /// The end of the last input frame, in ticks of its time base.
    end: i64,
}

impl UserFilter {
    pub fn new(path: PathBuf, text: &str, rate: Option<Ratio>, aspect: Option<Ratio>) -> Self {
        Self { path, text: text.into(), rate, aspect, graph: None, exit: None, held: None, end: 0 }
    }

    /// Returns the output properties of the filters, once a frame has gone in.
    pub fn exit(&self) -> Option<Exit> {
        self.exit.as_ref().map(|(exit, _)| *exit)
    }

    pub fn push(&mut self, mut frame: frame::Video, timing: Timing, out: &mut Vec<Timed>) -> Result<(), DecodeError> {
        let shape = (frame.width(), frame.height(), frame.format());
        let color = color_of(&frame);
        // Filters that convert use the frame's tags: without tags they assume BT.601 at any size.
        frame.set_color_space(color.matrix);
        frame.set_color_range(range(color.full_range));
        if self.graph.as_ref().is_none_or(|(built_for, _)| *built_for != shape) {
            self.drain(true, out)?;
            let entry = Entry { sample_aspect: self.aspect, ..Entry::of(&frame, timing.base) };
            let mut graph = VideoGraph::with_rate(&entry, self.rate, &self.text).map_err(|e| self.refused(e))?;
            if self.exit.is_none() {
                let exit = graph.exit().map_err(|e| self.refused(e))?;
                self.exit = Some((exit, Rising::default()));
            }
            self.graph = Some((shape, graph));
        }
        let usual = self.rate.filter(|rate| rate.value() > 0.0).map_or(0, |rate| timing.base.ticks(1.0 / rate.value()));
        self.end = timing.pts + timing.duration.unwrap_or(usual);
        frame.set_pts(Some(timing.pts));
        let pushed = self.graph.as_mut().map(|(_, graph)| graph.push(&mut frame));
        match pushed {
            // Filters that end on their own (`trim`) take no more frames.
            None | Some(Ok(()) | Err(ffmpeg::Error::Eof)) => {}
            Some(Err(error)) => return Err(self.refused(error)),
        }
        self.drain(false, out)
    }

    /// Ends the input and hands out the frames still held back.
    pub fn finish(&mut self, out: &mut Vec<Timed>) -> Result<(), DecodeError> {
        self.drain(true, out)?;
        self.graph = None;
        let usual = self.exit().and_then(|exit| exit.rate.map(|rate| exit.base.ticks(1.0 / rate.value()).max(1)));
        if let Some((frame, timing)) = self.held.take() {
            out.push((frame, Timing { duration: usual, ..timing }));
        }
        Ok(())
    }

    fn drain(&mut self, end: bool, out: &mut Vec<Timed>) -> Result<(), DecodeError> {
        let Some((shape, mut graph)) = self.graph.take() else { return Ok(()) };
        if end {
            graph.close(self.end).map_err(|e| self.refused(e))?;
        }
        let base = graph.exit().map_err(|e| self.refused(e))?.base;
        while let Some(frame) = graph.pull().map_err(|e| self.refused(e))? {
            self.came(frame, base, out);
        }
        self.graph = Some((shape, graph));
        Ok(())
    }

    fn came(&mut self, frame: frame::Video, base: TimeBase, out: &mut Vec<Timed>) {
        let Some((exit, clock)) = &mut self.exit else { return };
        // `timestamp()` is the decoder's time and stays the same when a filter changes the clock.
        let usual = exit.rate.map_or(1, |rate| exit.base.ticks(1.0 / rate.value()).max(1));
        let next = || self.held.as_ref().map_or(0, |(_, earlier)| earlier.pts + usual);
        let pts = frame.pts().map_or_else(next, |pts| base.convert(pts, exit.base));
        let timing = Timing { pts: clock.time(pts), duration: None, base: exit.base };
        if let Some((before, earlier)) = self.held.replace((frame, timing)) {
            let duration = timing.pts - earlier.pts;
            out.push((before, Timing { duration: Some(duration), ..earlier }));
        }
    }

    fn refused(&self, error: ffmpeg::Error) -> DecodeError {
        let reason = match unknown_filter(&self.text) {
            Some(name) => format!("FFmpeg has no filter {name}"),
            None => error.to_string(),
        };
        DecodeError::Filter { path: self.path.clone(), graph: self.text.clone(), reason }
    }
}

/// Returns the first name in a graph that is not a filter; FFmpeg names it only in its log.
fn unknown_filter(graph: &str) -> Option<&str> {
    // Text in quotes or behind a backslash is part of a value.
    let (mut quoted, mut escaped) = (false, false);
    let parts = graph.split(|c| {
        let separates = !quoted && !escaped && (c == ',' || c == ';');
        quoted ^= c == '\'' && !escaped;
        escaped = c == '\\' && !escaped;
        separates
    });
    let names = parts.filter_map(|part| {
        let mut rest = part.trim();
        while let Some((_, behind)) = rest.strip_prefix('[').and_then(|label| label.split_once(']')) {
            rest = behind.trim();
        }
        rest.split(['=', '@', '[', ' ']).next().filter(|name| !name.is_empty())
    });
    let mut names = names.filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'));
    names.find(|name| ffmpeg::filter::find(name).is_none())
}

fn range(full: bool) -> ffmpeg::color::Range {
    if full { ffmpeg::color::Range::JPEG } else { ffmpeg::color::Range::MPEG }
}
