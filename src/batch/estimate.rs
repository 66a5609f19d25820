//! Estimates the cost of a job: reads the source once and paints small samples with the full pipeline. Writes nothing
//! but encoded samples in a temporary folder.

mod extrapolate;
mod sample;
mod survey;

use std::time::{Duration, Instant};

use serde::Serialize;

use super::RunOptions;
use super::Worker;
use super::job::{JobContext, JobError, names};
use super::publish::work_place;
use crate::interrupt::CancelToken;
use crate::job::{Engine, Job};
use crate::media::{Input, Output, Range};
use crate::motion::{self, SuppliedMotion};
use crate::pipeline::PipelineError;
use crate::report::Observer;
use crate::resume::{Manifest, tail_bytes};
use crate::settings::{Resolved, Settings};
use crate::stylize::{self, Footage, device};

use extrapolate::{Costs, Work, estimate_time};
use sample::{Sample, Sampler};
use survey::Survey;

/// Limit of each sample, and of the budget for all of them; the budget is also limited to this share of the job. A
/// sample has at least a few frames, even if they exceed the budget.
const LONGEST: Duration = Duration::from_secs(60);
const SHARE: f64 = 0.1;
/// If there are more than two samples, sampling continues for at least this many seconds.
const AT_LEAST: f64 = 8.0;
/// Iterations of the first frame and of later frames in the trial, which measures how long an iteration takes.
const TRIAL: [u32; 2] = [6, 3];
/// Number of frames in the trial; the first one begins a shot.
const TRIAL_FRAMES: u64 = 3;
/// Minimum number of later frames in a sample, if time allows.
const MIN_LATER_FRAMES: usize = 4;

/// Expected cost of a job, from now to its end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    pub input: String,
    pub output: String,
    /// Number of frames in all, and of those that a previous run painted.
    pub frames: u64,
    pub painted: u64,
    pub shots: u64,
    pub width: usize,
    pub height: usize,
    /// Expected seconds, and the range in which they probably lie.
    pub seconds: f64,
    pub low: f64,
    pub high: f64,
    /// Peak memory of the sample in bytes; `None` if the system does not report it.
    pub memory: Option<u64>,
    /// Bytes of the work folder before the output is assembled, and of the output; `None` if unknown.
    pub work_bytes: Option<u64>,
    pub output_bytes: Option<u64>,
    /// Number of frames that were painted for the estimate with all their iterations.
    pub sampled: u64,
}

/// Why there is no estimate.
#[derive(Debug, thiserror::Error)]
pub enum EstimateError {
    #[error("standard input can be read once only: --plan needs a file")]
    Stream,
    #[error("{0}")]
    Job(String),
}

impl From<JobError> for EstimateError {
    fn from(error: JobError) -> Self {
        Self::Job(crate::report::causes(&error))
    }
}

/// Estimates a job; `observer` receives the progress of reading. `worker` does all jobs of a plan, so that a model is
/// loaded for the first of them only, as in a run.
///
/// # Errors
/// Any error of the job that occurs while the source is read or sampled.
pub fn estimate(
    job: &Job,
    resolved: &Resolved,
    supplied: &SuppliedMotion,
    engine: Engine,
    options: RunOptions,
    observer: &dyn Observer,
    worker: &Worker,
) -> Result<Estimate, EstimateError> {
    if job.input == Input::Stdin {
        return Err(EstimateError::Stream);
    }
    // An estimate has nothing to save, so a signal may end the program at once.
    let cancel = CancelToken::default();
    let settings = &resolved.settings;
    let threads = device::threads();
    let context =
        JobContext { resolved, settings, supplied, engine, options, threads, observer, cancel: &cancel, worker };
    let survey = survey::survey(job, context)?;
    let painted = painted(job, context).min(survey.frames);
    let (costs, sample) = measure(job, context, &survey)?;
    let ahead = Work {
        frames: survey.frames - painted,
        shots: survey.shots.iter().filter(|shot| shot.frame >= painted).count() as u64,
        passes: if settings.temporal.is_reworked() { settings.temporal.passes_of_loop() } else { 1 },
        reading: survey.seconds,
    };
    let time = estimate_time(&costs, ahead);
    let state = state_bytes(&survey, settings, engine)?;
    let (input, output) = names(job);
    let output_bytes = sample.bytes_per_frame.map(|bytes| (bytes * survey.frames as f64) as u64);
    Ok(Estimate {
        input,
        output,
        frames: survey.frames,
        painted,
        shots: survey.shots.len() as u64,
        width: survey.width,
        height: survey.height,
        seconds: time.seconds,
        low: time.low,
        high: time.high,
        memory: peak_memory(),
        work_bytes: output_bytes.filter(|_| kept(job)).map(|bytes| bytes + state),
        output_bytes,
        sampled: sample.frames.len() as u64,
    })
}

