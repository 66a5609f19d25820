//! Writes frames as picture files: one picture, or a sequence.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::part::{Part, Piece, Shown};
use super::{EncodeError, Encoded, FrameSink, video_only};
use crate::files;
use crate::label;
use crate::media::{Frame, MediaInfo, Names, Pixels, to_u8};
use crate::settings::{Crf, OutputSettings};

/// Quality of JPEG files, 1..=100; without visible loss.
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

/// Whether PNG files get 16 bits per channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Deep(bool);

impl Deep {
    /// Checks the settings for a picture and chooses the depth: that of the source, or the requested one (`rgb24`,
    /// `rgba`, `rgb48`, `rgba64`). Whether there is alpha depends on each picture.
    fn of(path: &Path, info: &MediaInfo, settings: &OutputSettings) -> Result<Self, EncodeError> {
        let refused = |encoder: &str, valid: &str| EncodeError::PixFmt {
            path: path.into(),
            encoder: encoder.into(),
            format: settings.pix_fmt.clone(),
            valid: valid.into(),
        };
        let kind = Kind::of(path)?;
        Self::no_codec(path, kind, settings)?;
        // Only strict streams refuse alpha at once: the frames of a GIF always have alpha and seldom use it.
        if kind == Kind::Jpeg && settings.strict_streams && info.samples.alpha {
            return Err(EncodeError::PictureAlpha { path: path.into() });
        }
        match settings.pix_fmt.trim_end_matches("be").trim_end_matches("le") {
            "auto" => Ok(Self(info.samples.depth > 8)),
            "rgb24" | "rgba" => Ok(Self(false)),
            "rgb48" | "rgba64" if kind == Kind::Png => Ok(Self(true)),
            _ if kind == Kind::Png => Err(refused("PNG", "rgb24, rgba, rgb48, rgba64 (alpha where the source has it)")),
            _ => Err(refused("this kind of picture", "rgb24 (rgba for WebP where the source has alpha)")),
        }
    }

    /// Refuses settings that choose a codec, format or quality: pictures have none to choose.
    fn no_codec(path: &Path, kind: Kind, settings: &OutputSettings) -> Result<(), EncodeError> {
        let kind = match kind {
            Kind::Png => "PNG",
            Kind::Jpeg => "JPEG",
            Kind::WebP => "WebP",
        };
        if settings.codec != "auto" {
            let codec = settings.codec.clone();
            return Err(EncodeError::UnknownCodec { path: path.into(), codec, valid: "auto".into() });
        }
        if !settings.format.is_empty() {
            let format = settings.format.clone();
            return Err(EncodeError::PictureFormat { path: path.into(), format, valid: "the name's extension" });
        }
        if settings.crf != Crf::Auto {
            return Err(EncodeError::NoCrf { path: path.into(), encoder: kind, instead: "no setting of quality" });
        }
        match settings.encoder_options.first() {
            Some(option) => Err(EncodeError::PictureOption { path: path.into(), option: option.clone() }),
            None => Ok(()),
        }
    }
}

/// A sink that writes exactly one frame.
pub(super) struct PictureSink {
    path: PathBuf,
    deep: Deep,
    label: Option<String>,
    frames: u64,
    transparent: bool,
}

impl PictureSink {
    /// `label` is the text to embed in the picture.
    pub fn open(
        path: &Path,
        info: &MediaInfo,
        settings: &OutputSettings,
        label: Option<&str>,
    ) -> Result<Self, EncodeError> {
        let (deep, label) = (Deep::of(path, info, settings)?, label.map(str::to_owned));
        Ok(Self { path: path.into(), deep, label, frames: 0, transparent: false })
    }
}

impl FrameSink for PictureSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        if self.frames > 0 {
            return Err(EncodeError::OnePicture { path: self.path.clone() });
        }
        self.transparent |= write(&self.path, &frame.pixels, self.deep, self.label.as_deref())?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        match self.frames {
            0 => Err(EncodeError::NoFrame { path: self.path }),
            frames => Ok(Encoded { frames, warnings: warnings(self.transparent) }),
        }
    }
}

/// A sink that writes each frame to its own file.
pub(super) struct SequenceSink {
    folder: PathBuf,
    names: Names,
    /// Number of the first frame in the source.
    first: u64,
    deep: Deep,
    transparent: bool,
    warnings: Vec<String>,
    /// The folder that holds `folder`.
    work: PathBuf,
    frames: u64,
    /// Frames written since the last seal.
    fresh: Vec<(PathBuf, Shown)>,
    label: Option<String>,
}

impl SequenceSink {
    pub fn open(
        folder: &Path,
        names: &Names,
        info: &MediaInfo,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let listed = match names {
            Names::Listed(names) => names.as_slice(),
            Names::Numbered(name) => &[name.with(0)],
        };
        let mut deep = Deep(false);
        for name in listed {
            deep = Deep::of(&folder.join(name), info, settings)?;
        }
        let left_out = video_only::left_out(folder, "a sequence", info, settings.strict_streams)?;
        std::fs::create_dir_all(folder).map_err(|source| EncodeError::io(folder, source))?;
        Ok(Self {
            folder: folder.into(),
            names: names.clone(),
            first: info.first,
            deep,
            transparent: false,
            warnings: left_out.into_iter().collect(),
            work: PathBuf::new(),
            frames: 0,
            fresh: Vec::new(),
            label: None,
        })
    }

