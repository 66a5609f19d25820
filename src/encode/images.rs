//! Frames as picture files.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::{EncodeError, Encoded, FrameSink};
use crate::media::{Frame, MediaInfo, Names, Pixels, to_u8};

/// Quality of JPEG files, 1..=100: without visible loss.
const JPEG_QUALITY: u8 = 95;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Png,
    Jpeg,
    WebP,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, EncodeError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("png") => Ok(Self::Png),
            Some("jpg" | "jpeg") => Ok(Self::Jpeg),
            Some("webp") => Ok(Self::WebP),
            _ => Err(EncodeError::PictureExtension { path: path.into() }),
        }
    }
}

/// Writes exactly one frame.
pub(super) struct PictureSink {
    path: PathBuf,
    frames: u64,
}

impl PictureSink {
    pub fn open(path: &Path) -> Result<Self, EncodeError> {
        Kind::of(path)?;
        Ok(Self { path: path.into(), frames: 0 })
    }
}

impl FrameSink for PictureSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        if self.frames > 0 {
            return Err(EncodeError::OnePicture { path: self.path.clone() });
        }
        write(&self.path, &frame.pixels)?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        match self.frames {
            0 => Err(EncodeError::NoFrame { path: self.path }),
            frames => Ok(Encoded { frames, warnings: Vec::new() }),
        }
    }
}

/// Writes each frame to a file of its own.
pub(super) struct SequenceSink {
    folder: PathBuf,
    names: Names,
    /// Number of the first frame in the source.
    first: u64,
    frames: u64,
}

impl SequenceSink {
    pub fn open(folder: &Path, names: &Names, info: &MediaInfo) -> Result<Self, EncodeError> {
        let listed = match names {
            Names::Listed(names) => names.as_slice(),
            Names::Numbered(name) => &[name.with(0)],
        };
        for name in listed {
            Kind::of(&folder.join(name))?;
        }
        std::fs::create_dir_all(folder).map_err(|source| EncodeError::io(folder, source))?;
        Ok(Self { folder: folder.into(), names: names.clone(), first: info.first, frames: 0 })
    }
}

impl FrameSink for SequenceSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let index = self.first + frame.index;
        let name = self.names.of(index);
        let name = name.ok_or_else(|| EncodeError::NoName { folder: self.folder.clone(), index })?;
        write(&self.folder.join(name), &frame.pixels)?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        match self.frames {
            0 => Err(EncodeError::NoFrame { path: self.folder }),
            frames => Ok(Encoded { frames, warnings: Vec::new() }),
        }
    }
}

/// Writes 8 bits a channel. PNG and WebP (lossless) keep transparency; JPEG has none and shows it over white.
fn write(path: &Path, pixels: &Pixels) -> Result<(), EncodeError> {
    let io = |source| EncodeError::io(path, source);
    let kind = Kind::of(path)?;
    let (bytes, color) = match &pixels.alpha {
        Some(alpha) if kind != Kind::Jpeg => (with_alpha(pixels, alpha), ExtendedColorType::Rgba8),
        Some(alpha) => (over_white(pixels, alpha).to_rgb8(), ExtendedColorType::Rgb8),
        None => (pixels.to_rgb8(), ExtendedColorType::Rgb8),
    };
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    let mut file = BufWriter::new(File::create(path).map_err(io)?);
    let written = match kind {
        Kind::Png => PngEncoder::new(&mut file).write_image(&bytes, width, height, color),
        Kind::Jpeg => JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(&bytes, width, height, color),
        Kind::WebP => WebPEncoder::new_lossless(&mut file).write_image(&bytes, width, height, color),
    };
    written.map_err(|error| match error {
        image::ImageError::IoError(source) => io(source),
        source => EncodeError::Picture { path: path.into(), source },
    })?;
    // The last bytes may be the ones that do not fit; closing a file hides such an error.
    file.flush().map_err(io)?;
    let size = image::image_dimensions(path);
    if size.as_ref().ok() != Some(&(width, height)) {
        return Err(EncodeError::Verify { path: path.into(), what: "it cannot be read back".into() });
    }
    Ok(())
}

fn with_alpha(pixels: &Pixels, alpha: &[f32]) -> Vec<u8> {
    let rgb = pixels.to_rgb8();
    rgb.chunks_exact(3).zip(alpha).flat_map(|(rgb, &alpha)| [rgb[0], rgb[1], rgb[2], to_u8(alpha)]).collect()
}

fn over_white(pixels: &Pixels, alpha: &[f32]) -> Pixels {
    let plane = pixels.width * pixels.height;
    let over = |(i, value): (usize, &f32)| 1.0 + alpha[i % plane] * (value - 1.0);
    Pixels { rgb: pixels.rgb.iter().enumerate().map(over).collect(), alpha: None, ..*pixels }
}