/// Returns whether the job has a work folder that grows.
fn kept(job: &Job) -> bool {
    matches!(job.output, Output::Video(_) | Output::Sequence { .. })
}

/// Returns the number of frames that a previous run painted and this run would keep.
fn painted(job: &Job, context: JobContext<'_>) -> u64 {
    let found = work_place(&job.output)
        .filter(|_| context.options.resume)
        .and_then(|work| Manifest::read(&work).ok().flatten());
    let Some(manifest) = found else { return 0 };
    let same = context.identify(job).is_ok_and(|identity| identity.changed(&manifest.identity).is_none());
    if same { manifest.frames() } else { 0 }
}

/// Paints a trial with few iterations, and then as many samples with all iterations as the budget allows.
fn measure(job: &Job, context: JobContext<'_>, survey: &Survey) -> Result<(Costs, Sample), JobError> {
    let [first, next] = context.settings.optimizer.iterations;
    let trial_settings = sample::with_iterations(context.settings, [first.min(TRIAL[0]), next.min(TRIAL[1])]);
    let trial = Sampler { job, context: JobContext { settings: &trial_settings, ..context } };
    let trial = trial.paint(Range { frames: Some(TRIAL_FRAMES), ..job.range }, LONGEST, &|_| false)?;
    let mut costs = Costs::of_trial(&trial, [first, next]);
    let alone = matches!(job.input, Input::Picture(_));
    if alone || costs.first + costs.next > LONGEST.as_secs_f64() {
        return Ok((costs, Sample { frames: Vec::new(), ..trial }));
    }
    let all = costs.first * survey.shots.len() as f64 + costs.next * survey.frames as f64;
    let budget = (all * SHARE).min(LONGEST.as_secs_f64());
    // With several passes, frame times are known only at the end of a shot. The first pass is much like a run with one
    // pass.
    let one_pass = sample::of_one_pass(context.settings);
    let sampler = Sampler { job, context: JobContext { settings: &one_pass, ..context } };
    let places = survey.places(job);
    let share = budget / places.len().max(1) as f64;
    let mut sample = Sample { startup: trial.startup, ..Sample::default() };
    let mut sizes = Vec::new();
    let began = Instant::now();
    for (number, place) in places.into_iter().enumerate() {
        // The third and later samples are painted only while time is left.
        if number > 1 && began.elapsed().as_secs_f64() >= budget.max(AT_LEAST) {
            break;
        }
        let enough = |frames: &[sample::FrameTime]| {
            frames.len() > MIN_LATER_FRAMES && frames.iter().map(|frame| frame.seconds).sum::<f64>() >= share
        };
        let more = sampler.paint(place.range, LONGEST, &enough)?;
        costs.add(&more, place.length);
        sizes.extend(more.bytes_per_frame.map(|bytes| (bytes, place.length as f64)));
        sample.frames.extend(more.frames);
    }
    let all: f64 = sizes.iter().map(|(_, length)| length).sum();
    sample.bytes_per_frame =
        (!sizes.is_empty()).then(|| sizes.iter().map(|(bytes, length)| bytes * length).sum::<f64>() / all);
    costs.use_mean_of_firsts();
    Ok((costs, sample))
}

/// Returns the bytes of the work folder besides the finished parts: the state that the next frame needs, and painted
/// frames that are in no part yet.
fn state_bytes(survey: &Survey, settings: &Settings, engine: Engine) -> Result<u64, JobError> {
    let Survey { frames, longest_shot, width, height, .. } = *survey;
    let in_part = u64::from(settings.output.checkpoint).min(longest_shot);
    let tail = tail_bytes((size_of::<f32>() * 3 * width * height) as u64, in_part);
    if engine != Engine::Optimise {
        return Ok(tail);
    }
    let footage = Footage { width, height, frames, longest_shot, flow: motion::flow_size(width, height) };
    Ok(tail + stylize::kept_bytes(settings, footage).map_err(PipelineError::from)?)
}

/// Returns the peak memory of this process in bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok().map(|kilobytes: u64| kilobytes << 10)
}
