//! WebP: an XMP chunk at the end, and the flag that announces it. Only the extended file format has both.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use super::{MOST_PIECES, some_bytes, xmp};
use crate::containers::riff::{Chunks, FIRST, WEBP_FLAGS, is_extended_webp};
use crate::containers::take;

const HAS_XMP: u8 = 0b100;
const HAS_ALPHA: u8 = 0b1_0000;

/// Appends the label to a file in the extended format.
pub(super) fn append(file: &mut (impl Read + Write + Seek), text: &str) -> io::Result<()> {
    file.seek(SeekFrom::Start(WEBP_FLAGS))?;
    let [flags] = take(file)?;
    file.seek(SeekFrom::Start(WEBP_FLAGS))?;
    file.write_all(&[flags | HAS_XMP])?;
    let packet = xmp::packet(text);
    let length = u32::try_from(packet.len()).map_err(io::Error::other)?;
    file.seek(SeekFrom::End(0))?;
    file.write_all(&[b"XMP ".as_slice(), &length.to_le_bytes(), &packet, &[0][..packet.len() % 2]].concat())?;
    let end = file.stream_position()?;
    let riff = u32::try_from(end - 8).map_err(io::Error::other)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&riff.to_le_bytes())?;
    file.flush()
}

/// Returns a picture with the label, converted to the extended format.
pub(super) fn in_still(still: &[u8], text: &str) -> io::Result<Vec<u8>> {
    let mut whole = Cursor::new(still.to_vec());
    if !is_extended_webp(still) {
        let decoder = image_webp::WebPDecoder::new(Cursor::new(still)).map_err(io::Error::other)?;
        let (width, height) = decoder.dimensions();
        let mut extended = [still.get(..12).unwrap_or_default(), b"VP8X", &10u32.to_le_bytes()].concat();
        extended.extend([if decoder.has_alpha() { HAS_ALPHA } else { 0 }, 0, 0, 0]);
        extended.extend(&(width - 1).to_le_bytes()[..3]);
        extended.extend(&(height - 1).to_le_bytes()[..3]);
        extended.extend(still.get(12..).unwrap_or_default());
        whole = Cursor::new(extended);
    }
    append(&mut whole, text)?;
    Ok(whole.into_inner())
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let mut chunks = Chunks::new(from, FIRST)?;
    for _ in 0..MOST_PIECES {
        let Some(chunk) = chunks.next().transpose()? else { break };
        if &chunk.name == b"XMP " {
            let text = xmp::text(&some_bytes(chunks.source(), chunk.size.into())?);
            if text.is_some() {
                return Ok(text);
            }
        }
    }
    Ok(None)
}
