//! Runs one planned job: decides whether there is anything to do, reports how it ended, and retries after temporary
//! failures.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::failure_log::{Failure, FailureLog};
use super::job::{JobContext, JobError, kept, names, run_job};
use super::plan::Planned;
use super::publish::StageError;
use crate::interrupt::CancelToken;
use crate::job::Job;
use crate::pipeline::PipelineError;
use crate::report::{Event, JobResult, Outcome, Stop, causes};
use crate::resume::ResumeError;

/// Pause before the second attempt; each later pause is four times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Interval at which a pause checks for cancellation.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a planned job and reports how it ended. `named` lists the inputs that the user named: their errors are reported
/// every time.
pub fn attempt(
    planned: &Planned,
    context: JobContext<'_>,
    failure_log: Option<&FailureLog>,
    named: &[PathBuf],
) -> JobResult {
    match planned {
        Planned::Skip { job, why } => skip(job, why.clone(), context),
        Planned::Fail { input, error } => {
            let failure_log = failure_log.filter(|_| !named.contains(input));
            let (told, error) = (input.display().to_string(), causes(error));
            match failure_log.and_then(|failure_log| unreadable_before(input, &error, context, failure_log)) {
                Some(why) => skip_unplanned(told, why, context),
                None => fail(told, error, context),
            }
        }
        Planned::Run(job) if context.cancel.is_cancelled() => {
            JobResult::new(names(job).0, Outcome::NotBegun, Stop::of(context.cancel).words().into())
        }
        Planned::Run(job) => {
            let failure_log = failure_log.filter(|_| job.unattended);
            match failure_log.and_then(|failure_log| failed_before(job, context, failure_log)) {
                Some(why) => skip(job, why, context),
                None => work(job, context, failure_log),
            }
        }
    }
}

fn skip(job: &Job, why: String, context: JobContext<'_>) -> JobResult {
    let (input, output) = names(job);
    context.observer.event(&Event::Skipped { input: input.clone(), output, why: why.clone() });
    JobResult::new(input, Outcome::Skipped, why)
}

fn skip_unplanned(input: String, why: String, context: JobContext<'_>) -> JobResult {
    context.observer.event(&Event::Skipped { input: input.clone(), output: String::new(), why: why.clone() });
    JobResult::new(input, Outcome::Skipped, why)
}

fn fail(input: String, error: String, context: JobContext<'_>) -> JobResult {
    context.observer.event(&Event::Failed { input: input.clone(), error: error.clone() });
    JobResult::new(input, Outcome::Failed, error)
}

/// Returns why an input that cannot be planned is skipped, if the same error was reported for it before. Otherwise
/// records the error.
fn unreadable_before(input: &Path, error: &str, context: JobContext<'_>, failure_log: &FailureLog) -> Option<String> {
    let (failure, _) = failure_log.look_up(input);
    let known = failure.is_some_and(|failure| failure.id.is_empty() && failure.error == error);
    if known && !context.options.retry_failed {
        return Some(before(input, error));
    }
    // If the record cannot be written, the error is reported again next time, which does no harm.
    let _ = failure_log.note(input, Some(failure_of(String::new(), error.into())));
    None
}

/// Returns why an input that failed with `error` before is skipped.
fn before(input: &Path, error: &str) -> String {
    // The report starts with the input's path already.
    let error = error.strip_prefix(&format!("{}: ", input.display())).unwrap_or(error);
    format!("failed before, unchanged ({error}); --retry-failed tries again")
}

fn failure_of(id: String, error: String) -> Failure {
    let since = jiff::Timestamp::now().round(jiff::Unit::Second).map(|now| now.to_string());
    Failure { id, error, since: since.unwrap_or_default() }
}

