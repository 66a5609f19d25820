//! `stylize-video weights`: list, fetch, import, path.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::interrupt::CancelToken;
use crate::weights::{self, FetchOptions, FetchSource, Manifest, Progress, SearchPath, WeightsError};

/// Prints a table of the networks: size, licence, and the installed file or how to get it.
///
/// # Errors
/// If `out` cannot be written to.
pub fn list(path: &SearchPath, out: &mut dyn Write) -> Result<(), WeightsError> {
    let header = ["NETWORK", "DOWNLOAD", "LICENCE", "INSTALLED"].map(str::to_owned);
    let rows: Vec<[String; 4]> =
        std::iter::once(header).chain(weights::all().iter().map(|manifest| row(manifest, path))).collect();
    let mut widths = [0; 3];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    for [name, size, licence, installed] in &rows {
        let [a, b, c] = widths;
        say(out, format_args!("{name:a$}  {size:>b$}  {licence:c$}  {installed}"))?;
    }
    say(out, format_args!("\nWithout any of them the built-in network `patches` is used."))
}

fn row(manifest: &Manifest, path: &SearchPath) -> [String; 4] {
    let installed = match weights::find(&manifest.name, path) {
        Ok(found) => found.path.display().to_string(),
        Err(_) => format!("missing: {}", how_to_get(manifest)),
    };
    [manifest.name.clone(), format!("{:.1} MiB", manifest.download.size_mib()), manifest.licence.clone(), installed]
}

/// Returns the command that installs the weights of a network.
pub(super) fn how_to_get(manifest: &Manifest) -> String {
    format!("stylize-video weights fetch {}", manifest.name)
}

/// Fetches the weights of each named network into the folder that `path` installs to. Installed weights that are intact
/// are left alone. With `from_hub`, the model hub is used instead of the publisher.
///
/// # Errors
/// If a name is unknown, nothing is fetched. Otherwise returns the first error of [`weights::fetch`].
pub fn fetch(
    names: &[String],
    from_hub: bool,
    path: &SearchPath,
    cancel: &CancelToken,
    progress: &mut dyn Progress,
    out: &mut dyn Write,
) -> Result<(), WeightsError> {
    let manifests: Vec<Manifest> = names.iter().map(|name| weights::known(name)).collect::<Result<_, _>>()?;
    let dir = path.install_dir()?.to_owned();
    let source = FetchSource::from_env(from_hub);
    let options = FetchOptions { dir, source, cancel: cancel.clone() };
    for manifest in &manifests {
        let file = options.dir.join(manifest.file_name());
        if file.is_file() && weights::load(&file, manifest).is_ok() {
            say(out, format_args!("{}: already at {}", manifest.name, file.display()))?;
            continue;
        }
        let file = weights::fetch(manifest, &options, progress)?;
        say(out, format_args!("{}: installed as {}", manifest.name, file.display()))?;
    }
    Ok(())
}

/// Imports `file` into the folder that `path` installs to, as the named network or as the one that it fits.
///
/// # Errors
/// See [`weights::import`].
pub fn import(file: &Path, network: Option<&str>, path: &SearchPath, out: &mut dyn Write) -> Result<(), WeightsError> {
    let manifests = match network {
        Some(name) => vec![weights::known(name)?],
        None => weights::all(),
    };
    let imported = weights::import(file, &manifests, path.install_dir()?)?;
    say(out, format_args!("{}: installed as {}", imported.network, imported.path.display()))
}

/// Prints the path of a network's weights, for scripts.
///
/// # Errors
/// If the weights are not installed, or the network is unknown.
pub fn path(name: &str, path: &SearchPath, out: &mut dyn Write) -> Result<(), WeightsError> {
    say(out, format_args!("{}", weights::find(name, path)?.path.display()))
}

fn say(out: &mut dyn Write, line: std::fmt::Arguments) -> Result<(), WeightsError> {
    writeln!(out, "{line}").map_err(unwritable)
}

fn unwritable(source: io::Error) -> WeightsError {
    WeightsError::Write { path: PathBuf::from("the output"), source }
}
