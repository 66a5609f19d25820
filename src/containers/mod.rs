//! The structure of container files: one walker per format, over its boxes, elements, chunks or segments.
//!
//! A walker trusts no size. It reads headers only, always moves forward, and ends at the end of the file; an announced
//! end may lie beyond it. After an error it ends.

pub(crate) mod boxes;
pub(crate) mod ebml;
pub(crate) mod gif;
pub(crate) mod jpeg;
pub(crate) mod png;
pub(crate) mod riff;

#[cfg(test)]
mod tests;

use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

/// Reads `N` bytes.
pub(crate) fn take<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The header of a chunk of a PNG or RIFF file: a name and a size of 32 bits, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub name: [u8; 4],
    /// Offset of the header.
    pub begin: u64,
    /// The announced size of the contents in bytes.
    pub size: u32,
}

impl Chunk {
    /// Returns the offset of the contents.
    pub fn body(&self) -> u64 {
        self.begin + 8
    }

    /// Returns where the contents end, as announced, without padding or checksum.
    pub fn end(&self) -> u64 {
        self.body() + u64::from(self.size)
    }

    /// Returns the offsets of the contents, as announced.
    pub fn contents(&self) -> Range<u64> {
        self.body()..self.end()
    }
}

/// A source of bytes and the place in it where the next header is expected.
struct Place<'a, R> {
    from: &'a mut R,
    at: u64,
    length: u64,
}

impl<'a, R: Read + Seek> Place<'a, R> {
    fn new(from: &'a mut R, at: u64) -> io::Result<Self> {
        let length = from.seek(SeekFrom::End(0))?;
        Ok(Self { from, at, length })
    }

    /// Seeks to the next header; returns whether there is room for one of `size` bytes.
    fn has(&mut self, size: u64) -> io::Result<bool> {
        if self.at.saturating_add(size) > self.length {
            return Ok(false);
        }
        self.from.seek(SeekFrom::Start(self.at)).map(|_| true)
    }

    /// Passes on what was found. After an error, nothing more is found.
    fn found<T>(&mut self, found: io::Result<Option<T>>) -> Option<io::Result<T>> {
        if found.is_err() {
            self.at = u64::MAX;
        }
        found.transpose()
    }
}
