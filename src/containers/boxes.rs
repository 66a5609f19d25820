//! MP4 and MOV: the boxes at the top level of a file.

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::{Place, take};

/// The header of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileBox {
    pub kind: [u8; 4],
    /// Offset of the header.
    pub begin: u64,
    /// Offset of the contents.
    pub body: u64,
    /// The announced size with the header; `None` for "up to the end of the file".
    pub size: Option<u64>,
}

impl FileBox {
    /// Returns where the next box begins, at least 8 bytes further; `None` after a box up to the end of the file.
    pub fn next(&self) -> Option<u64> {
        self.size.map(|size| self.begin.saturating_add(size.max(8)))
    }

    /// Returns the offsets of the contents in a file of `length` bytes; `None` if the size is open, smaller than the
    /// header, or larger than the rest of the file.
    pub fn contents(&self, length: u64) -> Option<Range<u64>> {
        let end = self.begin.checked_add(self.size?)?;
        (self.body <= end && end <= length).then_some(self.body..end)
    }
}

/// Walks over boxes.
pub(crate) struct Boxes<'a, R>(Place<'a, R>);

impl<'a, R: Read + Seek> Boxes<'a, R> {
    /// Starts at the beginning of a file.
    pub fn new(from: &'a mut R) -> io::Result<Self> {
        Place::new(from, 0).map(Self)
    }

    /// Returns the source, which stands at the contents of the last box.
    pub fn source(&mut self) -> &mut R {
        self.0.from
    }

    /// Returns the length of the file in bytes.
    pub fn length(&self) -> u64 {
        self.0.length
    }

    fn step(&mut self) -> io::Result<Option<FileBox>> {
        if !self.0.has(8)? {
            return Ok(None);
        }
        let short = u32::from_be_bytes(take(self.0.from)?);
        let kind = take(self.0.from)?;
        let (size, header) = match short {
            0 => (None, 8),
            1 => (Some(u64::from_be_bytes(take(self.0.from)?)), 16),
            short => (Some(short.into()), 8),
        };
        let begin = self.0.at;
        let found = FileBox { kind, begin, body: begin + header, size };
        self.0.at = found.next().unwrap_or(u64::MAX);
        Ok(Some(found))
    }
}

impl<R: Read + Seek> Iterator for Boxes<'_, R> {
    type Item = io::Result<FileBox>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        self.0.found(found)
    }
}
