//! Pictures in files: PNG, JPEG, WebP, TIFF, BMP, EXR; by way of FFmpeg AVIF and others.

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
use crate::settings::InputSettings;

pub use holes::without_holes;

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
/// # Errors
/// An unknown format, damaged data, or a picture beyond `bounds`.
pub fn read(bytes: &[u8], bounds: Bounds) -> Result<(Pixels, Samples), ImageError> {
    look(bytes, bounds).map(|found| (found.pixels, found.samples))
}

/// A picture that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub pixels: Pixels,
    /// What the file's samples are like.
    pub samples: Samples,
    /// How its colours were taken, one line each, where that is good to know.
    pub notes: Vec<String>,
    /// What of it is a guess or is not read.
    pub warnings: Vec<String>,
}

/// Like [`read`], with what is to be said about it. Colours become those of sRGB: by the file's profile or gamma where it
/// has one, by rule for inks (CMYK) and Lab.
///
/// Float pictures (EXR, some TIFF) hold linear light, without bounds: they are clamped to 0..=1 and given the curve of
/// sRGB.
///
/// # Errors
/// As there.
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
    // Floats are linear light, whatever is said beside them.
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

/// Whether a file begins like a single picture of a kind that is read without FFmpeg, or like one that FFmpeg has to read.
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

/// Width and height of the picture in a file as it stands upright, from its header alone.
///
/// # Errors
/// When the file cannot be read, or is no picture.
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

/// Upright, as `orientation` says.
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

/// Linear light with the curve of sRGB.
fn encoded(linear: f32) -> f32 {
    let linear = unit(linear);
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// In 0..=1; what is no number becomes 0.
fn unit(value: f32) -> f32 {
    if value > 0.0 { value.min(1.0) } else { 0.0 }
}
