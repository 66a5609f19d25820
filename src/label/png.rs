//! A `tEXt` chunk: in PNG before the pixels, in APNG after the first picture. FFmpeg recognises an animation by the
//! start of that picture, and looks for it in the first 2048 bytes only.

use std::io::{self, Read, Seek};

use super::{Insert, MARK, MOST_PIECES, some_bytes};
use crate::containers::png::{Chunks, HEAD, SIGNATURE};

fn place(from: &mut (impl Read + Seek)) -> io::Result<u64> {
    let mut chunks = Chunks::new(from, HEAD)?;
    let (mut animated, mut painted) = (false, false);
    for _ in 0..MOST_PIECES {
        let chunk = chunks.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        match &chunk.name {
            b"acTL" => animated = true,
            b"IDAT" if animated => painted = true,
            b"IDAT" | b"IEND" if !painted => break,
            _ if painted => return Ok(chunk.begin),
            _ => {}
        }
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
    let mut chunks = Chunks::new(from, SIGNATURE.len() as u64)?;
    let mut animated = false;
    for _ in 0..MOST_PIECES {
        let Some(chunk) = chunks.next().transpose()? else { break };
        match &chunk.name {
            b"IEND" => break,
            b"IDAT" if !animated => break,
            b"acTL" => animated = true,
            b"tEXt" if chunk.size as usize > MARK.len() => {
                let text = some_bytes(chunks.source(), chunk.size.into())?;
                if let Some(text) = text.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_prefix(&[0])) {
                    return Ok(String::from_utf8(text.to_vec()).ok());
                }
            }
            _ => {}
        }
    }
    Ok(None)
}
