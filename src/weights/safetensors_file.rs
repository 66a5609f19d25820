//! Reads a safetensors file: opening it reads the header only, and tensors are read one by one, so layers that are not
//! needed cost nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use serde::Deserialize;

use super::floats::Float;
use super::tensor_file::TensorFile;
use super::{TensorProblem, WeightsError};

/// The same limit as in the format's own reader.
const MAX_HEADER: u64 = 100_000_000;

/// The header's JSON. The crate's own type rejects a bad header without saying which tensor is at fault.
#[derive(Debug, Deserialize)]
struct Header {
    /// Free text; declared only so that it is not taken for a tensor.
    #[serde(rename = "__metadata__")]
    _about: Option<HashMap<String, String>>,
    #[serde(flatten)]
    tensors: BTreeMap<String, TensorInfo>,
}

/// An open safetensors file whose header agrees with its length.
#[derive(Debug)]
pub(super) struct SafetensorsFile {
    path: PathBuf,
    file: File,
    tensors: BTreeMap<String, TensorInfo>,
    /// File offset of the tensors' bytes.
    data_start: u64,
}

impl SafetensorsFile {
    pub(super) fn open(path: &Path) -> Result<Self, WeightsError> {
        let unreadable = |source| WeightsError::read(path, source);
        let mut file = File::open(path).map_err(unreadable)?;
        let size = file.metadata().map_err(unreadable)?.len();
        let mut length = [0; 8];
        if size < 8 {
            return Err(WeightsError::file(path, format!("it is cut off: only {size} bytes")));
        }
        file.read_exact(&mut length).map_err(unreadable)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER {
            return Err(WeightsError::file(
                path,
                "it is not a safetensors file (torchvision's .pth files are converted by `stylize-video weights \
                 import FILE`)",
            ));
        }
        if length > size - 8 {
            let why = format!("it is cut off within its header, which should end at byte {}", length + 8);
            return Err(WeightsError::file(path, why));
        }
        let mut text = vec![0; length as usize];
        file.read_exact(&mut text).map_err(unreadable)?;
        let Header { tensors, .. } = serde_json::from_slice(&text)
            .map_err(|error| WeightsError::file(path, format!("its header cannot be read: {error}")))?;
        let data_start = length + 8;
        check_offsets(path, &tensors, data_start, size)?;
        Ok(Self { path: path.to_owned(), file, tensors, data_start })
    }
}

impl TensorFile for SafetensorsFile {
    fn path(&self) -> &Path {
        &self.path
    }

    fn shape(&self, tensor: &str) -> Option<Vec<usize>> {
        self.tensors.get(tensor).map(|info| info.shape.clone())
    }

    fn read(&mut self, tensor: &str) -> Result<Vec<f32>, WeightsError> {
        let fail = |problem| WeightsError::tensor(&self.path, tensor, problem);
        let info = self.tensors.get(tensor).ok_or_else(|| fail(TensorProblem::Missing))?;
        let float = match info.dtype {
            Dtype::F64 => Float::F64,
            Dtype::F32 => Float::F32,
            Dtype::F16 => Float::F16,
            Dtype::BF16 => Float::Bf16,
            other => return Err(fail(TensorProblem::Dtype { found: format!("{other:?}") })),
        };
        let (start, end) = info.data_offsets;
        // The offsets lie within the file, so this allocates no more than the file's length.
        let mut bytes = vec![0; end - start];
        self.file
            .seek(SeekFrom::Start(self.data_start + start as u64))
            .and_then(|_| self.file.read_exact(&mut bytes))
            .map_err(|error| fail(TensorProblem::Unreadable(error.to_string())))?;
        Ok(float.read(&bytes))
    }
}

/// Checks that the tensors' bytes follow one another without a gap, match their shapes and end where the file ends. The
/// format's own reader checks the same, but does not say which tensor a truncated file cuts off.
fn check_offsets(
    path: &Path,
    tensors: &BTreeMap<String, TensorInfo>,
    data_start: u64,
    size: u64,
) -> Result<(), WeightsError> {
    let mut in_order: Vec<(&String, &TensorInfo)> = tensors.iter().collect();
    // A stable sort: tensors with equal offsets (without bytes) stay in order of name.
    in_order.sort_by_key(|(_, info)| info.data_offsets);
    let mut position = 0;
    for (name, info) in in_order {
        let (start, end) = info.data_offsets;
        if start != position || end < start || bytes_of(info) != Some(end - start) {
            return Err(WeightsError::tensor(path, name, TensorProblem::Offsets { found: (start, end) }));
        }
        position = end;
        let end = data_start.saturating_add(end as u64);
        if end > size {
            return Err(WeightsError::tensor(path, name, TensorProblem::Truncated { end, size }));
        }
    }
    let end = data_start.saturating_add(position as u64);
    if end < size {
        return Err(WeightsError::file(path, format!("{} bytes follow the last tensor", size - end)));
    }
    Ok(())
}

fn bytes_of(info: &TensorInfo) -> Option<usize> {
    let count = info.shape.iter().try_fold(1usize, |count, &n| count.checked_mul(n))?;
    let bits = count.checked_mul(info.dtype.bitsize())?;
    bits.is_multiple_of(8).then_some(bits / 8)
}
