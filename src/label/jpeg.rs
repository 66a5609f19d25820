//! JPEG: comments after the JFIF header, as many as the text needs.

use std::io::{self, Read, Seek};

use super::{Insert, LARGEST, MARK, MOST_PIECES, some_bytes};
use crate::containers::jpeg::Segments;

const JFIF: u8 = 0xe0;
const COMMENT: u8 = 0xfe;
/// Bytes of text in one comment; a segment has 65535 bytes, including its length and our mark.
const PART: usize = 65_000;

pub(super) fn insert(from: &mut (impl Read + Seek), text: &str) -> io::Result<Insert> {
    let mut segments = Segments::new(from)?;
    // Nothing may come before the JFIF header.
    let at = loop {
        match segments.next().transpose()? {
            Some(segment) if segment.marker == JFIF => {}
            Some(segment) => break segment.begin,
            None => break segments.at(),
        }
    };
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
    let mut segments = Segments::new(from)?;
    let mut text: Option<Vec<u8>> = None;
    for _ in 0..MOST_PIECES {
        let Some(segment) = segments.next().transpose()? else { break };
        if segment.marker != COMMENT {
            continue;
        }
        let comment = some_bytes(segments.source(), segment.length())?;
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
