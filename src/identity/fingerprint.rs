//! What a file holds, as a hash, whatever it is called and whenever it was written.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::files;

/// How much of the input is looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fingerprint {
    /// Its length and [`BLOCKS`] blocks of [`BLOCK`] bytes, evenly spread, the first and the last bytes among them. A film
    /// takes no longer than a clip. A change that keeps the length and lies between all blocks is not seen.
    #[default]
    Sampled,
    /// Every byte.
    Full,
}

/// Blocks that are looked at.
const BLOCKS: u64 = 64;
/// Bytes of a block.
const BLOCK: u64 = 64 << 10;

/// SHA-256 of what `how` says of the file, hexadecimal.
///
/// # Errors
/// When it cannot be read.
pub fn of_file(path: &Path, how: Fingerprint) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    // Where blocks would touch each other, all of it is no more work.
    if how == Fingerprint::Full || length <= BLOCKS * BLOCK {
        return files::hash(file).map(|(_, hash)| hash);
    }
    let mut hash = Sha256::new();
    hash.update(length.to_le_bytes());
    let mut block = vec![0; BLOCK as usize];
    for number in 0..BLOCKS {
        // In 128 bits: the product of a long file's length is more than 64 hold.
        let at = u128::from(length - BLOCK) * u128::from(number) / u128::from(BLOCKS - 1);
        file.seek(SeekFrom::Start(at as u64))?;
        file.read_exact(&mut block)?;
        hash.update(&block);
    }
    Ok(files::hex(&hash.finalize()))
}

/// SHA-256 of several texts, each with its length, so that no two lists look alike.
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
        // Ten megabytes: more than is looked at.
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
        // Between two blocks only the whole hash sees it.
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
