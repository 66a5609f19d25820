//! JPEG: the segments before the pixels.

use std::io::{self, Read, Seek};
use std::ops::Range;

use super::{Place, take};

/// A segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub marker: u8,
    /// Offset of the marker, fill bytes before it included.
    pub begin: u64,
    /// Offset of the contents.
    pub body: u64,
    /// The announced size of the contents and of the two bytes that hold it.
    pub size: u16,
}

impl Segment {
    /// Returns the number of bytes of the contents; 0 if the announced size does not cover itself.
    pub fn length(&self) -> u64 {
        u64::from(self.size.saturating_sub(2))
    }

    /// Returns the offsets of the contents; `None` if the announced size does not cover itself.
    pub fn contents(&self) -> Option<Range<u64>> {
        (self.size >= 2).then(|| self.body..self.body + self.length())
    }
}

/// Walks over segments up to the pixels, the end of the picture or a byte that begins no marker. A cut-off file is an
/// error.
pub(crate) struct Segments<'a, R>(Place<'a, R>);

impl<'a, R: Read + Seek> Segments<'a, R> {
    /// Starts after the marker that begins a picture, which is not checked.
    pub fn new(from: &'a mut R) -> io::Result<Self> {
        Place::new(from, 2).map(Self)
    }

    /// Returns the source, which stands at the contents of the last segment.
    pub fn source(&mut self) -> &mut R {
        self.0.from
    }

    /// Returns the offset that the walk has come to: behind the last segment.
    pub fn at(&self) -> u64 {
        self.0.at
    }

    fn step(&mut self) -> io::Result<Option<Segment>> {
        if self.0.at == u64::MAX {
            return Ok(None);
        }
        let begin = self.0.at;
        let mut at = begin;
        loop {
            if !self.0.has(2)? {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let [0xff, marker] = take(self.0.from)? else { return Ok(None) };
            match marker {
                // A fill byte.
                0xff => at += 1,
                // Markers without contents.
                0x01 | 0xd0..=0xd8 => at += 2,
                0xd9 | 0xda => {
                    self.0.at = begin;
                    return Ok(None);
                }
                marker => {
                    let size = u16::from_be_bytes(take(self.0.from)?);
                    let found = Segment { marker, begin, body: at + 4, size };
                    self.0.at = found.body + found.length();
                    return Ok(Some(found));
                }
            }
            self.0.at = at;
        }
    }
}

impl<R: Read + Seek> Iterator for Segments<'_, R> {
    type Item = io::Result<Segment>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        self.0.found(found)
    }
}
