//! Interprets the colour tags of a decoded frame.

use ffmpeg_next::color::{Range, Space};
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame;

use crate::media::{ColorInfo, Model, ffi};

/// Returns the colours of a decoded frame, with missing tags filled in. RGB has the matrix `RGB` and full range.
pub(super) fn color_of(frame: &frame::Video) -> ColorInfo {
    let rgb = ffi::samples_of(frame.format()).model == Model::Rgb;
    let range = match frame.color_range() {
        _ if rgb => Range::JPEG,
        // Grey comes from still-picture codecs, which always use full range and do not tag it.
        Range::Unspecified if is_grey(frame.format()) => Range::JPEG,
        // The old "JPEG" formats imply full range.
        _ if ffi::pixel_format_name(frame.format()).starts_with("yuvj") => Range::JPEG,
        tagged => tagged,
    };
    let matrix = match frame.color_space() {
        _ if rgb => Space::RGB,
        // A filter has made YUV from RGB, with FFmpeg's default matrix.
        Space::RGB => Space::SMPTE170M,
        tagged => tagged,
    };
    let color = ColorInfo::resolve(
        frame.width(),
        frame.height(),
        matrix,
        range,
        frame.color_primaries(),
        frame.color_transfer_characteristic(),
    );
    ColorInfo { siting: frame.chroma_location(), ..color }
}

/// Whether a format has luma only, with or without alpha.
pub(super) fn is_grey(format: Pixel) -> bool {
    let name = ffi::pixel_format_name(format);
    ["gray", "ya8", "ya16", "mono"].iter().any(|grey| name.starts_with(grey))
}

/// Whether a frame of packed 8-bit RGB with alpha in the last byte, or of a palette, has a transparent pixel.
pub(super) fn is_transparent(frame: &frame::Video) -> bool {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let name = ffi::pixel_format_name(frame.format());
    match name {
        "bgra" | "rgba" => (0..height).any(|y| {
            let row = ffi::row(frame, 0, y, 4 * width).unwrap_or_default();
            row.chunks_exact(4).any(|pixel| pixel[3] != 255)
        }),
        "pal8" => {
            let palette = ffi::palette(frame);
            let clear = |&entry: &u8| palette.get(usize::from(entry)).is_some_and(|argb| argb >> 24 != 255);
            (0..height).any(|y| ffi::row(frame, 0, y, width).unwrap_or_default().iter().any(clear))
        }
        _ => false,
    }
}
