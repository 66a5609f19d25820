//! A `tEXt` chunk: in PNG before the pixels, in APNG after the first picture. FFmpeg recognises an animation by the
//! start of that picture, and looks for it in the first 2048 bytes only.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Insert, MARK, MOST_PIECES, bytes, skip, some_bytes};

/// Bytes of the signature and the IHDR chunk, which always comes first.
const HEAD: u64 = 8 + 25;

fn place(from: &mut (impl Read + Seek)) -> io::Result<u64> {
    let mut at = from.seek(SeekFrom::Start(HEAD))?;
    let (mut animated, mut painted) = (false, false);
    for _ in 0..MOST_PIECES {
        let length = u64::from(u32::from_be_bytes(bytes(from)?));
        let name: [u8; 4] = bytes(from)?;
        match &name {
            b"acTL" => animated = true,
            b"IDAT" if animated => painted = true,
            b"IDAT" | b"IEND" if !painted => break,
            _ if painted => return Ok(at),
            _ => {}
        }
        skip(from, length + 4)?;
        at += length + 12;
    }
    Ok(HEAD)
}

pub(super) fn insert(from: &mut (impl Read + Seek), text: &str) -> io::Result<Insert> {
    let at = place(from)?;
    let mut chunk = [b"tEXt".as_slice(), MARK.as_bytes(), &[0], text.as_bytes()].concat();
    let length = u32::try_from(chunk.len() - 4).map_err(io::Error::other)?;
    let sum = crc32fast::hash(&chunk);
    chunk.extend(sum.to_be_bytes());
    Ok(Insert { at, bytes: [length.to_be_bytes().as_slice(), &chunk].concat() })
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    from.seek(SeekFrom::Start(8))?;
    let mut animated = false;
    for _ in 0..MOST_PIECES {
        let length = u64::from(u32::from_be_bytes(bytes(from)?));
        let name: [u8; 4] = bytes(from)?;
        match &name {
            b"IEND" => return Ok(None),
            b"IDAT" if !animated => return Ok(None),
            b"tEXt" if length > MARK.len() as u64 => {
                let text = some_bytes(from, length)?;
                if let Some(text) = text.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_prefix(&[0])) {
                    return Ok(String::from_utf8(text.to_vec()).ok());
                }
                skip(from, 4)?;
            }
            _ => {
                animated |= &name == b"acTL";
                skip(from, length + 4)?;
            }
        }
    }
    Ok(None)
}
