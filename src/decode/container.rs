//! Reads the first boxes and chunks of a file for facts that FFmpeg does not report.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Whether this is an MP4 or MOV file without its index (`moov` or `moof`): the recording was stopped before the index
/// was written, or the file is cut off.
pub(super) fn lacks_index(path: &Path) -> bool {
    walk_boxes(path).unwrap_or(false)
}

fn walk_boxes(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut at = 0;
    while at + 8 <= length {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let kind = [head[4], head[5], head[6], head[7]];
        if at == 0 && ![b"ftyp", b"mdat", b"wide", b"free", b"skip"].contains(&&kind) {
            return Ok(false);
        }
        if [*b"moov", *b"moof"].contains(&kind) {
            return Ok(false);
        }
        let size = match u32::from_be_bytes([head[0], head[1], head[2], head[3]]) {
            0 => length - at,
            1 => {
                let mut large = [0; 8];
                file.read_exact(&mut large)?;
                u64::from_be_bytes(large)
            }
            size => size.into(),
        };
        at = at.saturating_add(size.max(8));
    }
    Ok(length >= 8)
}

/// Whether this is a PNG with an `acTL` chunk before its picture data, which marks an animation.
pub(super) fn is_animated_png(path: &Path) -> bool {
    walk_chunks(path).unwrap_or(false)
}

fn walk_chunks(path: &Path) -> io::Result<bool> {
    let mut file = io::BufReader::new(File::open(path)?);
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    if head != *b"\x89PNG\r\n\x1a\n" {
        return Ok(false);
    }
    loop {
        file.read_exact(&mut head)?;
        match &head[4..] {
            b"acTL" => return Ok(true),
            b"IDAT" | b"IEND" => return Ok(false),
            // Skips the data and the checksum.
            _ => {
                let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
                file.seek_relative(i64::from(size) + 4)?;
            }
        }
    }
}
