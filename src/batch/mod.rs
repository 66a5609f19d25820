//! Jobs: which inputs become which outputs, and doing them one after another.

pub mod estimate;
mod job;
mod known;
pub mod plan;
mod publish;

use std::time::Instant;

use crate::identity::Fingerprint;
use crate::interrupt::CancelToken;
use crate::motion::Given;
use crate::pipeline::PipelineError;
use crate::report::{Event, Observer, Stop, causes};
use crate::settings::Resolved;

pub use known::Known;

use job::{Batch, JobError, names, run_job};
use plan::Planned;

/// What repaints the frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// Gradient descent on pixels.
    #[default]
    Optimise,
    /// Changes nothing; for tests of everything else.
    Identity,
    /// Paints known colours; for tests of what an identity round trip hides.
    Bars,
}

/// How jobs are done, whatever their settings: nothing of this changes the bytes of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Habits {
    /// Goes on with what a former run has painted.
    pub resume: bool,
    /// Leaves the work folder where it is.
    pub keep_work: bool,
    pub fingerprint: Fingerprint,
}

impl Default for Habits {
    fn default() -> Self {
        Self { resume: true, keep_work: false, fingerprint: Fingerprint::Sampled }
    }
}

/// How the jobs of a batch ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    pub done: usize,
    pub skipped: usize,
    pub failed: usize,
    /// The batch was interrupted; the jobs after that were not begun.
    pub cancelled: bool,
    pub not_begun: usize,
}

/// Does all that is planned, in order; `given` is what the user brings of the source's motion. A job that fails does not stop the others.
pub fn run(
    planned: Vec<Planned>,
    resolved: &Resolved,
    given: &Given,
    engine: Engine,
    habits: Habits,
    observer: &dyn Observer,
    cancel: &CancelToken,
) -> Summary {
    let batch = Batch { resolved, settings: &resolved.settings, given, engine, habits, observer, cancel };
    let mut summary = Summary::default();
    let (began, jobs) = (Instant::now(), planned.len());
    observer.event(&Event::RunStarted { version: env!("CARGO_PKG_VERSION").into(), jobs: jobs as u64 });
    let mut interrupted = 0;
    for (begun, planned) in planned.into_iter().enumerate() {
        if cancel.is_cancelled() {
            summary.cancelled = true;
            summary.not_begun = jobs - begun;
            break;
        }
        match planned {
            Planned::Skip { job, why } => {
                summary.skipped += 1;
                let (input, output) = names(&job);
                observer.event(&Event::Skipped { input, output, why });
            }
            Planned::Fail { input, error } => {
                summary.failed += 1;
                observer.event(&Event::Failed { input: input.display().to_string(), error: causes(&error) });
            }
            Planned::Run(job) => match run_job(&job, batch) {
                Ok(()) => summary.done += 1,
                Err(JobError::Pipeline(PipelineError::Cancelled { frames })) => {
                    summary.cancelled = true;
                    interrupted += 1;
                    let reason = Stop::of(cancel);
                    observer.event(&Event::Cancelled { input: names(&job).0, frames, reason });
                }
                Err(error) => {
                    summary.failed += 1;
                    observer.event(&Event::Failed { input: names(&job).0, error: causes(&error) });
                }
            },
        }
    }
    observer.event(&Event::RunFinished {
        done: summary.done as u64,
        skipped: summary.skipped as u64,
        failed: summary.failed as u64,
        cancelled: interrupted,
        not_begun: summary.not_begun as u64,
        seconds: began.elapsed().as_secs_f64(),
        stopped: summary.cancelled.then(|| Stop::of(cancel)),
    });
    summary
}
