//! Reads still pictures from files: PNG, JPEG, WebP, TIFF, BMP and EXR; AVIF and other formats by way of FFmpeg.

mod by_ffmpeg;
mod exr;
mod gamma;
mod holes;
mod inks;
mod lab;
mod profile;

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::error::{LimitError, LimitErrorKind};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageReader};

use super::{Model, Pixels, Samples};

pub use holes::without_holes;

/// Limits for the size of a decoded picture: a file of a few kilobytes can hold one that fills the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    pub pixels: u64,
    /// Limit for the longer side, in pixels.
    pub side: u64,
}

impl Bounds {
    fn check(self, (width, height): (u32, u32)) -> Result<(), ImageError> {
        let (width, height) = (u64::from(width), u64::from(height));
        if width.max(height) <= self.side && width * height <= self.pixels {
            return Ok(());
        }
        Err(ImageError::Limits(LimitError::from_kind(LimitErrorKind::DimensionError)))
    }

    /// Returns the memory limit of a decoder: 16 bytes per pixel plus working space.
    fn limits(self) -> image::Limits {
        let mut limits = image::Limits::default();
        limits.max_alloc = Some(self.pixels.saturating_mul(16).saturating_add(64 << 20));
        limits
    }
}

impl Default for Bounds {
    fn default() -> Self {
        // 16384 x 8192: four times 8K.
        Self { pixels: 1 << 27, side: 1 << 15 }
    }
}

/// Decodes a picture and turns it upright by its EXIF orientation. The content determines the format: a JPEG named .png
/// is still a JPEG.
///
/// # Errors
/// If the format is unknown, the data are damaged, or the picture exceeds the default bounds.
pub fn decode(bytes: &[u8]) -> Result<Pixels, ImageError> {
    read(bytes, Bounds::default()).map(|(pixels, _)| pixels)
}

/// Like [`decode`], and also returns the sample format of the file.
///
/// # Errors
/// If the format is unknown, the data are damaged, or the picture exceeds `bounds`.
pub fn read(bytes: &[u8], bounds: Bounds) -> Result<(Pixels, Samples), ImageError> {
    look(bytes, bounds).map(|found| (found.pixels, found.samples))
}

/// A decoded picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub pixels: Pixels,
    /// Sample format of the file.
    pub samples: Samples,
    /// How its colours were converted, one line each, where the user should know.
    pub notes: Vec<String>,
    /// What was guessed or not read, one line each.
    pub warnings: Vec<String>,
}

/// Like [`read`], and also returns notes and warnings for the user. Colours are converted to sRGB: by the file's
/// profile or gamma if it has one, by fixed rules for CMYK and Lab.
///
/// Float pictures (EXR, some TIFF) hold unbounded linear light: they are clamped to 0..=1 and given the sRGB curve.
///
/// # Errors
/// As for [`read`].
pub fn look(bytes: &[u8], bounds: Bounds) -> Result<Found, ImageError> {
    if by_ffmpeg::is_for(bytes) {
        return by_ffmpeg::read(bytes, bounds);
    }
    if let Some(found) = inks::read(bytes, bounds).or_else(|| lab::read(bytes, bounds)) {
        return found;
    }
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    if reader.format().is_none() {
        return by_ffmpeg::read(bytes, bounds);
    }
    exr::check(bytes, bounds)?;
    reader.limits(bounds.limits());
    let mut decoder = reader.into_decoder()?;
    bounds.check(decoder.dimensions())?;
    let orientation = decoder.orientation()?;
    let profile = decoder.icc_profile().ok().flatten();
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    let color = picture.color();
    let samples = Samples {
        model: if color.has_color() { Model::Rgb } else { Model::Grey },
        depth: 8 * (color.bytes_per_pixel() / color.channel_count()),
        chroma: (0, 0),
        alpha: color.has_alpha(),
    };
    let mut pixels = pixels(&picture, samples);
    let (mut notes, mut warnings) = (Vec::new(), Vec::new());
    // Floats are linear light, whatever profile or gamma the file states.
    if samples.depth <= 16 {
        match profile.map(|profile| profile::apply(&mut pixels, &profile, samples.model)) {
            Some(Ok(note)) => notes.extend(note),
            Some(Err(why)) => {
                let what = "its colours are taken for those of sRGB";
                warnings.push(format!("its colour profile is not used ({why}): {what}"));
            }
            None => notes.extend(gamma::apply(&mut pixels, bytes)),
        }
    }
    Ok(Found { pixels, samples, notes, warnings })
}

/// Returns whether a file begins like a single picture, of a format that is decoded here or one that is left to FFmpeg.
pub fn is_still(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut head));
    let regular = std::fs::metadata(path).is_ok_and(|found| found.is_file());
    let begins = |bytes: &[u8]| head.starts_with(bytes);
    let known = begins(b"\x89PNG\r\n\x1a\n")
        || begins(b"\xff\xd8\xff")
        || (begins(b"RIFF") && head.get(8..12) == Some(b"WEBP"))
        || begins(b"II*\0")
        || begins(b"MM\0*")
        || begins(b"v/1\x01");
    regular && read.is_ok() && (known || by_ffmpeg::is_for(&head))
}

/// Returns width and height of the upright picture in a file, from its header alone (AVIF and HEIC are decoded).
///
/// # Errors
/// If the file cannot be read or is not a picture.
pub fn size(path: &Path) -> Result<(usize, usize), ImageError> {
    let mut head = Vec::new();
    File::open(path)?.take(64).read_to_end(&mut head)?;
    if by_ffmpeg::is_for(&head) {
        let found = look(&std::fs::read(path)?, Bounds::default())?;
        return Ok((found.pixels.width, found.pixels.height));
    }
    let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
    let (width, height) = decoder.dimensions();
    let turned = matches!(
        decoder.orientation()?,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let (width, height) = if turned { (height, width) } else { (width, height) };
    Ok((width as usize, height as usize))
}

/// Converts a decoded picture; exact for 8 and 16 bits per channel.
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

/// Turns a picture upright by `orientation`.
fn turned(pixels: Pixels, orientation: Orientation) -> Pixels {
    if orientation == Orientation::NoTransforms {
        return pixels;
    }
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    let plane = pixels.width * pixels.height;
    let at = |x: u32, y: u32| y as usize * pixels.width + x as usize;
    let rgba = image::Rgba32FImage::from_fn(width, height, |x, y| {
        let alpha = pixels.alpha.as_ref().map_or(1.0, |alpha| alpha[at(x, y)]);
        image::Rgba([pixels.rgb[at(x, y)], pixels.rgb[plane + at(x, y)], pixels.rgb[2 * plane + at(x, y)], alpha])
    });
    let mut picture = DynamicImage::ImageRgba32F(rgba);
    picture.apply_orientation(orientation);
    let rgba = picture.into_rgba32f();
    let mut turned = Pixels::black(rgba.width() as usize, rgba.height() as usize);
    let mut alpha = vec![1.0; plane];
    for (place, pixel) in rgba.pixels().enumerate() {
        for channel in 0..3 {
            turned.rgb[channel * plane + place] = pixel.0[channel];
        }
        alpha[place] = pixel.0[3];
    }
    turned.alpha = pixels.alpha.is_some().then_some(alpha);
    turned
}

/// Applies the sRGB curve to linear light.
fn encoded(linear: f32) -> f32 {
    let linear = unit(linear);
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// Clamps to 0..=1; NaN becomes 0.
fn unit(value: f32) -> f32 {
    if value > 0.0 { value.min(1.0) } else { 0.0 }
}
