//! Runs the user's post filters on the painted frames, before any kind of output.

use std::collections::BTreeMap;

use ffmpeg_next as ffmpeg;

use super::to_encoder::{FLAGS, float_entry, float_frame, float_name};
use super::{EncodeError, Encoded, FrameSink, Target, open_sink};
use crate::media::floats;
use crate::media::graph::VideoGraph;
use crate::media::{Frame, MediaInfo, Ratio, TimeBase, Timing};
use crate::settings::OutputSettings;

/// Filters frames and passes them on. The filters determine size, number and times of the frames that leave.
pub(super) struct FilterSink {
    inner: Box<dyn FrameSink>,
    fail: Fail,
    graph: VideoGraph,
    size: (usize, usize),
    alpha: bool,
    /// Time base of the frames that enter the filters; `base` is that of the frames that leave.
    entry: TimeBase,
    base: TimeBase,
    /// Duration of a frame in ticks of `base`, if the filters set a constant rate.
    steady: Option<i64>,
    /// Durations of the frames that entered, by pts, in ticks of `entry`.
    durations: BTreeMap<i64, i64>,
    taken: u64,
    given: u64,
    /// Rate of the frames that enter.
    rate: Option<Ratio>,
    /// End of the last frame that entered, in ticks of `entry`.
    end: i64,
}

/// Creates errors that name the filters.
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
            // The filters may drop frames, so their number does not tell whether a limit was reached: a limit of 0
            // always ends the part with the last frame.
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

    /// Passes on the frames that are ready.
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

    /// Returns the duration of the frame that entered at this time; `None` for a time that the filters made up.
    fn duration(&mut self, pts: i64) -> Option<i64> {
        let came = self.base.convert(pts, self.entry);
        let duration = self.durations.get(&came).map(|&ticks| self.entry.convert(ticks, self.base));
        // Times only increase, so earlier durations are no longer needed.
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
