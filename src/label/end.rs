//! Checks whether a file is complete. A file that was cut off later may still have our label at its beginning.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::{Kind, bytes};

/// The IEND chunk: length 0, name and checksum.
const PNG: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];
const GIF: [u8; 1] = [0x3b];
const JPEG: [u8; 2] = [0xff, 0xd9];
const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
/// Start code of NUT's index, which ends with its own length and a checksum.
const NUT_INDEX: [u8; 8] = [b'N', b'X', 0xdd, 0x67, 0x2f, 0x23, 0xe6, 0x4e];

/// Whether the file ends where it should. MP4 and MOV count as whole: their label is the last box in the file.
pub fn is_whole(path: &Path) -> bool {
    File::open(path).and_then(|mut file| look(&mut file)).unwrap_or(false)
}

fn look(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut head = Vec::new();
    file.take(32).read_to_end(&mut head)?;
    match Kind::of(&head) {
        Some(Kind::Png) => ends(file, &PNG),
        Some(Kind::Gif) => ends(file, &GIF),
        Some(Kind::Jpeg) => ends(file, &JPEG),
        Some(Kind::WebP) => {
            file.seek(SeekFrom::Start(4))?;
            Ok(u64::from(u32::from_le_bytes(bytes(file)?)) + 8 <= length)
        }
        Some(Kind::Tagged("matroska")) => matroska(file, length),
        Some(Kind::Tagged("nut")) => {
            file.seek(SeekFrom::End(-12))?;
            let index = u64::from_be_bytes(bytes(file)?);
            file.seek(SeekFrom::Start(length.checked_sub(index).ok_or(io::ErrorKind::UnexpectedEof)?))?;
            Ok(bytes(file)? == NUT_INDEX)
        }
        Some(Kind::Boxes | Kind::Tagged(_)) | None => Ok(true),
    }
}

fn ends(file: &mut (impl Read + Seek), end: &[u8]) -> io::Result<bool> {
    file.seek(SeekFrom::End(-(end.len() as i64)))?;
    let mut found = Vec::new();
    file.read_to_end(&mut found)?;
    Ok(found == end)
}

/// Checks that the segment after the EBML header, which holds all else, ends within the file.
fn matroska(file: &mut (impl Read + Seek), length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(4))?;
    let Some(header) = size(file)? else { return Ok(false) };
    let place = file.stream_position()?.checked_add(header).ok_or(io::ErrorKind::UnexpectedEof)?;
    file.seek(SeekFrom::Start(place))?;
    if bytes(file)? != SEGMENT {
        return Ok(false);
    }
    // A file written as a stream has an unknown size: it counts as whole.
    let Some(segment) = size(file)? else { return Ok(true) };
    Ok(file.stream_position()?.checked_add(segment).is_some_and(|end| end <= length))
}

/// Reads EBML's variable-length size: the first byte's leading zeros say how many bytes follow. All ones: unknown.
fn size(file: &mut impl Read) -> io::Result<Option<u64>> {
    let [first] = bytes(file)?;
    let more = first.leading_zeros();
    if more > 7 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut value = u64::from(first) & (0x7f >> more);
    for _ in 0..more {
        let [byte] = bytes(file)?;
        value = value << 8 | u64::from(byte);
    }
    let unknown = (1 << (7 * (more + 1))) - 1;
    Ok((value != unknown).then_some(value))
}
