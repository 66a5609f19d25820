//! What all files of tensors have in common.

use std::path::Path;

use super::WeightsError;

/// A file of named tensors whose numbers are read on request.
pub(super) trait TensorFile {
    fn path(&self) -> &Path;

    /// Returns the shape of a tensor, if the file has it.
    fn shape(&self, tensor: &str) -> Option<Vec<usize>>;

    /// Returns the name of the object that the file has instead of a tensor, such as `posix.system`.
    fn foreign_kind(&self, _tensor: &str) -> Option<String> {
        None
    }

    /// Reads the numbers of a tensor in the file.
    fn read(&mut self, tensor: &str) -> Result<Vec<f32>, WeightsError>;
}
