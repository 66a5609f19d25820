//! Watch mode: keeps planning and running jobs for files that arrive in the inboxes.
//!
//! The operating system reports changes. Where it does not (network file systems, too many watches), regular polling
//! finds them.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::job_spec::{self, JobSpec};
use super::plan::{self, Planned};
use super::{JobGroup, RunContext, Summary, run};
use crate::interrupt::CancelToken;
use crate::report::{Event, Observer, Outcome, Stop, causes};

/// Polling interval if the operating system reports changes.
const LOOK: Duration = Duration::from_secs(60);
/// Polling interval if it does not.
const LOOK_ALONE: Duration = Duration::from_secs(5);
/// Interval at which a wait checks for cancellation.
const TICK: Duration = Duration::from_millis(100);

/// Runs `groups`, then plans and runs jobs for new files until the run is cancelled. Returns the summary of the last
/// round. A planning error is reported once and checked again in later rounds.
pub fn watch(specs: &[JobSpec], groups: Vec<JobGroup>, context: RunContext<'_>) -> Summary {
    let (told, tells) = sync_channel(1);
    let watcher = start(specs, &told, context.observer);
    let settle = specs.iter().filter_map(|spec| spec.settle).max().unwrap_or(plan::SETTLE);
    let mut groups = groups;
    context.observer.event(&Event::Note { message: "waits for files; ctrl-c or SIGTERM ends it".into() });
    let began = Instant::now();
    let sum = Mutex::new(Sum::default());
    let mut known = HashSet::new();
    for first in std::iter::once(true).chain(std::iter::repeat(false)) {
        let soon = groups.iter().flat_map(|group| &group.planned).any(plan::is_unsettled);
        if !first {
            groups.iter_mut().for_each(|group| forget_known(group, &mut known));
        }
        let idle = !first && groups.iter().all(|group| group.planned.is_empty());
        let look = Look { inner: context.observer, calm: !first, sum: &sum };
        let summary = if idle { Summary::default() } else { run(groups, RunContext { observer: &look, ..context }) };
        if !wait(&tells, soon, watcher.is_some(), settle, context.cancel) {
            let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
            context.observer.event(&sum.finished(&summary, began, context.cancel));
            return summary;
        }
        groups = plan_again(specs, &mut known, context);
    }
    Summary::default()
}

fn plan_again(specs: &[JobSpec], known: &mut HashSet<String>, context: RunContext<'_>) -> Vec<JobGroup> {
    // Skipped files were reported in the first round.
    specs.iter().for_each(|spec| drop(spec.folders.skipped.take()));
    job_spec::plan_all(specs, context.engine, context.options).unwrap_or_else(|error| {
        let message = format!("nothing is done: {}", causes(&error));
        if known.insert(message.clone()) {
            context.observer.event(&Event::Warning { message });
        }
        Vec::new()
    })
}

/// Drops results that were already reported, so that they are not repeated in every round.
fn forget_known(group: &mut JobGroup, known: &mut HashSet<String>) {
    group.planned.retain(|planned| match planned {
        Planned::Run(_) => true,
        Planned::Skip { .. } => false,
        Planned::Fail { input, error } => known.insert(format!("{}: {}", input.display(), causes(error))),
    });
}

/// Starts watching all inboxes for changes; returns `None` if the operating system cannot.
fn start(specs: &[JobSpec], told: &SyncSender<()>, observer: &dyn Observer) -> Option<RecommendedWatcher> {
    let told = told.clone();
    // Events carry absolute paths.
    let whole = |(folder, recursive)| (std::path::absolute(&folder).unwrap_or(folder), recursive);
    let inboxes: Vec<(PathBuf, bool)> = specs.iter().flat_map(JobSpec::inboxes).map(whole).collect();
    let folders: Vec<PathBuf> = inboxes.iter().map(|(folder, _)| folder.clone()).collect();
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // Reading files, as we do ourselves, is no news, and neither is what we write: work folders and temporary files
        // are hidden.
        let news = event.is_ok_and(|event| match event.kind {
            _ if !event.paths.is_empty() && event.paths.iter().all(|path| is_hidden(path, &folders)) => false,
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
            kind => !kind.is_access(),
        });
        if news {
            // If the channel is full, a notification is pending already.
            let _ = told.try_send(());
        }
    });
    let watched = watcher.and_then(|mut watcher| {
        for (folder, recursive) in &inboxes {
            let mode = if *recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
            watcher.watch(folder, mode)?;
        }
        Ok(watcher)
    });
    let alone = |error: notify::Error| {
        let every = LOOK_ALONE.as_secs();
        let message = format!("the system does not report new files ({error}): checking every {every} s");
        observer.event(&Event::Warning { message });
    };
    watched.map_err(alone).ok()
}

