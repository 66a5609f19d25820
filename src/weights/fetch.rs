//! Getting a network's weights from where they are published.

use std::fs;
use std::path::{Path, PathBuf};

use super::download::{Wanted, download};
use super::{Manifest, Progress, WeightsError, digest, hub, import};
use crate::interrupt::CancelToken;

/// Names a mirror: the address of a folder with torchvision's files.
pub const BASE_URL_VARIABLE: &str = "STYLIZE_VIDEO_WEIGHTS_URL";

/// How weights are fetched.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Where the weights go, see [`SearchPath::install_dir`](super::SearchPath::install_dir).
    pub dir: PathBuf,
    pub source: FetchSource,
    /// Ends a download; what came is kept.
    pub cancel: CancelToken,
}

/// Where weights come from.
#[derive(Debug, Clone)]
pub enum FetchSource {
    /// torchvision's own file. `base_url` stands in for the folder in the manifest.
    Torchvision { base_url: Option<String> },
    /// The model hub. `None` means what `HF_ENDPOINT` and `HF_HOME` say, or the hub's defaults.
    Hub { endpoint: Option<String>, cache: Option<PathBuf> },
}

impl FetchSource {
    /// As the environment says: the mirror in [`BASE_URL_VARIABLE`], or for the hub `HF_ENDPOINT` and `HF_HOME`.
    pub fn from_env(from_hub: bool) -> Self {
        if from_hub {
            return Self::Hub { endpoint: None, cache: None };
        }
        let base_url = std::env::var(BASE_URL_VARIABLE).ok().filter(|url| !url.is_empty());
        Self::Torchvision { base_url }
    }
}

/// Downloads, checks and converts the weights of a network; gives back the path of the installed file. An installed
/// file of that name is replaced, and only when the new one is whole.
///
/// # Errors
/// When the server cannot be reached, does not have the file or sends another; when the download is cut off (call
/// again to go on); when the file cannot be written.
pub fn fetch(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
    let only = std::slice::from_ref(manifest);
    match &options.source {
        FetchSource::Torchvision { base_url } => {
            let base = base_url.as_deref().unwrap_or(&manifest.download.url);
            let original = published_file(manifest, base, options, progress)?;
            let imported = import(&original, only, &options.dir)?;
            // Half a gigabyte that nothing needs any more; should it stay, nothing is lost but room.
            let _ = fs::remove_file(&original);
            Ok(imported.path)
        }
        FetchSource::Hub { endpoint, cache } => {
            let place = manifest.hub.as_ref().ok_or_else(|| WeightsError::NotOnHub { name: manifest.name.clone() })?;
            let file = hub::cached_file(place, endpoint.as_deref(), cache.as_deref(), progress)?;
            Ok(import(&file, only, &options.dir)?.path)
        }
    }
}

/// torchvision's file in `options.dir`; one that is there from an earlier try is used if its digest is right.
fn published_file(
    manifest: &Manifest,
    base: &str,
    options: &FetchOptions,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
    let from = &manifest.download;
    let dest = options.dir.join(&from.file);
    if !has_digest(&dest, &from.sha256_prefix) {
        let url = format!("{}/{}", base.trim_end_matches('/'), from.file);
        let wanted = Wanted { url: &url, dest: &dest, sha256_prefix: &from.sha256_prefix };
        download(&wanted, &options.cancel, progress)?;
    }
    Ok(dest)
}

fn has_digest(file: &Path, prefix: &str) -> bool {
    file.is_file() && digest(file).is_ok_and(|found| found.starts_with(&prefix.to_lowercase()))
}
