//! The bounds of an EXR beyond its frame: its pixels may reach further (the data window), as may a block of them.

use std::io::Cursor;

use exr::meta::{BlockDescription, MetaData, magic_number};
use image::ImageError;
use image::error::{LimitError, LimitErrorKind};

use super::Bounds;

/// Whether the picture may be decoded; true of bytes that are no EXR. `image` knows the display window only, and makes
/// room for whole rows of the data window.
///
/// # Errors
/// A data window beyond `bounds`, or a block of pixels larger than a decoder may take.
pub(super) fn check(bytes: &[u8], bounds: Bounds) -> Result<(), ImageError> {
    if !bytes.starts_with(&magic_number::BYTES) {
        return Ok(());
    }
    // What cannot be read is left to the decoder, which says why.
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

    /// An EXR of 8x6 pixels whose data window ends at `right` and `bottom`.
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
