//! Fetches the same weights from the model hub; they are kept in the hub's own cache (`HF_HOME`).

use std::path::{Path, PathBuf};

use hf_hub::api::sync::ApiBuilder;
use hf_hub::{Cache, Repo, RepoType};

use super::manifest::Hub;
use super::{Progress, WeightsError};

/// Returns the path of the hub's file in the hub's cache and downloads it if it is not there yet. `endpoint` and
/// `cache` override `HF_ENDPOINT` and `HF_HOME/hub`.
pub(super) fn cached_file(
    hub: &Hub,
    endpoint: Option<&str>,
    cache: Option<&Path>,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
    let cache = cache.map_or_else(Cache::from_env, |dir| Cache::new(dir.to_owned()));
    let repo = Repo::new(hub.repo.clone(), RepoType::Model);
    if let Some(path) = cache.repo(repo.clone()).get(&hub.file) {
        return Ok(path);
    }
    let failed = |source| WeightsError::Hub { repo: hub.repo.clone(), source: Box::new(source) };
    let mut builder = ApiBuilder::from_cache(cache).with_retries(2);
    let variable = std::env::var("HF_ENDPOINT").ok();
    if let Some(endpoint) = endpoint.map(str::to_owned).or(variable) {
        builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
    }
    let api = builder.build().map_err(failed)?;
    let relay = Relay { progress, file: String::new(), done: 0, total: 0 };
    api.repo(repo).download_with_progress(&hub.file, relay).map_err(failed)
}

/// Forwards the hub client's progress.
struct Relay<'a> {
    progress: &'a mut dyn Progress,
    file: String,
    done: u64,
    total: u64,
}

impl hf_hub::api::Progress for Relay<'_> {
    fn init(&mut self, size: usize, filename: &str) {
        self.file = filename.to_owned();
        self.done = 0;
        self.total = size as u64;
    }

    fn update(&mut self, size: usize) {
        self.done += size as u64;
        self.progress.advance(&self.file, self.done, Some(self.total));
    }

    fn finish(&mut self) {
        self.progress.finish();
    }
}
