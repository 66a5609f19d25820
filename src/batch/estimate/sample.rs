//! Paints part of a job with all pipeline stages, discards the result, and measures the time. Writes only to a
//! temporary folder.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::job::{JobContext, JobError, make_tools, wanted};
use crate::decode;
use crate::encode::{self, EncodeError, Encoded, FrameSink, Target};
use crate::interrupt::{CancelToken, Deadline};
use crate::job::Job;
use crate::media::{Frame, MediaInfo, Output, Range};
use crate::motion;
use crate::pipeline::{self, Ends, PipelineError};
use crate::report::{Event, Observer};
use crate::settings::Settings;

/// Number of painted frames that are kept to measure their encoded size.
const KEPT: usize = 6;

/// The measurement of one painted frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameTime {
    pub iterations: u32,
    /// Seconds since the previous frame, waits included; for the first frame, the time for painting it.
    pub seconds: f64,
}

/// Measurements of a painted part. Its first frame begins a shot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Sample {
    /// Seconds before the first frame: opening the source, loading weights, reading style pictures.
    pub startup: f64,
    pub frames: Vec<FrameTime>,
    pub bytes_per_frame: Option<f64>,
}

pub fn with_iterations(settings: &Settings, iterations: [u32; 2]) -> Settings {
    let mut settings = of_one_pass(settings);
    settings.optimizer.iterations = iterations;
    settings
}

pub fn of_one_pass(settings: &Settings) -> Settings {
    let mut settings = settings.clone();
    (settings.temporal.passes, settings.temporal.ring) = (1, false);
    settings
}

/// Paints samples of a job.
pub struct Sampler<'a> {
    pub job: &'a Job,
    pub context: JobContext<'a>,
}

impl Sampler<'_> {
    /// Paints `range` until `enough` returns true or the sample takes longer than `longest`.
    ///
    /// # Errors
    /// Any error that makes a job fail.
    pub fn paint(
        &self,
        range: Range,
        longest: Duration,
        enough: &(dyn Fn(&[FrameTime]) -> bool + Sync),
    ) -> Result<Sample, JobError> {
        let began = Instant::now();
        let deadline = Deadline { steady: Some(began + longest), wall: None };
        let cancel = CancelToken::default().until(deadline);
        let job = Job { range, ..self.job.clone() };
        let context = JobContext { observer: &Silent, cancel: &cancel, ..self.context };
        let source = decode::open(&job.input, range, &context.settings.input)?;
        let info = source.info().clone();
        let wanted = wanted(&job, context)?;
        let measured = wanted.flow.is_some();
        let motion = motion::watch(wanted)?;
        let kept = Arc::new(Mutex::new(Vec::new()));
        let sink = Box::new(SampleSink { count: 0, kept: Arc::clone(&kept) });
        let stopwatch = Stopwatch { state: Mutex::new(State::new(began)), enough, cancel: &cancel };
        // There is only one pass, so nothing is stored in the work folder.
        let make = || make_tools(&job, context, Path::new("."), false);
        match pipeline::run(Ends { source, sink, motion }, measured, make, None, &stopwatch, &cancel) {
            Ok(_) | Err(PipelineError::Cancelled { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let State { startup, frames, .. } = stopwatch.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
        let bytes_per_frame = encoded_size(&job.output, &info, context.settings, kept);
        Ok(Sample { startup, frames, bytes_per_frame })
    }
}

/// Observer that drops the messages of a sample: they do not concern a job.
struct Silent;

impl Observer for Silent {
    fn event(&self, _: &Event) {}
}

/// Observer that measures each frame, and stops the sample when it has enough of them.
struct Stopwatch<'a> {
    state: Mutex<State>,
    enough: &'a (dyn Fn(&[FrameTime]) -> bool + Sync),
    cancel: &'a CancelToken,
}

struct State {
    last: Instant,
    startup: f64,
    frames: Vec<FrameTime>,
}

impl State {
    fn new(began: Instant) -> Self {
        Self { last: began, startup: 0.0, frames: Vec::new() }
    }
}

impl Observer for Stopwatch<'_> {
    fn event(&self, event: &Event) {
        let Event::Frame { iterations, seconds, .. } = event else { return };
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = (now - state.last).as_secs_f64();
        state.last = now;
        let seconds = if state.frames.is_empty() {
            state.startup = (since - seconds).max(0.0);
            *seconds
        } else {
            since
        };
        state.frames.push(FrameTime { iterations: *iterations, seconds });
        if (self.enough)(&state.frames) {
            self.cancel.cancel(signal_hook::consts::SIGTERM);
        }
    }
}

/// Sink that counts the frames of a sample and keeps the first ones.
struct SampleSink {
    count: u64,
    kept: Arc<Mutex<Vec<Frame>>>,
}

impl FrameSink for SampleSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(frame);
        }
        self.count += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        Ok(Encoded { frames: self.count, warnings: Vec::new() })
    }
}

/// Returns the encoded bytes per frame in the output's format; `None` if that cannot be measured.
fn encoded_size(output: &Output, info: &MediaInfo, settings: &Settings, frames: Vec<Frame>) -> Option<f64> {
    let count = frames.len();
    let work = tempfile::tempdir().ok()?;
    let inside = |path: &Path| Some(work.path().join(path.file_name()?));
    let output = match output {
        Output::Video(path) => Output::Video(inside(path)?),
        Output::Picture(path) => Output::Picture(inside(path)?),
        Output::Sequence { names, .. } => {
            Output::Sequence { folder: work.path().join("pictures"), names: names.clone() }
        }
        Output::Stdout => return None,
    };
    if let Output::Sequence { folder, .. } = &output {
        std::fs::create_dir_all(folder).ok()?;
    }
    let target = Target { output, work: work.path().into(), label: None };
    let written = encode::open(&target, info, &settings.output).and_then(|mut sink| {
        frames.into_iter().try_for_each(|frame| sink.push(frame))?;
        sink.finish()
    });
    written.inspect_err(|error| tracing::debug!(%error, "the size of the output is not known")).ok()?;
    let size = size_of(target.output.path())?;
    (count > 0).then(|| size as f64 / count as f64)
}

/// Returns the bytes of a file, or of the files in a folder.
fn size_of(path: &Path) -> Option<u64> {
    if !path.is_dir() {
        return path.metadata().ok().map(|data| data.len());
    }
    std::fs::read_dir(path).ok()?.map(|entry| entry.ok()?.metadata().ok().map(|data| data.len())).sum()
}
