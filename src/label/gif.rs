//! GIF: an application extension of our own before the first picture. A comment would not do: comments belong to the
//! source, and FFmpeg would take ours for one of them.

use std::io::{self, Read, Seek};

use super::{Insert, LARGEST, MOST_PIECES};
use crate::containers::gif::{APPLICATION, EXTENSION, Extensions};

/// Eight letters for the application, three for its version.
const NAME: &[u8; 11] = b"STYLIZEV1.0";

pub(super) fn insert(from: &mut (impl Read + Seek), text: &str) -> io::Result<Insert> {
    // The extension with the repeat count stays first: some players look nowhere else.
    let at = Extensions::new(from)?.end_of(APPLICATION)?;
    let mut extension = vec![EXTENSION, APPLICATION];
    for block in [NAME.as_slice()].into_iter().chain(text.as_bytes().chunks(255)) {
        extension.push(block.len() as u8);
        extension.extend(block);
    }
    extension.push(0);
    Ok(Insert { at, bytes: extension })
}

pub(super) fn read(from: &mut (impl Read + Seek)) -> io::Result<Option<String>> {
    let mut extensions = Extensions::new(from)?;
    for _ in 0..MOST_PIECES {
        let Some(label) = extensions.next().transpose()? else { break };
        if label == APPLICATION {
            // A longer text is not ours.
            let contents = extensions.contents(LARGEST + NAME.len())?;
            if let Some(text) = contents.strip_prefix(NAME) {
                return Ok(String::from_utf8(text.to_vec()).ok());
            }
        }
    }
    Ok(None)
}
