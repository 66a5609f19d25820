//! Outputs that are there already: whether they are what the job would make.

use std::cell::OnceCell;

use super::Engine;
use super::plan::{self, Job, PlanError, Planned};
use super::publish::work_place;
use crate::identity::{Fingerprint, Shared};
use crate::motion::Given;
use crate::provenance::{self, Said};
use crate::resume::{Manifest, WorkFolder};
use crate::settings::Settings;

/// What decides which job a job is, beside itself.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    pub settings: &'a Settings,
    pub given: &'a Given,
    pub engine: Engine,
    pub fingerprint: Fingerprint,
    /// Whether what a run that died at its very end has left beside such an output is removed.
    pub tidies: bool,
}

impl Known<'_> {
    /// Takes a job that would fail because its output is there for done, where that output is its own; else says what
    /// has changed since.
    pub fn recognise(&self, planned: Vec<Planned>) -> Vec<Planned> {
        let shared = OnceCell::new();
        planned.into_iter().map(|planned| self.recognise_one(planned, &shared)).collect()
    }

    /// `shared` is found out for the first output that is there: `None` where it cannot be.
    fn recognise_one(&self, planned: Planned, shared: &OnceCell<Option<Shared>>) -> Planned {
        let Planned::Fail { input, error: PlanError::Exists { job, .. } } = planned else { return planned };
        match self.compare(&job, shared) {
            Some(None) => {
                if self.tidies {
                    tidy(&job);
                }
                Planned::Skip { job: *job, why: "done already".into() }
            }
            // Nobody is there who could be asked: what has changed is made anew, a stranger's file stays.
            Some(Some(changed)) if job.is_to_decide() => plan::again(*job, changed),
            None if job.is_to_decide() => {
                let why = "the output exists already, and does not say what it was made of".into();
                Planned::Skip { job: *job, why }
            }
            changed => Planned::Fail { input, error: PlanError::Exists { job, changed: changed.flatten() } },
        }
    }

    /// What has changed since the output was made: `Some(None)` for nothing, `None` where it does not say how it was.
    fn compare(&self, job: &Job, shared: &OnceCell<Option<Shared>>) -> Option<Option<String>> {
        let before = match provenance::read_output(&job.output)? {
            Said::Whole(stamp) => stamp.identity?,
            Said::CutOff => return Some(Some("a part of it was cut off".into())),
        };
        // What cannot be read will fail with words of its own when it is wanted again.
        let shared = shared.get_or_init(|| Shared::of(self.settings, self.given, self.engine).ok());
        let now = shared.as_ref()?.identify(job, self.fingerprint).ok()?;
        Some(now.changed(&before))
    }
}

/// Removes the work folder of a run that has published its result and could do no more.
fn tidy(job: &Job) {
    let Some(place) = work_place(&job.output).filter(|place| place.is_dir()) else { return };
    let Some(Said::Whole(stamp)) = provenance::read_output(&job.output) else { return };
    // Claimed first: what another run works on, it needs.
    let Ok(folder) = WorkFolder::claim(&place) else { return };
    let of = Manifest::read(&place).ok().flatten().map(|manifest| manifest.identity);
    // Progress of another job (one that was to replace this output) is worth keeping.
    if of.is_some()
        && of == stamp.identity
        && let Err(error) = folder.remove()
    {
        tracing::warn!(%error, "the work folder cannot be removed");
    }
}
