//! Damaged and malicious bytes: each gives an error or weights, never a panic or a huge allocation.

use std::path::Path;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use stylize_video::weights;

use super::{fixture, tiny};

/// The number of variants of each file.
const VARIANTS: usize = 300;

/// Reads every variant of `bytes` and counts those that are rejected. A panic fails the test.
fn refused(bytes: &[u8], dir: &Path, read: impl Fn(&Path) -> bool) -> usize {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let mut below = |n: usize| random.next_u64() as usize % n;
    let file = dir.join("variant");
    let mut refused = 0;
    for variant in 0..VARIANTS {
        let mut bytes = bytes.to_vec();
        match variant % 4 {
            0 => bytes.truncate(below(bytes.len())),
            1 => {
                let at = below(bytes.len());
                bytes[at] ^= 1 << below(8);
            }
            2 => {
                for _ in 0..8 {
                    let at = below(bytes.len());
                    bytes[at] = below(256) as u8;
                }
            }
            // The header contains the lengths.
            _ => {
                let at = below(bytes.len().min(400));
                bytes[at] = [0xff, 0x7f, 0x00, 0x80][below(4)];
            }
        }
        std::fs::write(&file, &bytes).unwrap();
        refused += usize::from(!read(&file));
    }
    refused
}

#[test]
fn damaged_torch_files_do_not_panic() {
    for name in ["zip.pth", "legacy.pth", "mixed_zip.pth", "mixed_legacy.pth"] {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        let bytes = std::fs::read(fixture(name)).unwrap();
        let count = refused(&bytes, dir.path(), |file| weights::import(file, &[tiny()], &target).is_ok());
        assert!(count > VARIANTS / 4, "{name}: only {count} of {VARIANTS} were refused");
    }
}

#[test]
fn damaged_safetensors_do_not_panic() {
    let dir = tempfile::tempdir().unwrap();
    let whole = weights::import(&fixture("zip.pth"), &[tiny()], dir.path()).unwrap().path;
    let bytes = std::fs::read(whole).unwrap();
    let count = refused(&bytes, dir.path(), |file| weights::load(file, &tiny()).is_ok());
    assert!(count > VARIANTS / 4, "only {count} of {VARIANTS} were refused");
}

#[test]
fn every_truncation_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let whole = weights::import(&fixture("zip.pth"), &[tiny()], dir.path()).unwrap().path;
    let cut = dir.path().join("cut");
    let bytes = std::fs::read(whole).unwrap();
    for length in 0..bytes.len() {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        assert!(weights::load(&cut, &tiny()).is_err(), "{length} bytes");
    }
}

#[test]
fn a_header_that_promises_the_moon_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("moon.safetensors");
    let offsets = [
        ("[4294967296,4294967296,4294967296]", "[0,18446744073709551615]"),
        ("[4,3,3,3]", "[18446744073709551000,18446744073709551432]"),
        ("[4,3,3,3]", "[432,0]"),
    ];
    for (shape, offsets) in offsets {
        let json = format!(r#"{{"features.0.weight":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#);
        let bytes = [(json.len() as u64).to_le_bytes().as_slice(), json.as_bytes(), &[0; 432]].concat();
        std::fs::write(&file, bytes).unwrap();
        let message = weights::load(&file, &tiny()).unwrap_err().to_string();
        assert!(message.contains("features.0.weight"), "{message}");
    }
    std::fs::write(&file, u64::MAX.to_le_bytes()).unwrap();
    assert!(weights::load(&file, &tiny()).is_err());
    std::fs::write(&file, "").unwrap();
    assert!(weights::load(&file, &tiny()).is_err());
    assert!(weights::import(&file, &[tiny()], dir.path()).is_err());
}
