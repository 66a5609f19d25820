//! Decodes the numbers of a weights file to `f32`.

/// Storage format of a tensor's numbers (little-endian).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Float {
    F64,
    F32,
    F16,
    Bf16,
}

impl Float {
    /// Returns the numbers in `bytes`; trailing bytes that do not fill a number are ignored. A 64-bit number outside
    /// the 32-bit range becomes infinite, which the check for finite numbers then catches.
    pub(super) fn read(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Self::F64 => numbers(bytes, |b: [u8; 8]| f64::from_le_bytes(b) as f32),
            Self::F32 => numbers(bytes, f32::from_le_bytes),
            Self::F16 => numbers(bytes, |b: [u8; 2]| half::f16::from_le_bytes(b).to_f32()),
            Self::Bf16 => numbers(bytes, |b: [u8; 2]| half::bf16::from_le_bytes(b).to_f32()),
        }
    }
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (chunks, _) = bytes.as_chunks::<N>();
    chunks.iter().map(|chunk| number(*chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_kind() {
        assert_eq!(Float::F64.read(&(-1.5f64).to_le_bytes()), [-1.5]);
        assert_eq!(Float::F32.read(&0.1f32.to_le_bytes()), [0.1]);
        assert_eq!(Float::F16.read(&[0x00, 0xc0, 0x01, 0x00]), [-2.0, 2f32.powi(-24)]);
        assert_eq!(Float::Bf16.read(&[0xc0, 0x3f]), [1.5]);
        assert_eq!(Float::F64.read(&1e300f64.to_le_bytes()), [f32::INFINITY]);
        assert_eq!(Float::F32.read(&[1, 2, 3]), [0f32; 0]);
    }
}