/// Returns why a job is skipped, if it failed before and nothing has changed since.
fn failed_before(job: &Job, context: JobContext<'_>, failure_log: &FailureLog) -> Option<String> {
    if context.options.retry_failed {
        return None;
    }
    let (failure, wrong) = failure_log.look_up(job.input_path());
    if let Some(message) = wrong {
        context.observer.event(&Event::Warning { message });
    }
    let failure = failure.filter(|failure| id(job, context).as_ref() == Some(&failure.id))?;
    Some(before(job.input_path(), &failure.error))
}

fn id(job: &Job, context: JobContext<'_>) -> Option<String> {
    context.identify(job).ok().map(|identity| identity.id())
}

fn work(job: &Job, context: JobContext<'_>, failure_log: Option<&FailureLog>) -> JobResult {
    let (began, date) = (Instant::now(), SystemTime::now());
    let done = attempts(job, context);
    let failure = match &done {
        Ok(_) => Some(None),
        // The failure is recorded only if the input is still the file that was tried.
        Err(error) if error.is_lasting() && !changed_since(job.input_path(), date) => {
            id(job, context).map(|id| Some(failure_of(id, causes(error))))
        }
        Err(_) => None,
    };
    if let (Some(failure_log), Some(failure)) = (failure_log, failure)
        && let Err(error) = failure_log.note(job.input_path(), failure)
    {
        let message = format!("cannot note how {} ended: {error}; it is tried again next time", names(job).0);
        context.observer.event(&Event::Warning { message });
    }
    let result = match done {
        Ok(frames) => JobResult { frames: Some(frames), ..JobResult::new(names(job).0, Outcome::Done, String::new()) },
        Err(error) => ended(job, &error, context),
    };
    JobResult { seconds: began.elapsed().as_secs_f64(), ..result }
}

fn changed_since(path: &Path, date: SystemTime) -> bool {
    path.metadata().and_then(|data| data.modified()).map_or(true, |modified| modified >= date)
}

/// Reports a job that did not complete.
fn ended(job: &Job, error: &JobError, context: JobContext<'_>) -> JobResult {
    let input = names(job).0;
    match error {
        JobError::Pipeline(PipelineError::Cancelled { frames }) => {
            let reason = Stop::of(context.cancel);
            context.observer.event(&Event::Cancelled { input: input.clone(), frames: *frames, reason });
            let why = reason.words().into();
            JobResult { frames: Some(*frames), ..JobResult::new(input, Outcome::Cancelled, why) }
        }
        JobError::Appeared => skip(job, causes(error), context),
        JobError::Stage(StageError::Resume(ResumeError::Busy { .. })) => {
            JobResult { outcome: Outcome::Busy, ..skip(job, causes(error), context) }
        }
        error => fail(input, causes(error), context),
    }
}

/// Runs a job until it is done, fails permanently, or has no retries left.
fn attempts(job: &Job, context: JobContext<'_>) -> Result<u64, JobError> {
    let retries = context.options.retries;
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=retries {
        match run_job(job, context) {
            Err(error) if error.is_passing() => {
                let (input, seconds) = (names(job).0, pause.as_secs());
                let told = causes(&error);
                let message = format!("{input}: {told}; tries again in {seconds} s ({attempt} of {retries})");
                context.observer.event(&Event::Warning { message });
                if !wait(pause, context.cancel) {
                    let (frames, _) = kept(job);
                    return Err(PipelineError::Cancelled { frames }.into());
                }
                pause = (pause * 4).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
    run_job(job, context)
}

/// Waits for `pause`; returns `false` if the run was cancelled meanwhile.
fn wait(pause: Duration, cancel: &CancelToken) -> bool {
    let began = Instant::now();
    while !cancel.is_cancelled() {
        let left = pause.saturating_sub(began.elapsed());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(LOOK));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_ends_a_pause() {
        let cancel = CancelToken::default();
        assert!(wait(Duration::from_millis(1), &cancel));
        cancel.cancel(15);
        let began = Instant::now();
        assert!(!wait(Duration::from_secs(60), &cancel));
        assert!(began.elapsed() < Duration::from_secs(10));
    }
}
