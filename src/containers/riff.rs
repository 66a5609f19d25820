//! RIFF (WebP, AVI): chunks with a size of 32 bits, padded to an even length.

use std::io::{self, Read, Seek};

use super::{Chunk, Place, take};

/// Offset of the first chunk inside the file's own: after `RIFF`, the size and the form.
pub(crate) const FIRST: u64 = 12;

/// Offset of the flags of the extended WebP format.
pub(crate) const WEBP_FLAGS: u64 = 20;

/// Returns whether a file begins like a WebP in the extended format, the only one with flags.
pub(crate) fn is_extended_webp(head: &[u8]) -> bool {
    head.starts_with(b"RIFF") && head.get(8..).is_some_and(|rest| rest.starts_with(b"WEBPVP8X"))
}

/// Walks over chunks.
pub(crate) struct Chunks<'a, R>(Place<'a, R>);

impl<'a, R: Read + Seek> Chunks<'a, R> {
    /// Starts at offset `at`: 0 for the file's own chunk, [`FIRST`] for those inside.
    pub fn new(from: &'a mut R, at: u64) -> io::Result<Self> {
        Place::new(from, at).map(Self)
    }

    /// Returns the source, which stands at the contents of the last chunk.
    pub fn source(&mut self) -> &mut R {
        self.0.from
    }

    fn step(&mut self) -> io::Result<Option<Chunk>> {
        if !self.0.has(8)? {
            return Ok(None);
        }
        let found = Chunk { name: take(self.0.from)?, begin: self.0.at, size: u32::from_le_bytes(take(self.0.from)?) };
        self.0.at = found.end() + u64::from(found.size % 2);
        Ok(Some(found))
    }
}

impl<R: Read + Seek> Iterator for Chunks<'_, R> {
    type Item = io::Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        self.0.found(found)
    }
}
