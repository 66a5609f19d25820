//! Checks whether a file is complete. A file that was cut off later may still have our label at its beginning.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::Kind;
use crate::containers::{ebml, riff, take};

/// The IEND chunk: length 0, name and checksum.
const PNG: [u8; 12] = [0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82];
const GIF: [u8; 1] = [0x3b];
const JPEG: [u8; 2] = [0xff, 0xd9];
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
            let whole = riff::Chunks::new(file, 0)?.next().transpose()?;
            Ok(whole.is_some_and(|whole| whole.end() <= length))
        }
        Some(Kind::Tagged("matroska")) => matroska(file, length),
        Some(Kind::Tagged("nut")) => {
            file.seek(SeekFrom::End(-12))?;
            let index = u64::from_be_bytes(take(file)?);
            file.seek(SeekFrom::Start(length.checked_sub(index).ok_or(io::ErrorKind::UnexpectedEof)?))?;
            Ok(take(file)? == NUT_INDEX)
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
    let mut elements = ebml::Elements::new(file)?;
    let header = elements.next().transpose()?;
    if header.is_none_or(|header| header.size.is_none()) {
        return Ok(false);
    }
    let segment = elements.next().transpose()?.filter(|element| element.id == ebml::SEGMENT);
    // A file written as a stream has an unknown size: it counts as whole.
    Ok(segment.is_some_and(|segment| segment.end().is_none_or(|end| end <= length)))
}
