//! MP4 and MOV: an XMP packet in a `uuid` box after all other boxes. FFmpeg's muxer can keep a tag of ours only by
//! writing all tags of the source in another form, in which some players do not look for them.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{MOST_PIECES, some_bytes, xmp};
use crate::containers::boxes::Boxes;
use crate::containers::take;

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
    let mut boxes = Boxes::new(from)?;
    for _ in 0..MOST_PIECES {
        let Some(found) = boxes.next().transpose()? else { break };
        let Some(contents) = found.contents(boxes.length()) else { break };
        let size = contents.end - contents.start;
        if &found.kind == b"uuid" && size >= 16 && take(boxes.source())? == XMP {
            let text = xmp::text(&some_bytes(boxes.source(), size - 16)?);
            if text.is_some() {
                return Ok(text);
            }
        }
    }
    Ok(None)
}
