//! What machines learn of a run beside its log: a summary, metrics, a command at the end of each job.

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
pub use tally::{JobRecord, Outcome, Tally};

/// Where it goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// `--summary`
    pub summary: Option<PathBuf>,
    /// `--metrics`
    pub metrics: Option<PathBuf>,
    /// `--notify`
    pub notify: Option<Command>,
}

/// A file of `--summary` or `--metrics` that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{option} {}: cannot write it: {source}; check that its folder exists and can be written to", path.display())]
pub struct WriteError {
    option: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Hands all events on, and keeps files and a command informed of what becomes of the jobs.
pub struct Watched {
    inner: Box<dyn Observer>,
    common: Arc<Common>,
    /// Among several that run at once.
    job: u64,
}

/// What the observers of a run's jobs share.
struct Common {
    places: Places,
    tally: Mutex<Tally>,
    /// Unix time of the last success of former runs.
    success_before: Option<f64>,
}

impl Watched {
    /// Around `inner`. Files are written at once, so that a place that cannot be written to is known before any work.
    ///
    /// # Errors
    /// When it is such a place.
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

impl Observer for Watched {
    fn event(&self, event: &Event) {
        self.inner.event(event);
        let Common { places, tally, .. } = self.common.as_ref();
        let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
        let told = tally.hear(self.job, event, SystemTime::now());
        if !told.changed {
            return;
        }
        // A disk that is full now may have room at the end: no reason to stop the work.
        if let Err(error) = self.common.write(&tally) {
            self.warn(error.to_string());
        }
        // A command may take its time: others may speak meanwhile.
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