    /// Sets the text to embed in each picture.
    pub fn labelled(self, label: Option<&str>) -> Self {
        Self { label: label.map(str::to_owned), ..self }
    }

    /// Sets the folder that the names in parts are relative to.
    pub fn in_work(self, work: &Path) -> Self {
        Self { work: work.into(), ..self }
    }

    /// Continues after the pictures of a previous run.
    pub fn with(mut self, parts: &[Part]) -> Self {
        self.frames = parts.iter().map(Part::frames).sum();
        self.transparent = parts.iter().any(|part| part.transparent);
        self
    }
}

impl FrameSink for SequenceSink {
    fn push(&mut self, frame: Frame) -> Result<(), EncodeError> {
        let index = self.first + frame.index;
        let name = self.names.of(index);
        let name = name.ok_or_else(|| EncodeError::NoName { folder: self.folder.clone(), index })?;
        let path = self.folder.join(name);
        self.transparent |= write(&path, &frame.pixels, self.deep, self.label.as_deref())?;
        self.frames += 1;
        self.fresh.push((path, frame.timing.into()));
        Ok(())
    }

    fn seal(&mut self) -> Result<Option<Part>, EncodeError> {
        if self.fresh.is_empty() {
            return Ok(None);
        }
        let (paths, shown): (Vec<_>, Vec<_>) = std::mem::take(&mut self.fresh).into_iter().unzip();
        let files = paths.iter().map(|path| Piece::secure(&self.work, path)).collect::<Result<_, _>>()?;
        files::sync_folder(&self.folder).map_err(|source| EncodeError::io(&self.folder, source))?;
        Ok(Some(Part { files, shown, transparent: self.transparent }))
    }

    fn finish(self: Box<Self>) -> Result<Encoded, EncodeError> {
        match self.frames {
            0 => Err(EncodeError::NoFrame { path: self.folder }),
            frames => Ok(Encoded { frames, warnings: warnings(self.transparent) }),
        }
    }

    fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Returns the warning for pictures that lost their transparency.
fn warnings(transparent: bool) -> Vec<String> {
    let line = "transparency is lost, shown over white: .png and .webp keep it";
    if transparent { vec![line.into()] } else { Vec::new() }
}

/// Writes a picture and returns whether transparency was lost. PNG and WebP (lossless) keep it; JPEG shows it over
/// white. Only PNG has 16 bits per channel.
fn write(path: &Path, pixels: &Pixels, deep: Deep, label: Option<&str>) -> Result<bool, EncodeError> {
    let io = |source| EncodeError::io(path, source);
    let kind = Kind::of(path)?;
    let (bytes, color) = match &pixels.alpha {
        _ if kind == Kind::Png && deep.0 => samples16(pixels),
        Some(alpha) if kind != Kind::Jpeg => (with_alpha(pixels, alpha), ExtendedColorType::Rgba8),
        Some(alpha) => (over_white(pixels, alpha).to_rgb8(), ExtendedColorType::Rgb8),
        None => (pixels.to_rgb8(), ExtendedColorType::Rgb8),
    };
    let (width, height) = (pixels.width as u32, pixels.height as u32);
    let mut file = Cursor::new(Vec::new());
    let written = match kind {
        Kind::Png => PngEncoder::new(&mut file).write_image(&bytes, width, height, color),
        Kind::Jpeg => JpegEncoder::new_with_quality(&mut file, JPEG_QUALITY).write_image(&bytes, width, height, color),
        Kind::WebP => WebPEncoder::new_lossless(&mut file).write_image(&bytes, width, height, color),
    };
    written.map_err(|error| match error {
        image::ImageError::IoError(source) => io(source),
        source => EncodeError::Picture { path: path.into(), source },
    })?;
    let picture = file.into_inner();
    let picture = match label {
        Some(label) => label::in_picture(picture, label).map_err(io)?,
        None => picture,
    };
    std::fs::write(path, picture).map_err(io)?;
    let size = image::image_dimensions(path);
    if size.as_ref().ok() != Some(&(width, height)) {
        return Err(EncodeError::Verify { path: path.into(), what: "it cannot be read back".into() });
    }
    let seen_through = |alpha: &Vec<f32>| alpha.iter().any(|&alpha| alpha < 1.0);
    Ok(kind == Kind::Jpeg && pixels.alpha.as_ref().is_some_and(seen_through))
}

/// Returns interleaved 16-bit samples in the native byte order, as the PNG encoder takes them.
fn samples16(pixels: &Pixels) -> (Vec<u8>, ExtendedColorType) {
    let plane = pixels.width * pixels.height;
    let color = if pixels.alpha.is_some() { ExtendedColorType::Rgba16 } else { ExtendedColorType::Rgb16 };
    let planes = pixels.rgb.chunks_exact(plane).chain(pixels.alpha.as_deref());
    let planes: Vec<&[f32]> = planes.collect();
    let mut bytes = vec![0; 2 * plane * planes.len()];
    for (i, pixel) in bytes.chunks_exact_mut(2 * planes.len()).enumerate() {
        for (sample, plane) in pixel.chunks_exact_mut(2).zip(&planes) {
            // `as` saturates and maps NaN to 0.
            sample.copy_from_slice(&((plane[i] * 65535.0).round() as u16).to_ne_bytes());
        }
    }
    (bytes, color)
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
