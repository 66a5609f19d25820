//! Checks an EXR beyond its display window: its data window may be larger, and so may a block of pixels.

use std::io::Cursor;

use exr::meta::{BlockDescription, MetaData, magic_number};
use image::ImageError;
use image::error::{LimitError, LimitErrorKind};

use super::Bounds;

/// Checks that a picture may be decoded; bytes that are not an EXR pass. `image` looks at the display window only, but
/// allocates whole rows of the data window.
///
/// # Errors
/// If the data window exceeds `bounds`, or a block of pixels needs more memory than a decoder may use.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(), ImageError> {
    if !bytes.starts_with(&magic_number::BYTES) {
        return Ok(());
    }
    // An unreadable header is left to the decoder, which reports the reason.
    let Ok(found) = MetaData::read_from_buffered(Cursor::new(bytes), false) else { return Ok(()) };
    let most = bounds.limits().max_alloc.unwrap_or(u64::MAX);
    for header in &found.headers {
        let side = |length| u32::try_from(length).unwrap_or(u32::MAX);
        bounds.check((side(header.layer_size.width()), side(header.layer_size.height())))?;
        let size = header.layer_size;
        let block = match header.blocks {
            BlockDescription::Tiles(tiles) => {
                tiles.tile_size.width().min(size.width()) * tiles.tile_size.height().min(size.height())
            }
            BlockDescription::ScanLines => header.compression.scan_lines_per_block().min(size.height()) * size.width(),
        };
        if block.saturating_mul(header.channels.bytes_per_pixel) as u64 > most {
            return Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::InsufficientMemory)));
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use image::{DynamicImage, ImageFormat, Rgb32FImage};

    use super::*;
    use crate::media::picture;

    /// Returns an EXR of 8x6 pixels whose data window ends at `right` and `bottom`.
    fn with_data_window(right: i32, bottom: i32) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        DynamicImage::from(Rgb32FImage::new(8, 6)).write_to(&mut file, ImageFormat::OpenExr).unwrap();
        let mut bytes = file.into_inner();
        let name = b"dataWindow\0box2i\0\x10\0\0\0";
        let at = bytes.windows(name.len()).position(|part| part == name).unwrap() + name.len();
        bytes[at + 8..at + 12].copy_from_slice(&right.to_le_bytes());
        bytes[at + 12..at + 16].copy_from_slice(&bottom.to_le_bytes());
        bytes
    }

    #[test]
    fn a_data_window_far_beyond_the_picture_is_refused_before_it_is_decoded() {
        let bounds = Bounds { pixels: 1 << 20, side: 1 << 12 };
        picture::read(&with_data_window(7, 5), bounds).unwrap();
        for (right, bottom) in [(1 << 29, 5), (7, 1 << 29), (2000, 2000)] {
            let read = picture::read(&with_data_window(right, bottom), bounds);
            assert!(matches!(read, Err(ImageError::Limits(_))), "{right}, {bottom}: {read:?}");
        }
    }
}
