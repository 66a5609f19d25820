//! Reads a file's tensors and checks them against the manifest.

use std::collections::BTreeMap;
use std::path::Path;

use super::safetensors_file::SafetensorsFile;
use super::tensor_file::TensorFile;
use super::{Manifest, TensorProblem, WeightsError};

/// A tensor's numbers, row-major.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Outermost first; a convolution's weight is (out, in, height, width).
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

/// Reads the tensors of `manifest` from a safetensors file (16, 32 or 64-bit floats). Other tensors are ignored.
///
/// # Errors
/// If the file cannot be read or is cut off, or a tensor is missing, has another shape or holds a number that is not
/// finite; the message names the file and the tensor.
pub fn load(path: &Path, manifest: &Manifest) -> Result<BTreeMap<String, Array>, WeightsError> {
    read_all(&mut SafetensorsFile::open(path)?, &manifest.tensors)
}

/// Reads every tensor of `wanted` (name and shape). Shapes are checked before anything is read, so the manifest bounds
/// what a hostile file can make this allocate.
pub(super) fn read_all(
    file: &mut dyn TensorFile,
    wanted: &BTreeMap<String, Vec<usize>>,
) -> Result<BTreeMap<String, Array>, WeightsError> {
    if let Some((tensor, problem)) = misfits(file, wanted).into_iter().next() {
        return Err(WeightsError::tensor(file.path(), &tensor, problem));
    }
    let mut arrays = BTreeMap::new();
    for (name, shape) in wanted {
        let data = file.read(name)?;
        let count: usize = shape.iter().product();
        if data.len() != count {
            let problem = TensorProblem::Unreadable(format!("expected {count} numbers, found {}", data.len()));
            return Err(WeightsError::tensor(file.path(), name, problem));
        }
        if let Some(index) = data.iter().position(|number| !number.is_finite()) {
            return Err(WeightsError::tensor(file.path(), name, TensorProblem::NotFinite { index }));
        }
        arrays.insert(name.clone(), Array { shape: shape.clone(), data });
    }
    Ok(arrays)
}

/// Returns the tensors of `wanted` that the file lacks or has in another shape.
pub(super) fn misfits(file: &dyn TensorFile, wanted: &BTreeMap<String, Vec<usize>>) -> Vec<(String, TensorProblem)> {
    let problem = |name: &str, expected: &[usize]| match file.shape(name) {
        None => Some(file.foreign_kind(name).map_or(TensorProblem::Missing, |kind| TensorProblem::NotATensor { kind })),
        Some(found) if found != expected => Some(TensorProblem::Shape { expected: expected.to_vec(), found }),
        Some(_) => None,
    };
    wanted.iter().filter_map(|(name, shape)| Some((name.clone(), problem(name, shape)?))).collect()
}
