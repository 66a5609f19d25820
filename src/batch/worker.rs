//! What a worker keeps from one job to the next: the loaded model, and the parts of the identity that jobs with the same
//! settings share.

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
    /// Returns how often this worker has loaded a model, and computed the shared parts of an identity.
    pub fn loads(&self) -> [u64; 2] {
        [self.model().loads(), self.shared().computed()]
    }

    /// Returns the room for its model. A slot is whole after a panic too: it is empty while a model is loaded.
    pub(super) fn model(&self) -> MutexGuard<'_, ModelSlot> {
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what the last identity shares with the next one.
    pub(super) fn shared(&self) -> MutexGuard<'_, LastShared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
