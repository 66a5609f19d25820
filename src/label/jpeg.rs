//! JPEG: comments after the JFIF header, as many as the text needs.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Insert, LARGEST, MARK, MOST_PIECES, bytes, skip, some_bytes};

const COMMENT: u8 = 0xfe;
/// Bytes of text in one comment; a segment has 65535 bytes, including its length and our mark.
const PART: usize = 65_000;

pub(super) fn insert(from: &mut (impl Read + Seek), text: &str) -> io::Result<Insert> {
    let mut at = 2;
    from.seek(SeekFrom::Start(at))?;
    // Nothing may come before the JFIF header.
    while let [0xff, 0xe0] = bytes(from)? {
        let length = u64::from(u16::from_be_bytes(bytes(from)?)).max(2);
        skip(from, length - 2)?;
        at += 2 + length;
    }
    let mut comments = Vec::new();
    for part in text.as_bytes().chunks(PART) {
        let length = u16::try_from(2 + MARK.len() + 1 + part.len()).map_err(io::Error::other)?;
        comments.extend([0xff, COMMENT]);
        comments.extend(length.to_be_bytes());
        comments.extend([MARK.as_bytes(), b":", part].concat());
    }
    Ok(Insert { at, bytes: comments })
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    from.seek(SeekFrom::Start(2))?;
    let mut text: Option<Vec<u8>> = None;
    for _ in 0..MOST_PIECES {
        let [0xff, marker] = bytes(from)? else { break };
        // The image data, or the end.
        if matches!(marker, 0xda | 0xd9) {
            break;
        }
        let length = u64::from(u16::from_be_bytes(bytes(from)?)).max(2) - 2;
        if marker != COMMENT {
            skip(from, length)?;
            continue;
        }
        let comment = some_bytes(from, length)?;
        if let Some(part) = comment.strip_prefix(MARK.as_bytes()).and_then(|rest| rest.strip_prefix(b":")) {
            let text = text.get_or_insert_default();
            text.extend(part);
            if text.len() > LARGEST {
                return Ok(None);
            }
        }
    }
    Ok(text.and_then(|text| String::from_utf8(text).ok()))
}
