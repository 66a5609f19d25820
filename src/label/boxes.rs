//! MP4 and MOV: an XMP packet in a `uuid` box after all other boxes. FFmpeg's muxer can keep a tag of ours only by
//! writing all tags of the source in another form, in which some players do not look for them.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{MOST_PIECES, bytes, some_bytes, xmp};

/// The UUID of a box that holds XMP.
const XMP: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

pub(super) fn append(file: &mut (impl Write + Seek), text: &str) -> io::Result<()> {
    let packet = xmp::packet(text);
    let length = u32::try_from(8 + XMP.len() + packet.len()).map_err(io::Error::other)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&[length.to_be_bytes().as_slice(), b"uuid", &XMP, &packet].concat())?;
    file.flush()
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let end = from.seek(SeekFrom::End(0))?;
    let mut at = 0;
    for _ in 0..MOST_PIECES {
        from.seek(SeekFrom::Start(at))?;
        let (short, name): (u32, [u8; 4]) = (u32::from_be_bytes(bytes(from)?), bytes(from)?);
        let (length, head) = match short {
            // The box extends to the end of the file.
            0 => return Ok(None),
            1 => (u64::from_be_bytes(bytes(from)?), 16),
            _ => (u64::from(short), 8),
        };
        let next = at.checked_add(length).filter(|&next| length >= head && next <= end);
        let Some(next) = next else { return Ok(None) };
        if &name == b"uuid" && length >= head + 16 && bytes(from)? == XMP {
            let found = xmp::text(&some_bytes(from, length - head - 16)?);
            if found.is_some() {
                return Ok(found);
            }
        }
        at = next;
    }
    Ok(None)
}
