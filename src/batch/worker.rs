//! What a worker keeps between jobs: the loaded model and the shared part of the last job's identity.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::identity::LastShared;
use crate::stylize::ModelSlot;

/// One of the threads that do the jobs of a run. Only its own jobs use it: the locks let the pipeline's threads borrow
/// it, and are never waited for.
#[derive(Default)]
pub struct Worker {
    model: Mutex<ModelSlot>,
    shared: Mutex<LastShared>,
}

impl Worker {
    /// Returns how often this worker has loaded a model.
    pub fn model_loads(&self) -> u64 {
        self.model().loads()
    }

    /// Returns how often this worker has computed the shared parts of an identity.
    pub fn identity_computations(&self) -> u64 {
        self.shared().computed()
    }

    /// Returns the slot for its model. A panic leaves it usable: the slot is empty while a model is being loaded.
    pub(super) fn model(&self) -> MutexGuard<'_, ModelSlot> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what the last identity shares with the next one.
    pub(super) fn shared(&self) -> MutexGuard<'_, LastShared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
