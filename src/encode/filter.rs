//! The user's filters behind the painting, in front of whatever output there is.

use std::collections::BTreeMap;

use ffmpeg_next as ffmpeg;

use super::egress::{FLAGS, float_entry, float_frame, float_name};
use super::{EncodeError, Encoded, FrameSink, Target, open_sink};
use crate::media::floats;
use crate::media::graph::VideoGraph;
use crate::media::{Frame, MediaInfo, Ratio, TimeBase, Timing};
use crate::settings::OutputSettings;

/// Filters frames and hands them on. Size, number and times of what leaves are the filters' own.
pub(super) struct FilterSink {
    inner: Box<dyn FrameSink>,
    fail: Fail,
    graph: VideoGraph,
    size: (usize, usize),
    alpha: bool,
    /// Time bases in front of the filters and behind them.
    entry: TimeBase,
    base: TimeBase,
    /// Ticks that a frame lasts where the filters set a rate of their own.
    steady: Option<i64>,
    /// Durations of the frames that came, by pts, in ticks of `entry`.
    durations: BTreeMap<i64, i64>,
    taken: u64,
    given: u64,
    /// Rate of the frames that come.
    rate: Option<Ratio>,
    /// Where the last frame that came ends, in ticks of `entry`.
    end: i64,
}

/// Makes errors of the filters.
struct Fail {
    path: std::path::PathBuf,
    filter: String,
}

impl Fail {
    fn with(&self, source: ffmpeg::Error) -> EncodeError {
        EncodeError::Filter { path: self.path.clone(), filter: self.filter.clone(), source }
    }
}

impl FilterSink {
    pub fn open(target: &Target, info: &MediaInfo, settings: &OutputSettings) -> Result<Self, EncodeError> {
        let fail = Fail { path: target.output.path().into(), filter: settings.filter.clone() };
        if settings.filter.contains('\0') {
            return Err(fail.with(ffmpeg::Error::Other { errno: ffmpeg::error::EINVAL }));
        }
        let alpha = info.samples.alpha;
        let size = (info.width, info.height);
        let mut entry = float_entry(size, info.base, alpha);
        entry.sample_aspect = info.sample_aspect;
        let chain = format!("sws_{FLAGS};{},format={}", settings.filter, float_name(alpha));
        let mut graph = VideoGraph::with_rate(&entry, info.rate, &chain).map_err(|error| fail.with(error))?;
        let exit = graph.exit().map_err(|error| fail.with(error))?;
        let mut filtered = info.clone();
        (filtered.width, filtered.height) = (exit.width as usize, exit.height as usize);
        filtered.base = exit.base;
        filtered.rate = exit.rate.or(info.rate);
        filtered.sample_aspect = exit.sample_aspect;
        filtered.frames = None;
        if let Some(source) = &mut filtered.source {
            // Of fewer frames than asked for, the filters may have taken some: the part ends with the last one.
            source.range.frames = source.range.frames.map(|_| 0);
        }
        let settings = OutputSettings { filter: String::new(), ..settings.clone() };
        let inner = open_sink(target, &filtered, &settings, None)?;
        let steady = exit.rate.map(|rate| exit.base.ticks(1.0 / rate.value()).max(1));
        Ok(Self {
            inner,
            fail,
            graph,
            size,
            alpha,
            entry: info.base,
            base: exit.base,
            steady,
            durations: BTreeMap::new(),
            taken: 0,
            given: 0,
            rate: info.rate.filter(|rate| rate.value() > 0.0),
            end: 0,
        })
    }

    /// Hands on what is ready.
    fn drain(&mut self) -> Result<(), EncodeError> {
        while let Some(frame) = self.graph.pull().map_err(|error| self.fail.with(error))? {
            let pts = frame.pts().ok_or_else(|| self.fail.with(ffmpeg::Error::InvalidData))?;
            let pixels = floats::pixels(&frame, 1.0, self.alpha).ok_or_else(|| self.fail.with(ffmpeg::Error::Bug))?;
            let timing = Timing { pts, duration: self.steady.or_else(|| self.duration(pts)), base: self.base };
            self.inner.push(Frame { pixels, timing, index: self.given })?;
            self.given += 1;
        }
        Ok(())
    }

    /// That of the frame which came at the same time; of a time that the filters made there is none.
    fn duration(&mut self, pts: i64) -> Option<i64> {
        let came = self.base.convert(pts, self.entry);
        let duration = self.durations.get(&came).map(|&ticks| self.entry.convert(ticks, self.base));
        // Times only grow.
        self.durations = self.durations.split_off(&came);
        duration
    }
}

impl FrameSink for FilterSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let mut floats =
            float_frame(&frame.pixels, self.size, 1.0, self.alpha).map_err(|error| self.fail.with(error))?;
        floats.set_pts(Some(frame.timing.pts));
        let usual = self.rate.map_or(0, |rate| frame.timing.base.ticks(1.0 / rate.value()));
        self.end = frame.timing.pts + frame.timing.duration.unwrap_or(usual);
        if let (Some(duration), None) = (frame.timing.duration, self.steady) {
            self.durations.insert(frame.timing.pts, duration);
        }
        self.graph.push(&mut floats).map_err(|error| self.fail.with(error))?;
        self.taken += 1;
        self.drain()
    }

    fn finish(mut self: Box<Self>) -> Result<Encoded, EncodeError> {
        self.graph.close(self.end).map_err(|error| self.fail.with(error))?;
        self.drain()?;
        let encoded = self.inner.finish()?;
        Ok(Encoded { frames: self.taken, ..encoded })
    }

    fn warnings(&self) -> &[String] {
        self.inner.warnings()
    }
}
