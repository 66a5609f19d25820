//! GIF: an application extension of our own before the first picture. A comment would not do: comments belong to the
//! source, and FFmpeg would take ours for one of them.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Insert, LARGEST, MOST_PIECES, bytes};

const EXTENSION: u8 = 0x21;
const APPLICATION: u8 = 0xff;
/// Eight letters for the application, three for its version.
const NAME: &[u8; 11] = b"STYLIZEV1.0";

/// Seeks to the first block after the header and the global palette.
fn start(from: &mut (impl Read + Seek)) -> io::Result<u64> {
    from.seek(SeekFrom::Start(10))?;
    let [flags] = bytes(from)?;
    let palette = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    from.seek(SeekFrom::Start(13 + palette))
}

pub(super) fn insert(from: &mut (impl Read + Seek), text: &str) -> io::Result<Insert> {
    let mut at = start(from)?;
    // The extension with the repeat count stays first: some players look nowhere else.
    while let [EXTENSION, APPLICATION] = bytes(from)? {
        blocks(from, |_| {})?;
        at = from.stream_position()?;
    }
    let mut extension = vec![EXTENSION, APPLICATION];
    for block in [NAME.as_slice()].into_iter().chain(text.as_bytes().chunks(255)) {
        extension.push(block.len() as u8);
        extension.extend(block);
    }
    extension.push(0);
    Ok(Insert { at, bytes: extension })
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    start(from)?;
    for _ in 0..MOST_PIECES {
        match bytes(from)? {
            [EXTENSION, APPLICATION] => {
                let mut text = Vec::new();
                blocks(from, |block| {
                    // A longer text is not ours.
                    if text.len() <= LARGEST + NAME.len() {
                        text.extend(block);
                    }
                })?;
                if let Some(text) = text.strip_prefix(NAME) {
                    return Ok(String::from_utf8(text.to_vec()).ok());
                }
            }
            [EXTENSION, _] => blocks(from, |_| {})?,
            _ => break,
        }
    }
    Ok(None)
}

/// Reads sub-blocks of at most 255 bytes up to the empty one that ends them.
fn blocks(from: &mut (impl Read + Seek), mut each: impl FnMut(&[u8])) -> io::Result<()> {
    // In a damaged file this could continue to the end of the file, however long it is.
    for _ in 0..MOST_PIECES {
        let [length] = bytes(from)?;
        if length == 0 {
            return Ok(());
        }
        let mut block = [0; 255];
        let block = &mut block[..usize::from(length)];
        from.read_exact(block)?;
        each(block);
    }
    Err(io::ErrorKind::UnexpectedEof.into())
}
