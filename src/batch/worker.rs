//! What a worker keeps from one job to the next: the loaded model, and the parts of the identity that jobs with the same
//! settings share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::job::Batch;
use crate::identity::{Identity, IdentityError, LastShared};
use crate::job::Job;
use crate::stylize::ModelSlot;

/// One of the threads that do the jobs of a run. Only its own jobs use it: the locks let the pipeline's threads borrow
/// it, and are never waited for.
#[derive(Default)]
pub struct Worker {
    model: Mutex<ModelSlot>,
    shared: Mutex<LastShared>,
}

impl Worker {
    /// Returns how often this worker has loaded a model, and computed the shared parts of an identity.
    pub fn loads(&self) -> [u64; 2] {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        [self.model().loads(), shared.computed()]
    }

    /// Returns the room for its model. A slot is whole after a panic too: it is empty while a model is loaded.
    pub(super) fn model(&self) -> MutexGuard<'_, ModelSlot> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Determines the identity of a job.
    pub(super) fn identify(&self, job: &Job, batch: Batch<'_>) -> Result<Identity, IdentityError> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.identify(job, batch.settings, batch.given, batch.engine, batch.options.fingerprint)
    }
}
