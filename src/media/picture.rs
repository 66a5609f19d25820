//! Pictures in files: PNG, JPEG, WebP, TIFF, BMP, EXR.

use std::io::Cursor;
use std::path::Path;

use image::error::{LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use super::{Model, Pixels, Samples};
use crate::settings::InputSettings;

/// The largest picture that is decoded: a file of some kilobytes can hold one that fills the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub pixels: u64,
    /// Of the longer side, in pixels.
    pub side: u64,
}

impl Bounds {
    pub fn of(settings: &InputSettings) -> Self {
        Self { pixels: settings.max_pixels, side: settings.max_side }
    }

    fn check(self, (width, height): (u32, u32)) -> Result<(), ImageError> {
        let (width, height) = (u64::from(width), u64::from(height));
        if width.max(height) <= self.side && width * height <= self.pixels {
            return Ok(());
        }
        Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)))
    }

    /// What a decoder may take: 16 bytes a pixel, and some room to work in.
    fn limits(self) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.pixels.saturating_mul(16).saturating_add(64 << 20));
        limits
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self::of(&InputSettings::default())
    }
}

/// Decodes a picture, upright as its EXIF orientation says. The format is told by content: a JPEG named .png is still
/// a JPEG.
///
/// # Errors
/// An unknown format, damaged data, or a picture beyond the bounds that hold unless told otherwise.
pub fn decode(bytes: &[u8]) -> Result<Pixels, ImageError> {
    read(bytes, Bounds::default()).map(|(pixels, _)| pixels)
}

/// Like [`decode`], with what the file's samples are like.
///
/// Float pictures (EXR, some TIFF) hold linear light, without bounds: they are clamped to 0..=1 and given the curve of
/// sRGB.
///
/// # Errors
/// An unknown format, damaged data, or a picture beyond `bounds`.
pub fn read(bytes: &[u8], bounds: Bounds) -> Result<(Pixels, Samples), ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    reader.limits(bounds.limits());
    let mut decoder = reader.into_decoder()?;
    bounds.check(decoder.dimensions())?;
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

/// Width and height of the picture in a file as it stands upright, from its header alone.
///
/// # Errors
/// When the file cannot be read, or is no picture.
pub fn size(path: &Path) -> Result<(usize, usize), ImageError> {
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let turned = matches!(
        decoder.orientation()?,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let (width, height) = if turned { (height, width) } else { (width, height) };
    Ok((width as usize, height as usize))
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
