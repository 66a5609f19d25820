//! Jobs: decides which inputs become which outputs, and runs the jobs one after another or several at once.

mod attempt;
pub mod estimate;
mod failure_log;
mod job;
pub mod job_spec;
pub mod jobfile;
pub mod plan;
mod publish;
mod up_to_date;
pub mod watch;
mod worker;

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::identity::Fingerprint;
use crate::interrupt::CancelToken;
use crate::job::Engine;
use crate::motion::SuppliedMotion;
use crate::report::{self, Event, JobResult, Observer, Outcome, Stop};
use crate::settings::Resolved;
use crate::stylize::device;

pub use up_to_date::UpToDateCheck;
pub use worker::Worker;

use failure_log::FailureLog;
use job::JobContext;
use plan::Planned;

/// Run options that apply to all jobs regardless of their settings. None of them changes the bytes of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOptions {
    /// Continues from the frames that a previous run painted.
    pub resume: bool,
    /// Keeps the work folder after the job.
    pub keep_work: bool,
    pub fingerprint: Fingerprint,
    /// Number of jobs that run at once, 1 or more.
    pub parallel: usize,
    /// Number of retries of a job that failed for a temporary reason.
    pub retries: u32,
    /// Retries inputs that failed before and have not changed since.
    pub retry_failed: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        let fingerprint = Fingerprint::Sampled;
        Self { resume: true, keep_work: false, fingerprint, parallel: 1, retries: 0, retry_failed: false }
    }
}

/// A group of jobs with the same settings.
#[derive(Debug)]
pub struct JobGroup {
    pub planned: Vec<Planned>,
    pub resolved: Resolved,
    /// Motion data that the user supplies for the source.
    pub supplied: SuppliedMotion,
    /// The folder where failures of unattended jobs are recorded.
    pub failure_log: Option<PathBuf>,
    /// Inputs that the user named one by one.
    pub named: Vec<PathBuf>,
}

/// Context that all groups of jobs in a run share: engine, options, observer and cancel token.
#[derive(Clone, Copy)]
pub struct RunContext<'a> {
    pub engine: Engine,
    pub options: RunOptions,
    pub observer: &'a dyn Observer,
    pub cancel: &'a CancelToken,
}

/// How the jobs of a run ended, in the order of the plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    pub results: Vec<JobResult>,
    pub seconds: f64,
    /// Number of times that a worker loaded a model: networks and style pictures.
    pub loads: u64,
}

impl Summary {
    pub fn count(&self, outcome: Outcome) -> usize {
        report::count(&self.results, outcome)
    }

    /// Returns whether the run was interrupted with jobs left.
    pub fn is_cancelled(&self) -> bool {
        self.count(Outcome::Cancelled) + self.count(Outcome::NotBegun) > 0
    }

    /// Returns the event for the end of the run. A job that another run works on counts as skipped.
    fn finished(&self, cancel: &CancelToken) -> Event {
        let count = |outcome| self.count(outcome) as u64;
        Event::RunFinished {
            done: count(Outcome::Done),
            skipped: count(Outcome::Skipped) + count(Outcome::Busy),
            failed: count(Outcome::Failed),
            cancelled: count(Outcome::Cancelled),
            not_begun: count(Outcome::NotBegun),
            seconds: self.seconds,
            stopped: self.is_cancelled().then(|| Stop::of(cancel)),
        }
    }

    /// Returns 0 if every job is done or skipped, 1 if a job failed, and 75 (try again later) if no job was done
    /// because another run works on one.
    pub fn exit_code(&self) -> u8 {
        if self.count(Outcome::Failed) > 0 {
            1
        } else if self.count(Outcome::Done) == 0 && self.count(Outcome::Busy) > 0 {
            EXIT_TRY_LATER
        } else {
            0
        }
    }
}

/// Exit code `EX_TEMPFAIL` of sysexits.h: nothing is wrong, and the next run continues.
pub const EXIT_TRY_LATER: u8 = 75;

/// Runs all planned jobs, as many at once as the options allow. A failed job does not stop the others.
pub fn run(groups: Vec<JobGroup>, context: RunContext<'_>) -> Summary {
    let began = Instant::now();
    let failure_logs: Vec<Option<FailureLog>> =
        groups.iter().map(|group| group.failure_log.as_deref().map(FailureLog::of)).collect();
    let jobs: Vec<(&JobGroup, Option<&FailureLog>, &Planned)> = groups
        .iter()
        .zip(&failure_logs)
        .flat_map(|(group, failure_log)| {
            group.planned.iter().map(move |planned| (group, failure_log.as_ref(), planned))
        })
        .collect();
    let jobs_count = jobs.len() as u64;
    context.observer.event(&Event::RunStarted { version: env!("CARGO_PKG_VERSION").into(), jobs: jobs_count });
    // Queried here, before any job changes the number of threads.
    let threads = device::threads();
    let results: Vec<OnceLock<JobResult>> = jobs.iter().map(|_| OnceLock::new()).collect();
    let next = AtomicUsize::new(0);
    let loads = AtomicU64::new(0);
    let work = |several_workers: bool| {
        let worker = Worker::default();
        while let Some((number, &(group, failure_log, planned))) = at(&jobs, next.fetch_add(1, Ordering::Relaxed)) {
            let own = if several_workers { context.observer.for_job(number as u64 + 1) } else { None };
            let observer = own.as_deref().unwrap_or(context.observer);
            let RunContext { engine, options, cancel, .. } = context;
            let (resolved, supplied) = (&group.resolved, &group.supplied);
            let settings = &resolved.settings;
            let job_context = JobContext {
                resolved,
                settings,
                supplied,
                engine,
                options,
                threads,
                observer,
                cancel,
                worker: &worker,
            };
            // Each index is taken once, so the slot is empty.
            let _ = results[number].set(attempt::attempt(planned, job_context, failure_log, &group.named));
        }
        loads.fetch_add(worker.model_loads(), Ordering::Relaxed);
    };
    let workers = context.options.parallel.min(jobs.len());
    if workers > 1 {
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| work(true));
            }
        });
    } else {
        work(false);
    }
    let results: Vec<JobResult> = results.into_iter().filter_map(OnceLock::into_inner).collect();
    let seconds = began.elapsed().as_secs_f64();
    if results.len() > 1 {
        context.observer.event(&Event::Batch { jobs: results.clone(), seconds });
    }
    let summary = Summary { results, seconds, loads: loads.into_inner() };
    context.observer.event(&summary.finished(context.cancel));
    summary
}

fn at<T>(list: &[T], index: usize) -> Option<(usize, &T)> {
    list.get(index).map(|item| (index, item))
}
