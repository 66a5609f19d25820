//! PNG and APNG: chunks with a size of 32 bits and a checksum.

use std::io::{self, Read, Seek};

use super::{Chunk, Place, take};

/// The first bytes of a file.
pub(crate) const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Bytes of the signature and the IHDR chunk, which always comes first.
pub(crate) const HEAD: u64 = SIGNATURE.len() as u64 + 25;

/// Walks over chunks.
pub(crate) struct Chunks<'a, R>(Place<'a, R>);

impl<'a, R: Read + Seek> Chunks<'a, R> {
    /// Starts at offset `at`: after the signature, which is not checked, or at [`HEAD`].
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
        let size = u32::from_be_bytes(take(self.0.from)?);
        let found = Chunk { name: take(self.0.from)?, begin: self.0.at, size };
        // After the contents comes the checksum.
        self.0.at = found.end() + 4;
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
