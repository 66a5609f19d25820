//! Which differences between two files are accepted.

/// Differences to accept, beyond what a container cannot hold. Streams are given by their index in the first file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Streams that the second file does not have.
    pub left_out: Vec<usize>,
    /// Streams that the second file has in another codec; their packets are not compared.
    pub reencoded: Vec<usize>,
}
