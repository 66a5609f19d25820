//! Caches the part of a job's identity (the hash that tells whether a result is up to date) that does not depend on the
//! input.

use super::{FileStats, Fingerprint, Identity, IdentityError, Shared};
use crate::job::{Engine, Job};
use crate::motion::SuppliedMotion;
use crate::settings::Settings;

/// The shared parts of the last job's identity, and what they were computed from.
#[derive(Debug, Default)]
pub struct LastShared {
    last: Option<Last>,
    computed: u64,
}

#[derive(Debug)]
struct Last {
    settings: Settings,
    engine: Engine,
    files: FileStats,
    shared: Shared,
}

impl LastShared {
    /// Returns how often the shared parts were computed.
    pub fn computed(&self) -> u64 {
        self.computed
    }

    /// Determines the identity of a job, as [`super::identify`] does. The shared parts are computed again only if the
    /// settings, the engine or a file have changed, or if flow or cuts are supplied, which belong to a single job.
    ///
    /// # Errors
    /// As [`super::identify`].
    pub fn identify(
        &mut self,
        job: &Job,
        settings: &Settings,
        supplied: &SuppliedMotion,
        engine: Engine,
        how: Fingerprint,
    ) -> Result<Identity, IdentityError> {
        if supplied.flow.is_some() || !settings.motion.cuts.is_empty() {
            self.computed += 1;
            return super::identify(job, settings, supplied, engine, how);
        }
        // Recorded before the files are read: a file that changes meanwhile is read again for the next job.
        let files = FileStats::of_settings(settings);
        let same = |last: &Last| last.engine == engine && last.files == files && last.settings == *settings;
        let last = match self.last.take().filter(same) {
            Some(last) => last,
            None => {
                self.computed += 1;
                let shared = Shared::of(settings, supplied, engine)?;
                Last { settings: settings.clone(), engine, files, shared }
            }
        };
        self.last.insert(last).shared.identify(job, how)
    }
}
