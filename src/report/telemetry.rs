//! Reports on a run for machines, in addition to its log: a summary, metrics, and a command at the end of each job.

mod metrics;
mod notify;
mod summary;
mod tally;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::{Event, Observer};
use crate::files;

pub use notify::Command;
pub use tally::{JobEnd, JobRecord, Tally};

/// The destinations of these reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// `--summary`
    pub summary: Option<PathBuf>,
    /// `--metrics`
    pub metrics: Option<PathBuf>,
    /// `--notify`
    pub notify: Option<Command>,
}

/// The error for a `--summary` or `--metrics` file that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{option} {}: cannot write it: {source}; check that its folder exists and can be written to", path.display())]
pub struct WriteError {
    option: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Passes all events on, updates the summary and metrics files, and runs the command when a job ends.
pub struct Telemetry {
    inner: Box<dyn Observer>,
    common: Arc<Common>,
    /// Number of the job among those that run at once; 0 for the run itself.
    job: u64,
}

/// The state that the observers of all jobs of a run share.
struct Common {
    places: Places,
    tally: Mutex<Tally>,
    /// Unix time of the last success in earlier runs.
    success_before: Option<f64>,
}

impl Telemetry {
    /// Wraps `inner`. The files are written at once, so that an unwritable destination is found before any work.
    ///
    /// # Errors
    /// If one of the files cannot be written.
    pub fn around(inner: Box<dyn Observer>, places: Places) -> Result<Self, WriteError> {
        let success_before = places.metrics.as_deref().and_then(metrics::last_success);
        let tally = Tally::new(SystemTime::now());
        let common = Common { places, tally: Mutex::new(tally.clone()), success_before };
        common.write(&tally)?;
        Ok(Self { inner, common: Arc::new(common), job: 0 })
    }

    fn warn(&self, message: String) {
        self.inner.event(&Event::Warning { message });
    }
}

impl Common {
    fn write(&self, tally: &Tally) -> Result<(), WriteError> {
        let Places { summary, metrics, .. } = &self.places;
        if let Some(path) = summary {
            put("--summary", path, &summary::text(tally))?;
        }
        if let Some(path) = metrics {
            put("--metrics", path, &metrics::text(tally, self.success_before))?;
        }
        Ok(())
    }
}

fn put(option: &'static str, path: &Path, text: &str) -> Result<(), WriteError> {
    files::write_whole(path, text.as_bytes()).map_err(|source| WriteError { option, path: path.into(), source })
}

impl Observer for Telemetry {
    fn event(&self, event: &Event) {
        self.inner.event(event);
        let Common { places, tally, .. } = self.common.as_ref();
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let told = tally.hear(self.job, event, SystemTime::now());
        if !told.changed {
            return;
        }
        // A disk that is full now may have room at the end: the work continues.
        if let Err(error) = self.common.write(&tally) {
            self.warn(error.to_string());
        }
        // A command may take a while: release the lock so that other jobs are not blocked.
        drop(tally);
        if let (Some(command), Some(job)) = (&places.notify, told.ended)
            && let Err(problem) = command.tell(&job)
        {
            self.warn(format!("--notify: {problem}"));
        }
    }

    fn for_job(&self, number: u64) -> Option<Box<dyn Observer>> {
        let inner = self.inner.for_job(number)?;
        Some(Box::new(Self { inner, common: Arc::clone(&self.common), job: number }))
    }
}
