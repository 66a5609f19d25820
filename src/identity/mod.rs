//! placeholder until the branch is there
use crate::batch::{Engine, plan::Job};
use crate::motion::Given;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fingerprint {
    Sampled,
    Full,
}
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub all: String,
}
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("x")]
    X(std::io::Error),
}
impl Identity {
    pub fn changed(&self, before: &Self) -> Option<String> {
        (self != before).then(|| "something has changed".into())
    }
}
pub fn identify(
    job: &Job,
    settings: &Settings,
    _given: &Given,
    engine: Engine,
    _how: Fingerprint,
) -> Result<Identity, IdentityError> {
    Ok(Identity { all: format!("{:?} {:?} {:?}", job.input, settings, engine) })
}
