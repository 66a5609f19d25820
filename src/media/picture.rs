//! Pictures in files: PNG, JPEG, WebP, TIFF, BMP, EXR.

use std::io::Cursor;

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use super::{Model, Pixels, Samples};

/// Decodes a picture, upright as its EXIF orientation says. The format is told by content: a JPEG named .png is still
/// a JPEG.
///
/// # Errors
/// An unknown format, or damaged data.
pub fn decode(bytes: &[u8]) -> Result<Pixels, ImageError> {
    read(bytes).map(|(pixels, _)| pixels)
}

/// Like [`decode`], with what the file's samples are like.
///
/// Float pictures (EXR, some TIFF) hold linear light, without bounds: they are clamped to 0..=1 and given the curve of
/// sRGB.
///
/// # Errors
/// An unknown format, or damaged data.
pub fn read(bytes: &[u8]) -> Result<(Pixels, Samples), ImageError> {
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let color = picture.color();
    let samples = Samples {
        model: if color.has_color() { Model::Rgb } else { Model::Grey },
        depth: 8 * (color.bytes_per_pixel() / color.channel_count()),
        chroma: (0, 0),
        alpha: color.has_alpha(),
    };
    Ok((pixels(&picture, samples), samples))
}

/// Exact for 8 and 16 bits a channel.
fn pixels(picture: &DynamicImage, samples: Samples) -> Pixels {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let plane = width * height;
    let mut pixels = Pixels::black(width, height);
    let mut alpha = vec![1.0; plane];
    let mut put = |i: usize, rgba: [f32; 4]| {
        for (channel, &value) in rgba[..3].iter().enumerate() {
            pixels.rgb[channel * plane + i] = value;
        }
        alpha[i] = rgba[3];
    };
    match samples.depth {
        8 => {
            for (i, pixel) in picture.to_rgba8().pixels().enumerate() {
                put(i, pixel.0.map(|value| f32::from(value) / 255.0));
            }
        }
        16 => {
            for (i, pixel) in picture.to_rgba16().pixels().enumerate() {
                put(i, pixel.0.map(|value| f32::from(value) / 65535.0));
            }
        }
        _ => {
            for (i, pixel) in picture.to_rgba32f().pixels().enumerate() {
                let [r, g, b, a] = pixel.0;
                put(i, [encoded(r), encoded(g), encoded(b), unit(a)]);
            }
        }
    }
    pixels.alpha = samples.alpha.then_some(alpha);
    pixels
}

/// Linear light with the curve of sRGB.
fn encoded(linear: f32) -> f32 {
    let linear = unit(linear);
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// In 0..=1; what is no number becomes 0.
fn unit(value: f32) -> f32 {
    if value > 0.0 { value.min(1.0) } else { 0.0 }
}
