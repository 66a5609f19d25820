//! Reads the first boxes and chunks of a file for facts that FFmpeg does not report.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use crate::containers::boxes::Boxes;
use crate::containers::{png, take};

/// Whether this is an MP4 or MOV file without its index (`moov` or `moof`): the recording was stopped before the index
/// was written, or the file is cut off.
pub(super) fn lacks_index(path: &Path) -> bool {
    walk_boxes(path).unwrap_or(false)
}

fn walk_boxes(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let boxes = Boxes::new(&mut file)?;
    let length = boxes.length();
    for found in boxes {
        let found = found?;
        if found.begin == 0 && ![b"ftyp", b"mdat", b"wide", b"free", b"skip"].contains(&&found.kind) {
            return Ok(false);
        }
        if [*b"moov", *b"moof"].contains(&found.kind) {
            return Ok(false);
        }
    }
    Ok(length >= 8)
}

/// Whether this is a PNG with an `acTL` chunk before its picture data, which marks an animation.
pub(super) fn is_animated_png(path: &Path) -> bool {
    walk_chunks(path).unwrap_or(false)
}

fn walk_chunks(path: &Path) -> io::Result<bool> {
    let mut file = BufReader::new(File::open(path)?);
    if take(&mut file)? != png::SIGNATURE {
        return Ok(false);
    }
    for chunk in png::Chunks::new(&mut file, png::SIGNATURE.len() as u64)? {
        match &chunk?.name {
            b"acTL" => return Ok(true),
            b"IDAT" | b"IEND" => break,
            _ => {}
        }
    }
    Ok(false)
}
