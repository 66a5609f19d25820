//! Taking weights from a file the user has: torchvision's `.pth`, or safetensors.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::check::{TensorFile, misfits, read_all};
use super::pickle::PickleFile;
use super::safetensors_file::SafetensorsFile;
use super::store::install;
use super::{Manifest, WeightsError};

/// What an import put where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The network whose weights they are.
    pub network: String,
    /// The file written.
    pub path: PathBuf,
}

/// Checks `file` against the manifests and writes it to `dir` as the safetensors file of the network it fits; with
/// one manifest, it must be that network. Tensors no manifest asks for (the classifier) are left out.
///
/// # Errors
/// When the file cannot be read, fits none of the networks, or holds numbers that are not finite; the message names
/// the tensor. Nothing is written then.
pub fn import(file: &Path, manifests: &[Manifest], dir: &Path) -> Result<Imported, WeightsError> {
    let mut tensors = open(file)?;
    let manifest = fitting(tensors.as_ref(), manifests)?;
    let arrays = read_all(tensors.as_mut(), manifest)?;
    let path = install(&arrays, manifest, dir)?;
    Ok(Imported { network: manifest.name.clone(), path })
}

/// The manifest all of whose tensors the file has. Where there is none, the error is about the one it is nearest to.
fn fitting<'a>(file: &dyn TensorFile, manifests: &'a [Manifest]) -> Result<&'a Manifest, WeightsError> {
    let mut nearest: Option<(usize, WeightsError)> = None;
    for manifest in manifests {
        let bad = misfits(file, manifest);
        let count = bad.len();
        let Some((tensor, problem)) = bad.into_iter().next() else {
            return Ok(manifest);
        };
        if nearest.as_ref().is_none_or(|(least, _)| count < *least) {
            let path = file.path().to_owned();
            let error = if manifests.len() == 1 {
                WeightsError::BadTensor { path, tensor, problem }
            } else {
                WeightsError::NoMatch { path, network: manifest.name.clone(), tensor, problem }
            };
            nearest = Some((count, error));
        }
    }
    Err(nearest.map_or_else(|| WeightsError::file(file.path(), "no network to hold it against"), |(_, error)| error))
}

/// By content, not by name: browsers and mirrors rename files.
fn open(path: &Path) -> Result<Box<dyn TensorFile>, WeightsError> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(9).read_to_end(&mut start))
        .map_err(|source| WeightsError::read(path, source))?;
    // A safetensors file opens with its header's length, then JSON.
    if start.get(8) == Some(&b'{') && !start.starts_with(b"PK") {
        Ok(Box::new(SafetensorsFile::open(path)?))
    } else {
        Ok(Box::new(PickleFile::open(path)?))
    }
}
