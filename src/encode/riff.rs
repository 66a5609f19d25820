//! Patches the frames of an animated WebP file.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use crate::containers::riff::{Chunks, FIRST};
use crate::containers::take;

/// Frame flag "no blending": the frame replaces the canvas below it.
const REPLACES: u8 = 0b10;

/// Makes every frame replace the previous one, transparent pixels included; FFmpeg's muxer would blend them.
/// Returns the duration of each frame in milliseconds, none if the file is not an animation.
pub(super) fn make_frames_replace(path: &Path) -> io::Result<Vec<u64>> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut chunks = Chunks::new(&mut file, FIRST)?;
    let mut durations = Vec::new();
    while let Some(chunk) = chunks.next().transpose()? {
        if &chunk.name == b"ANMF" {
            // 12 bytes of position and size, 3 bytes of duration, 1 byte of flags.
            let frame: [u8; 16] = take(chunks.source())?;
            durations.push(u64::from(u32::from_le_bytes([frame[12], frame[13], frame[14], 0])));
            chunks.source().seek(SeekFrom::Start(chunk.body() + 15))?;
            chunks.source().write_all(&[frame[15] | REPLACES])?;
        }
    }
    Ok(durations)
}
