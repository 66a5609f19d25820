//! What a file's bytes say about its being cut off, where FFmpeg does not tell.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Whether this is an MP4 or MOV without the box that lists its pictures: the writer is stopped before it, or the file
/// cut off.
pub(super) fn lacks_index(path: &Path) -> bool {
    walk_boxes(path).unwrap_or(false)
}

fn walk_boxes(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut at = 0;
    while at + 8 <= length {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let kind = [head[4], head[5], head[6], head[7]];
        if at == 0 && ![b"ftyp", b"mdat", b"wide", b"free", b"skip"].contains(&&kind) {
            return Ok(false);
        }
        if [*b"moov", *b"moof"].contains(&kind) {
            return Ok(false);
        }
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => length - at,
            1 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                u64::from_be_bytes(large)
            }
            size => size.into(),
        };
        at = at.saturating_add(size.max(8));
    }
    Ok(length >= 8)
}

/// Whether this is a PNG with an `acTL` chunk before its picture data, the sign of an animation.
pub(super) fn is_animated_png(path: &Path) -> bool {
    walk_chunks(path).unwrap_or(false)
}

fn walk_chunks(path: &Path) -> io::Result<bool> {
    let mut file = io::BufReader::new(File::open(path)?);
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    if head != *b"\x89PNG\r\n\x1a\n" {
        return Ok(false);
    }
    loop {
        file.read_exact(&mut head)?;
        match &head[4..] {
            b"acTL" => return Ok(true),
            b"IDAT" | b"IEND" => return Ok(false),
            // The data and its check sum.
            _ => {
                let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
                file.seek_relative(i64::from(size) + 4)?;
            }
        }
    }
}

/// Bytes that a Matroska or WebM file lacks of what its header announces, and those that are there. `None` if it
/// announces nothing or is whole.
pub(super) fn bytes_missing(path: &Path) -> Option<(u64, u64)> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut head = Vec::new();
    file.by_ref().take(4096).read_to_end(&mut head).ok()?;
    let end = segment_end(&head)?;
    (end > length).then(|| (end - length, length))
}

/// Where the segment ends, by the EBML header at the beginning of the file.
fn segment_end(head: &[u8]) -> Option<u64> {
    const EBML: &[u8] = &[0x1a, 0x45, 0xdf, 0xa3];
    const SEGMENT: &[u8] = &[0x18, 0x53, 0x80, 0x67];
    let (size, used) = number(head.strip_prefix(EBML)?)?;
    let at = usize::try_from(size?).ok()?.checked_add(EBML.len() + used)?;
    let (size, used) = number(head.get(at..)?.strip_prefix(SEGMENT)?)?;
    size?.checked_add((at + SEGMENT.len() + used) as u64)
}

/// A number of EBML's variable length (`None` for "unknown") and the bytes that it takes.
fn number(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let rest = bytes.get(1..length).filter(|_| length <= 8)?;
    let mask = 0xff_u8.checked_shr(length as u32).unwrap_or(0);
    let value = rest.iter().fold(u64::from(first & mask), |value, byte| value << 8 | u64::from(*byte));
    let unknown = (1_u64 << (7 * length)) - 1;
    Some(((value != unknown).then_some(value), length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_ends_where_its_size_says() {
        let header = [0x1a, 0x45, 0xdf, 0xa3, 0x81, 7];
        let segment = |size: &[u8]| [&header, [0x18, 0x53, 0x80, 0x67].as_slice(), size].concat();
        assert_eq!(segment_end(&segment(&[0x40, 100])), Some(112));
        assert_eq!(segment_end(&segment(&[0x01, 0, 0, 0, 0, 0, 1, 0])), Some(18 + 256));
        assert_eq!(segment_end(&segment(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), None);
        assert_eq!(segment_end(&segment(&[])), None);
        assert_eq!(segment_end(b"RIFF"), None);
    }
}
