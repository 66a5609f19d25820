//! EBML (Matroska, WebM): elements with an ID and a size of variable lengths.

use std::io::{self, Read, Seek};

use super::{Place, take};

/// ID of the header, the first element of a file.
pub(crate) const HEADER: u64 = 0x1a45_dfa3;
/// ID of the segment, which holds all else.
pub(crate) const SEGMENT: u64 = 0x1853_8067;
/// ID of a cluster, which holds packets.
pub(crate) const CLUSTER: u64 = 0x1f43_b675;

/// The header of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    pub id: u64,
    /// Offset of the contents.
    pub body: u64,
    /// The announced size of the contents; `None` for "unknown", as in a live recording.
    pub size: Option<u64>,
}

impl Element {
    /// Returns where the contents end; `None` if that is unknown.
    pub fn end(&self) -> Option<u64> {
        self.size.map(|size| self.body.saturating_add(size))
    }
}

/// Walks over the elements of one level, and enters those of unknown size.
pub(crate) struct Elements<'a, R>(Place<'a, R>);

impl<'a, R: Read + Seek> Elements<'a, R> {
    /// Starts at the beginning of a file.
    pub fn new(from: &'a mut R) -> io::Result<Self> {
        Place::new(from, 0).map(Self)
    }

    fn step(&mut self) -> io::Result<Option<Element>> {
        if !self.0.has(2)? {
            return Ok(None);
        }
        let id = identifier(self.0.from)?;
        let size = number(self.0.from)?;
        let found = Element { id, body: self.0.from.stream_position()?, size };
        self.0.at = found.end().unwrap_or(found.body);
        Ok(Some(found))
    }
}

impl<R: Read + Seek> Iterator for Elements<'_, R> {
    type Item = io::Result<Element>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.step();
        self.0.found(found)
    }
}

/// Reads the bytes after the first one of a number.
fn rest(from: &mut impl Read, first: u64, more: u32) -> io::Result<u64> {
    (0..more).try_fold(first, |value, _| Ok(value << 8 | u64::from(take::<1>(from)?[0])))
}

/// Reads an element ID. The leading zeros of the first byte say how many bytes follow.
fn identifier(from: &mut impl Read) -> io::Result<u64> {
    let [first] = take(from)?;
    let more = first.leading_zeros();
    if more > 3 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    rest(from, first.into(), more)
}

/// Reads a size; `None` for "unknown", which is all ones.
fn number(from: &mut impl Read) -> io::Result<Option<u64>> {
    let [first] = take(from)?;
    let more = first.leading_zeros();
    if more > 7 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let value = rest(from, u64::from(first) & (0x7f >> more), more)?;
    let unknown = (1 << (7 * (more + 1))) - 1;
    Ok((value != unknown).then_some(value))
}
