//! Installs weights files and computes file digests.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorView;
use sha2::{Digest, Sha256};

use super::{Array, Download, Manifest, WeightsError};
use crate::files::write_whole;

/// Writes `DIR/NAME.safetensors` atomically. The same numbers always give the same bytes.
pub(super) fn install(
    arrays: &BTreeMap<String, Array>,
    manifest: &Manifest,
    dir: &Path,
) -> Result<PathBuf, WeightsError> {
    let path = dir.join(manifest.file_name());
    let failed = |source| WeightsError::write(&path, source);
    let bytes: BTreeMap<&str, Vec<u8>> = arrays
        .iter()
        .map(|(name, array)| (name.as_str(), array.data.iter().flat_map(|number| number.to_le_bytes()).collect()))
        .collect();
    let mut views = Vec::new();
    for (name, bytes) in &bytes {
        let shape = arrays[*name].shape.clone();
        let view = TensorView::new(Dtype::F32, shape, bytes).map_err(|error| failed(io::Error::other(error)))?;
        views.push((*name, view));
    }
    // Only one entry: the crate keeps metadata in a hash map, whose order would change the file's digest. The entry
    // says what the file contains, not who trained it: an imported file could come from anyone.
    let names = match (&manifest.batch_norm, &manifest.download) {
        (Some(_), _) => "convolutions, batch norm folded in",
        (None, Download::Server(_)) => "convolutions, torchvision's names",
        (None, Download::Package(_)) => "the package's names",
    };
    let about = format!("{} for stylize-video: {names}", manifest.name);
    let about = HashMap::from([("about".to_owned(), about)]);
    let file = safetensors::serialize(views, Some(about)).map_err(|error| failed(io::Error::other(error)))?;

    fs::create_dir_all(dir).map_err(|source| WeightsError::write(dir, source))?;
    write_whole(&path, &file).map_err(failed)?;
    Ok(path)
}

/// Returns the SHA-256 of a file in hexadecimal.
///
/// # Errors
/// If the file cannot be read.
pub fn digest(path: &Path) -> Result<String, WeightsError> {
    let failed = |source| WeightsError::read(path, source);
    digest_of(&mut File::open(path).map_err(failed)?).map_err(failed)
}

/// Returns the SHA-256 of the rest of a file, from its current position.
pub(super) fn digest_of(file: &mut File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => hash.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
