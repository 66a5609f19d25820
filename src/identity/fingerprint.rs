//! Hashes the content of a file, independently of its name and modification time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::files;

/// How much of the input is hashed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fingerprint {
    /// Its length and `BLOCKS` blocks of `BLOCK` bytes, evenly spread, including the first and the last bytes. A
    /// film takes no longer than a clip. A change between the blocks that keeps the length goes unnoticed.
    #[default]
    Sampled,
    /// Every byte.
    Full,
}

/// Number of blocks that are hashed.
const BLOCKS: u64 = 64;
/// Length of a block in bytes.
const BLOCK: u64 = 64 << 10;

/// Returns the SHA-256 of the parts of the file that `how` selects, hexadecimal.
///
/// # Errors
/// If the file cannot be read.
pub fn of_file(path: &Path, how: Fingerprint) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // If the blocks would touch each other, hashing the whole file costs no more.
    if how == Fingerprint::Full || length <= BLOCKS * BLOCK {
        return files::hash(file).map(|(_, hash)| hash);
    }
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    let mut block = vec![0; BLOCK as usize];
    for number in 0..BLOCKS {
        // In 128 bits: for a long file the product exceeds 64 bits.
        let at = u128::from(length - BLOCK) * u128::from(number) / u128::from(BLOCKS - 1);
        file.seek(SeekFrom::Start(at as u64))?;
        file.read_exact(&mut block)?;
        hash.update(&block);
    }
    Ok(files::hex(&hash.finalize()))
}

/// Returns the SHA-256 of several texts. Each is hashed with its length, so that different lists differ.
pub(super) fn of_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    files::hex(&hash.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn content_counts_and_nothing_else() {
        let desk = tempfile::tempdir().unwrap();
        let (one, two) = (desk.path().join("a.mp4"), desk.path().join("b.mkv"));
        // Ten megabytes: more than the sampled blocks cover.
        let mut bytes: Vec<u8> = (0..10_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::fs::write(&one, &bytes).unwrap();
        std::fs::write(&two, &bytes).unwrap();
        let of = |path, how| of_file(path, how).unwrap();
        assert_eq!(of(&one, Fingerprint::Sampled), of(&two, Fingerprint::Sampled));
        assert_ne!(of(&one, Fingerprint::Sampled), of(&one, Fingerprint::Full));
        for at in [0, 100, 9_999_999] {
            bytes[at] ^= 1;
            std::fs::write(&two, &bytes).unwrap();
            assert_ne!(of(&one, Fingerprint::Sampled), of(&two, Fingerprint::Sampled), "byte {at}");
            bytes[at] ^= 1;
        }
        // A change between two blocks shows only in the full hash.
        bytes[100_000] ^= 1;
        std::fs::write(&two, &bytes).unwrap();
        assert_eq!(of(&one, Fingerprint::Sampled), of(&two, Fingerprint::Sampled));
        assert_ne!(of(&one, Fingerprint::Full), of(&two, Fingerprint::Full));
        bytes.pop();
        std::fs::write(&two, &bytes).unwrap();
        assert_ne!(of(&one, Fingerprint::Sampled), of(&two, Fingerprint::Sampled), "its length");
    }

    #[test]
    fn lists_do_not_run_together() {
        assert_ne!(of_texts(["ab", "c"]), of_texts(["a", "bc"]));
        assert_ne!(of_texts(["a"]), of_texts(["a", ""]));
    }
}
