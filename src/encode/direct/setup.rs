//! Pixel format, colours and options of an output that is written directly.

use std::path::Path;

use ffmpeg_next::color::Space;
use ffmpeg_next::encoder;
use ffmpeg_next::format::Pixel;

use super::super::codec::{Animation, Family, Options, Raw, Setup, alpha_lost, fit};
use super::super::{EncodeError, video_only};
use super::format::DirectFormat;
use crate::media::{ColorInfo, MediaInfo, Model, Samples, ffi};
use crate::settings::OutputSettings;

/// Chooses pixel format and options. Also returns whether alpha is kept, and the warnings.
pub(super) fn setup(
    path: &Path,
    way: DirectFormat,
    info: &MediaInfo,
    settings: &OutputSettings,
) -> Result<(Setup, bool, Vec<String>), EncodeError> {
    let encoder = way.encoder();
    let (name, family) = (encoder.name, encoder.family);
    if settings.codec != "auto" && settings.codec != name {
        let codec = settings.codec.clone();
        return Err(EncodeError::UnknownCodec { path: path.into(), codec, valid: "auto".into() });
    }
    let no_encoder = || EncodeError::NoEncoder { path: path.into(), encoder: name.into() };
    let codec = encoder::find_by_name(name).ok_or_else(no_encoder)?;
    let formats = way.formats(codec);
    let lossless = settings.encoder_options.iter().any(|option| option == "lossless=1");
    let want = match (way, info.samples.model) {
        (DirectFormat::Raw(Raw::Nut), Model::Rgb) => info.samples,
        (DirectFormat::Animation(Animation::WebP), _) if lossless => {
            Samples { alpha: info.samples.alpha, ..Samples::RGB8 }
        }
        _ => fit::wanted(info.samples, family, info.samples.alpha),
    };
    let refused = || EncodeError::PixFmt {
        path: path.into(),
        encoder: name.into(),
        format: settings.pix_fmt.clone(),
        valid: formats.iter().map(|&format| ffi::pixel_format_name(format)).collect::<Vec<_>>().join(", "),
    };
    let format = match settings.pix_fmt.as_str() {
        "auto" if way == DirectFormat::Animation(Animation::Gif) => Pixel::PAL8,
        "auto" => fit::best(&formats, want).ok_or_else(refused)?.0,
        asked => formats.iter().copied().find(|&format| ffi::pixel_format_name(format) == asked).ok_or_else(refused)?,
    };
    let mut held = ffi::samples_of(format);
    held.alpha &= info.samples.alpha;
    let source = info.color.written(info.samples.model);
    let color = match (family, held.model) {
        (_, Model::Rgb) => ColorInfo { matrix: Space::RGB, full_range: true, ..source },
        // WebP decoders assume this matrix and limited range.
        (Family::WebP, _) => ColorInfo { matrix: Space::SMPTE170M, full_range: false, ..source },
        _ => ColorInfo { full_range: false, ..source },
    };
    let options = Options::new(path, encoder, held, settings)?;
    let warnings = warnings(path, way, info, held, settings)?;
    let coded = (info.width, info.height);
    Ok((Setup { encoder, codec, format, color, coded, options }, held.alpha, warnings))
}

/// Lists what is left out, one line each.
fn warnings(
    path: &Path,
    way: DirectFormat,
    info: &MediaInfo,
    held: Samples,
    settings: &OutputSettings,
) -> Result<Vec<String>, EncodeError> {
    let mut lines = Vec::new();
    if info.samples.alpha && !held.alpha {
        if settings.strict_streams {
            return Err(EncodeError::Alpha { path: path.into() });
        }
        lines.push(alpha_lost());
    }
    let format = match way {
        DirectFormat::Animation(Animation::Gif) => "GIF",
        DirectFormat::Animation(Animation::Apng) => "APNG",
        DirectFormat::Animation(Animation::WebP) => "WebP",
        DirectFormat::Raw(_) => "raw video",
    };
    lines.extend(video_only::left_out(path, format, info, settings.strict_streams)?);
    Ok(lines)
}
