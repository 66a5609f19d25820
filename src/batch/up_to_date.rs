//! Checks whether an existing output is what the job would make.

use std::cell::OnceCell;

use super::plan::{self, PlanError, Planned};
use super::publish::work_place;
use crate::identity::{Fingerprint, Shared};
use crate::job::{Engine, Job};
use crate::motion::SuppliedMotion;
use crate::provenance::{self, Said};
use crate::resume::{Manifest, WorkFolder};
use crate::settings::Settings;

/// Everything besides the job itself that determines its identity.
#[derive(Debug, Clone, Copy)]
pub struct UpToDateCheck<'a> {
    pub settings: &'a Settings,
    pub supplied: &'a SuppliedMotion,
    pub engine: Engine,
    pub fingerprint: Fingerprint,
    /// Whether to remove the work folder of a run that died after it had published its output.
    pub tidies: bool,
}

impl UpToDateCheck<'_> {
    /// Turns a job that would fail because its output exists into a skipped one if it made that output itself;
    /// otherwise reports what has changed since.
    pub fn recognise(&self, planned: Vec<Planned>) -> Vec<Planned> {
        let shared = OnceCell::new();
        planned.into_iter().map(|planned| self.recognise_one(planned, &shared)).collect()
    }

    /// `shared` is computed for the first existing output; it holds `None` if that fails.
    fn recognise_one(&self, planned: Planned, shared: &OnceCell<Option<Shared>>) -> Planned {
        let Planned::Fail { input, error: PlanError::Exists { job, .. } } = planned else { return planned };
        match self.compare(&job, shared) {
            Some(None) => {
                if self.tidies {
                    tidy(&job);
                }
                Planned::Skip { job: *job, why: "done already".into() }
            }
            // Unattended, the user cannot be asked: an outdated output is made again, and a file of unknown origin
            // stays.
            Some(Some(changed)) if job.is_to_decide() => plan::again(*job, changed),
            None if job.is_to_decide() => {
                let why = "the output exists already, and does not say what it was made of".into();
                Planned::Skip { job: *job, why }
            }
            changed => Planned::Fail { input, error: PlanError::Exists { job, changed: changed.flatten() } },
        }
    }

    /// Returns what has changed since the output was made: `Some(None)` for nothing, `None` if the output has no
    /// record.
    fn compare(&self, job: &Job, shared: &OnceCell<Option<Shared>>) -> Option<Option<String>> {
        let before = match provenance::read_output(&job.output)? {
            Said::Whole(stamp) => stamp.identity?,
            Said::CutOff => return Some(Some("a part of it was cut off".into())),
        };
        // An unreadable file causes an error with its own message when the job needs it.
        let shared = shared.get_or_init(|| Shared::of(self.settings, self.supplied, self.engine).ok());
        let now = shared.as_ref()?.identify(job, self.fingerprint).ok()?;
        Some(now.changed(&before))
    }
}

/// Removes the work folder of a run that published its result and then died.
fn tidy(job: &Job) {
    let Some(place) = work_place(&job.output).filter(|place| place.is_dir()) else { return };
    let Some(Said::Whole(stamp)) = provenance::read_output(&job.output) else { return };
    // The folder is claimed first, because another run may be working in it.
    let Ok(folder) = WorkFolder::claim(&place) else { return };
    let of = Manifest::read(&place).ok().flatten().map(|manifest| manifest.identity);
    // Progress of another job that would replace this output is worth keeping.
    if of.is_some()
        && of == stamp.identity
        && let Err(error) = folder.remove()
    {
        tracing::warn!(%error, "the work folder cannot be removed");
    }
}
