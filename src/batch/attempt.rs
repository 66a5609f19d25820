//! Runs one planned job: decides whether there is anything to do, reports how it ended, and retries after temporary
//! failures.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::job::{Batch, JobError, kept, names, run_job};
use super::memory::{Failure, Memory};
use super::plan::Planned;
use super::publish::StageError;
use crate::interrupt::CancelToken;
use crate::job::Job;
use crate::pipeline::PipelineError;
use crate::report::{Event, Outcome, Row, Stop, causes};
use crate::resume::ResumeError;

/// Pause before the second attempt; each later pause is four times as long.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// Interval at which a pause checks for cancellation.
const LOOK: Duration = Duration::from_millis(100);

/// Runs a planned job and reports how it ended. `named` lists the inputs that the user named: their errors are reported
/// every time.
pub fn attempt(planned: &Planned, batch: Batch<'_>, memory: Option<&Memory>, named: &[PathBuf]) -> Row {
    match planned {
        Planned::Skip { job, why } => skip(job, why.clone(), batch),
        Planned::Fail { input, error } => {
            let memory = memory.filter(|_| !named.contains(input));
            let (told, error) = (input.display().to_string(), causes(error));
            match memory.and_then(|memory| unreadable_before(input, &error, batch, memory)) {
                Some(why) => skip_unplanned(told, why, batch),
                None => fail(told, error, batch),
            }
        }
        Planned::Run(job) if batch.cancel.is_cancelled() => {
            Row::new(names(job).0, Outcome::NotBegun, Stop::of(batch.cancel).words().into())
        }
        Planned::Run(job) => {
            let memory = memory.filter(|_| job.unattended);
            match memory.and_then(|memory| failed_before(job, batch, memory)) {
                Some(why) => skip(job, why, batch),
                None => work(job, batch, memory),
            }
        }
    }
}

fn skip(job: &Job, why: String, batch: Batch<'_>) -> Row {
    let (input, output) = names(job);
    batch.observer.event(&Event::Skipped { input: input.clone(), output, why: why.clone() });
    Row::new(input, Outcome::Skipped, why)
}

fn skip_unplanned(input: String, why: String, batch: Batch<'_>) -> Row {
    batch.observer.event(&Event::Skipped { input: input.clone(), output: String::new(), why: why.clone() });
    Row::new(input, Outcome::Skipped, why)
}

fn fail(input: String, error: String, batch: Batch<'_>) -> Row {
    batch.observer.event(&Event::Failed { input: input.clone(), error: error.clone() });
    Row::new(input, Outcome::Failed, error)
}

/// Returns why an input that cannot be planned is skipped, if the same error was reported for it before. Otherwise
/// records the error.
fn unreadable_before(input: &Path, error: &str, batch: Batch<'_>, memory: &Memory) -> Option<String> {
    let (failure, _) = memory.look_up(input);
    let known = failure.is_some_and(|failure| failure.id.is_empty() && failure.error == error);
    if known && !batch.options.retry_failed {
        return Some(before(input, error));
    }
    // If the record cannot be written, the error is reported again next time, which does no harm.
    let _ = memory.note(input, Some(failure_of(String::new(), error.into())));
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
fn failed_before(job: &Job, batch: Batch<'_>, memory: &Memory) -> Option<String> {
    if batch.options.retry_failed {
        return None;
    }
    let (failure, wrong) = memory.look_up(job.input_path());
    if let Some(message) = wrong {
        batch.observer.event(&Event::Warning { message });
    }
    let failure = failure.filter(|failure| id(job, batch).as_ref() == Some(&failure.id))?;
    Some(before(job.input_path(), &failure.error))
}

fn id(job: &Job, batch: Batch<'_>) -> Option<String> {
    batch.identify(job).ok().map(|identity| identity.id())
}

fn work(job: &Job, batch: Batch<'_>, memory: Option<&Memory>) -> Row {
    let (began, date) = (Instant::now(), SystemTime::now());
    let done = attempts(job, batch);
    let failure = match &done {
        Ok(_) => Some(None),
        // The failure is recorded only if the input is still the file that was tried.
        Err(error) if error.is_lasting() && !changed_since(job.input_path(), date) => {
            id(job, batch).map(|id| Some(failure_of(id, causes(error))))
        }
        Err(_) => None,
    };
    if let (Some(memory), Some(failure)) = (memory, failure)
        && let Err(error) = memory.note(job.input_path(), failure)
    {
        let message = format!("cannot note how {} ended: {error}; it is tried again next time", names(job).0);
        batch.observer.event(&Event::Warning { message });
    }
    let row = match done {
        Ok(frames) => Row { frames: Some(frames), ..Row::new(names(job).0, Outcome::Done, String::new()) },
        Err(error) => ended(job, &error, batch),
    };
    Row { seconds: began.elapsed().as_secs_f64(), ..row }
}

fn changed_since(path: &Path, date: SystemTime) -> bool {
    path.metadata().and_then(|data| data.modified()).map_or(true, |modified| modified >= date)
}

/// Reports a job that did not complete.
fn ended(job: &Job, error: &JobError, batch: Batch<'_>) -> Row {
    let input = names(job).0;
    match error {
        JobError::Pipeline(PipelineError::Cancelled { frames }) => {
            let reason = Stop::of(batch.cancel);
            batch.observer.event(&Event::Cancelled { input: input.clone(), frames: *frames, reason });
            let why = reason.words().into();
            Row { frames: Some(*frames), ..Row::new(input, Outcome::Cancelled, why) }
        }
        JobError::Appeared => skip(job, causes(error), batch),
        JobError::Stage(StageError::Resume(ResumeError::Busy { .. })) => {
            Row { outcome: Outcome::Busy, ..skip(job, causes(error), batch) }
        }
        error => fail(input, causes(error), batch),
    }
}

/// Runs a job until it is done, fails permanently, or has no retries left.
fn attempts(job: &Job, batch: Batch<'_>) -> Result<u64, JobError> {
    let retries = batch.options.retries;
    let mut pause = FIRST_PAUSE;
    for attempt in 1..=retries {
        match run_job(job, batch) {
            Err(error) if error.is_passing() => {
                let (input, seconds) = (names(job).0, pause.as_secs());
                let told = causes(&error);
                let message = format!("{input}: {told}; tries again in {seconds} s ({attempt} of {retries})");
                batch.observer.event(&Event::Warning { message });
                if !wait(pause, batch.cancel) {
                    let (frames, _) = kept(job);
                    return Err(PipelineError::Cancelled { frames }.into());
                }
                pause = (pause * 4).min(LONGEST_PAUSE);
            }
            done => return done,
        }
    }
    run_job(job, batch)
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
