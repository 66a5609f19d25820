//! Reads and writes Middlebury `.flo` files (Baker et al. 2007): the tag 202021.25, width and height as 32-bit
//! integers, then interleaved u and v as 32-bit floats, row by row, all little-endian. Values beyond 1e9 mean unknown.

use std::path::Path;

use super::field::UNKNOWN;
use super::{FlowError, FlowField};
use crate::read_limited;

const TAG: f32 = 202_021.25;
const UNKNOWN_FROM: f32 = 1e9;
const HEADER: usize = 12;

/// Reads a file.
///
/// # Errors
/// If it cannot be read, or is not a `.flo` file with the length that its header implies.
pub fn read(path: &Path) -> Result<FlowField, FlowError> {
    let bytes =
        read_limited::read(path, read_limited::FLOW).map_err(|source| FlowError::Io { path: path.into(), source })?;
    parse(&bytes).map_err(|what| FlowError::File { path: path.into(), what })
}

/// Writes a file; the components of unknown vectors become 1e10.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, field: &FlowField) -> Result<(), FlowError> {
    let mut bytes = Vec::with_capacity(HEADER + 8 * field.vectors.len());
    bytes.extend(TAG.to_le_bytes());
    bytes.extend((field.width as i32).to_le_bytes());
    bytes.extend((field.height as i32).to_le_bytes());
    for value in field.vectors.iter().flatten() {
        bytes.extend(if value.is_finite() { *value } else { 1e10 }.to_le_bytes());
    }
    std::fs::write(path, bytes).map_err(|source| FlowError::Io { path: path.into(), source })
}

/// Parses the bytes of a file.
///
/// # Errors
/// Returns what is wrong with them.
pub fn parse(bytes: &[u8]) -> Result<FlowField, String> {
    let word = |at: usize| -> Option<[u8; 4]> { bytes.get(at..at + 4)?.try_into().ok() };
    if word(0).map(f32::from_le_bytes) != Some(TAG) {
        return Err("it does not begin with the tag of a .flo file".into());
    }
    let side = |at: usize| word(at).map(i32::from_le_bytes).and_then(|side| usize::try_from(side).ok());
    let (Some(width), Some(height)) = (side(4), side(8)) else { return Err("its size makes no sense".into()) };
    let expected = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(8)?.checked_add(HEADER));
    if width == 0 || height == 0 || expected != Some(bytes.len()) {
        return Err(format!("{} bytes are not a field of {width}x{height}", bytes.len()));
    }
    let vector = |pair: &[u8]| {
        let value = |at: usize| f32::from_le_bytes([pair[at], pair[at + 1], pair[at + 2], pair[at + 3]]);
        let vector = [value(0), value(4)];
        if vector.iter().all(|value| value.abs() <= UNKNOWN_FROM) { vector } else { UNKNOWN }
    };
    Ok(FlowField { width, height, vectors: bytes[HEADER..].chunks_exact(8).map(vector).collect() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flo");
        let mut field = FlowField::from_fn(5, 3, |x, y| [x as f32 - 0.25, -(y as f32)]);
        field.vectors[7] = UNKNOWN;
        write(&path, &field).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(&bytes[..4], b"PIEH", "the tag spells so in ASCII");
        let again = read(&path).unwrap();
        assert!(again.vectors[7][0].is_nan());
        field.vectors[7] = [0.0; 2];
        let again = FlowField {
            vectors: again.vectors.into_iter().map(|v| if v[0].is_nan() { [0.0; 2] } else { v }).collect(),
            ..again
        };
        assert_eq!(again, field);
    }

    #[test]
    fn damaged_files_are_refused() {
        let mut whole = TAG.to_le_bytes().to_vec();
        whole.extend([2, 0, 0, 0, 1, 0, 0, 0]);
        whole.extend([0; 16]);
        assert!(parse(&whole).is_ok());
        assert!(parse(&whole[..20]).is_err());
        assert!(parse(&whole[..6]).is_err());
        assert!(parse(b"hello, this is no flow").is_err());
        let mut negative = whole.clone();
        negative[4..8].copy_from_slice(&(-2i32).to_le_bytes());
        assert!(parse(&negative).is_err());
        let mut huge = whole;
        huge[4..8].copy_from_slice(&i32::MAX.to_le_bytes());
        huge[8..12].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(parse(&huge).is_err());
    }
}
