//! PNG and APNG: a `tEXt` chunk between the header and all else.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Insert, MARK, MOST_PIECES, bytes, skip, some_bytes};

/// Bytes of the signature and of the header's chunk, which is always first.
const HEAD: u64 = 8 + 25;

pub(super) fn insert(text: &str) -> io::Result<Insert> {
    let mut chunk = [b"tEXt".as_slice(), MARK.as_bytes(), &[0], text.as_bytes()].concat();
    let length = u32::try_from(chunk.len() - 4).map_err(io::Error::other)?;
    let sum = crc32fast::hash(&chunk);
    chunk.extend(sum.to_be_bytes());
    Ok(Insert { at: HEAD, bytes: [length.to_be_bytes().as_slice(), &chunk].concat() })
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    from.seek(SeekFrom::Start(8))?;
    for _ in 0..MOST_PIECES {
        let length = u64::from(u32::from_be_bytes(bytes(from)?));
        let name: [u8; 4] = bytes(from)?;
        match &name {
            b"IDAT" | b"IEND" => return Ok(None),
            b"tEXt" if length > MARK.len() as u64 => {
                let text = some_bytes(from, length)?;
                if let Some(text) = text.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_prefix(&[0])) {
                    return Ok(String::from_utf8(text.to_vec()).ok());
                }
                skip(from, 4)?;
            }
            _ => skip(from, length + 4)?,
        }
    }
    Ok(None)
}
