//! Pictures in files: PNG, JPEG, WebP.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use super::Pixels;

/// Decodes a picture, upright as its EXIF orientation says. The format is told by content: a JPEG named .png is still
/// a JPEG.
///
/// # Errors
/// An unknown format, or damaged data.
pub fn decode(bytes: &[u8]) -> Result<Pixels, ImageError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(pixels(&picture))
}

/// Exact for 8 and 16 bits a channel.
fn pixels(picture: &DynamicImage) -> Pixels {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let plane = width * height;
    let color = picture.color();
    let mut pixels = Pixels::black(width, height);
    let mut alpha = vec![1.0; plane];
    let mut put = |i: usize, rgba: [f32; 4]| {
        for (channel, &value) in rgba[..3].iter().enumerate() {
            pixels.rgb[channel * plane + i] = value;
        }
        alpha[i] = rgba[3];
    };
    if color.bytes_per_pixel() > color.channel_count() {
        for (i, pixel) in picture.to_rgba16().pixels().enumerate() {
            put(i, pixel.0.map(|value| f32::from(value) / 65535.0));
        }
    } else {
        for (i, pixel) in picture.to_rgba8().pixels().enumerate() {
            put(i, pixel.0.map(|value| f32::from(value) / 255.0));
        }
    }
    pixels.alpha = color.has_alpha().then_some(alpha);
    pixels
}
