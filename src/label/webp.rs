//! WebP: an XMP chunk at the end, and the flag that announces it. Only the extended file format has both.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use super::{MOST_PIECES, bytes, skip, some_bytes, xmp};

const HAS_XMP: u8 = 0b100;
const HAS_ALPHA: u8 = 0b1_0000;
/// Offset of the flags of the extended format.
const FLAGS: u64 = 20;

pub(super) fn is_extended(head: &[u8]) -> bool {
    head.get(12..16) == Some(b"VP8X")
}

/// Appends the label to a file in the extended format.
pub(super) fn append(file: &mut (impl Read + Write + Seek), text: &str) -> io::Result<()> {
    file.seek(SeekFrom::Start(FLAGS))?;
    let [flags] = bytes(file)?;
    file.seek(SeekFrom::Start(FLAGS))?;
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
    if !is_extended(still) {
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
    from.seek(SeekFrom::Start(12))?;
    for _ in 0..MOST_PIECES {
        let name: [u8; 4] = bytes(from)?;
        let length = u64::from(u32::from_le_bytes(bytes(from)?));
        if &name == b"XMP " {
            let found = xmp::text(&some_bytes(from, length)?);
            skip(from, length % 2)?;
            if found.is_some() {
                return Ok(found);
            }
        } else {
            skip(from, length + length % 2)?;
        }
    }
    Ok(None)
}