/// Returns whether `path`, or a folder between it and its inbox, is hidden and therefore skipped.
fn is_hidden(path: &Path, inboxes: &[PathBuf]) -> bool {
    let hidden = |part: Component<'_>| matches!(part, Component::Normal(name) if name.as_encoded_bytes()[0] == b'.');
    let mut below = inboxes.iter().filter_map(|inbox| path.strip_prefix(inbox).ok()).peekable();
    below.peek().is_some() && below.all(|below| below.components().any(hidden))
}

/// Waits until the next round is due: after the polling interval, or once reported changes have settled. Returns
/// `false` if the run was cancelled.
fn wait(tells: &Receiver<()>, soon: bool, helped: bool, settle: Duration, cancel: &CancelToken) -> bool {
    let began = Instant::now();
    let mut due = began
        + if soon {
            settle
        } else if helped {
            LOOK
        } else {
            LOOK_ALONE
        };
    let mut news = soon;
    loop {
        if cancel.is_cancelled() {
            return false;
        }
        let now = Instant::now();
        if now >= due {
            return true;
        }
        if tells.recv_timeout(TICK.min(due - now)).is_ok() && !news {
            news = true;
            due = Instant::now() + settle.max(TICK);
        }
    }
}

/// Number of jobs in all rounds, by outcome.
#[derive(Debug, Default)]
struct Sum {
    done: u64,
    skipped: u64,
    failed: u64,
    cancelled: u64,
    not_begun: u64,
}

impl Sum {
    /// Returns the event for the end of the run; `last` is the summary of the last round.
    fn finished(self, last: &Summary, began: Instant, cancel: &CancelToken) -> Event {
        let Self { done, skipped, failed, cancelled, not_begun } = self;
        let stopped = last.is_cancelled().then(|| Stop::of(cancel));
        let seconds = began.elapsed().as_secs_f64();
        Event::RunFinished { done, skipped, failed, cancelled, not_begun, seconds, stopped }
    }
}

/// Observer that makes all rounds look like one run: it adds up the end of each round instead of reporting it.
struct Look<'a> {
    inner: &'a dyn Observer,
    /// Suppresses events that are no news after the first round.
    calm: bool,
    sum: &'a Mutex<Sum>,
}

impl Observer for Look<'_> {
    fn event(&self, event: &Event) {
        match event {
            Event::RunFinished { done, skipped, failed, cancelled, not_begun, .. } => {
                let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
                sum.done += done;
                sum.skipped += skipped;
                sum.failed += failed;
                sum.cancelled += cancelled;
                sum.not_begun += not_begun;
            }
            Event::Skipped { .. } if self.calm => {}
            Event::Batch { jobs, seconds } if self.calm => {
                let jobs: Vec<_> = jobs.iter().filter(|row| row.outcome != Outcome::Skipped).cloned().collect();
                if jobs.len() > 1 {
                    self.inner.event(&Event::Batch { jobs, seconds: *seconds });
                }
            }
            other => self.inner.event(other),
        }
    }

    fn for_job(&self, number: u64) -> Option<Box<dyn Observer>> {
        self.inner.for_job(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_below_an_inbox_is_no_news() {
        let inboxes = ["/home/me/.inbox".into(), "/in".into()];
        let is = |path: &str| is_hidden(Path::new(path), &inboxes);
        assert!(is("/home/me/.inbox/.a.mp4.stylize/part-000001.mp4") && is("/in/.writing-1") && is("/in/sub/.b"));
        assert!(!is("/home/me/.inbox/a.mp4") && !is_hidden(Path::new("/in/.b/a"), &["/in".into(), "/in/.b".into()]));
        assert!(!is("/in/a.mp4") && !is("/elsewhere/.a"));
    }
}
