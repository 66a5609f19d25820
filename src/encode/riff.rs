//! Patches the frames of an animated WebP file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Frame flag "no blending": the frame replaces the canvas below it.
const REPLACES: u8 = 0b10;

/// Makes every frame replace the previous one, transparent pixels included; FFmpeg's muxer would blend them.
/// Returns the duration of each frame in milliseconds, none if the file is not an animation.
pub(super) fn make_frames_replace(path: &Path) -> io::Result<Vec<u64>> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let end = file.metadata()?.len();
    let mut durations = Vec::new();
    // After `RIFF`, the size and `WEBP`.
    let mut at = 12;
    while at + 8 <= end {
        let mut header = [0; 8];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut header)?;
        let size = u64::from(u32::from_le_bytes([header[4], header[5], header[6], header[7]]));
        if &header[..4] == b"ANMF" {
            // 12 bytes of position and size, 3 bytes of duration, 1 byte of flags.
            let mut frame = [0; 16];
            file.read_exact(&mut frame)?;
            durations.push(u64::from(u32::from_le_bytes([frame[12], frame[13], frame[14], 0])));
            file.seek(SeekFrom::Start(at + 8 + 15))?;
            file.write_all(&[frame[15] | REPLACES])?;
        }
        at += 8 + size + size % 2;
    }
    Ok(durations)
}
