//! Chooses the encoder, pixel format and colours of a video output.

use std::path::Path;

use ffmpeg_next::color::Space;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{Codec, encoder};

use super::super::EncodeError;
use super::super::error::KEEP_ALPHA;
use super::family::Family;
use super::fit::{self, Loss};
use super::open::{Coder, Setup};
use super::quality::Options;
use super::registry::{CONTAINERS, Container, Encoder, Runs, Wish, encoders};
use crate::media::{ColorInfo, MediaInfo, Model, Samples, ffi};
use crate::settings::OutputSettings;

/// An encoder that opened, and its setup.
pub(in crate::encode) struct Chosen {
    pub setup: Setup,
    /// The open encoder.
    pub coder: Coder,
    pub family: Family,
    /// What the output loses of the source, one line each.
    pub warnings: Vec<String>,
}

/// Chooses an encoder for an output in `container` and opens it.
///
/// # Errors
/// If the settings do not go together; the error lists values that do. If no encoder opens.
pub(in crate::encode) fn choose(
    path: &Path,
    container: Container,
    info: &MediaInfo,
    settings: &OutputSettings,
) -> Result<Chosen, EncodeError> {
    let unknown = || EncodeError::UnknownCodec {
        path: path.into(),
        codec: settings.codec.clone(),
        valid: Wish::valid(container.families),
    };
    let wish = Wish::parse(&settings.codec).ok_or_else(unknown)?;
    let family = match wish {
        Wish::Auto => automatic(container, info),
        Wish::Family(family) | Wish::Hardware(family) => family,
        Wish::Encoder(encoder) => encoder.family,
    };
    if !container.families.contains(&family) {
        return Err(does_not_hold(path, container, settings, family));
    }
    let choice = Choice { path, container, info, settings, family };
    let mut warnings = Vec::new();
    let found = match wish {
        Wish::Hardware(_) => choice.hardware(encoders(family, Runs::Hardware).collect(), &mut warnings)?,
        Wish::Encoder(encoder) if encoder.runs == Runs::Hardware => choice.hardware(vec![encoder], &mut warnings)?,
        Wish::Auto | Wish::Family(_) => choice.software(encoders(family, Runs::Software).collect())?,
        Wish::Encoder(encoder) => choice.software(vec![encoder])?,
    };
    let coder = match found.open(path, info) {
        Err(EncodeError::Refused { source, .. }) if wish == Wish::Auto && settings.pix_fmt == "auto" => {
            return other(&choice, found.encoder.name, source);
        }
        opened => opened?,
    };
    warnings.extend(choice.losses(&found)?);
    Ok(Chosen { coder, setup: found, family, warnings })
}

/// Falls back to the first other family of the container that takes the pictures, if the automatic choice does not.
fn other(choice: &Choice<'_>, refused: &str, why: ffmpeg_next::Error) -> Result<Chosen, EncodeError> {
    for &family in choice.container.families.iter().filter(|&&family| family != choice.family) {
        let choice = Choice { family, ..*choice };
        let Ok(found) = choice.software(encoders(family, Runs::Software).collect()) else { continue };
        let Ok(coder) = found.open(choice.path, choice.info) else { continue };
        let (width, height) = (choice.info.width, choice.info.height);
        let mut warnings =
            vec![format!("{refused} takes no pictures of {width}x{height}: {} encodes", found.encoder.name)];
        warnings.extend(choice.losses(&found)?);
        return Ok(Chosen { coder, setup: found, family, warnings });
    }
    let setup = choice.software(encoders(choice.family, Runs::Software).collect())?;
    Err(EncodeError::Refused {
        path: choice.path.into(),
        encoder: setup.encoder.name,
        width: setup.coded.0,
        height: setup.coded.1,
        format: ffi::pixel_format_name(setup.format),
        source: why,
    })
}

fn does_not_hold(path: &Path, container: Container, settings: &OutputSettings, family: Family) -> EncodeError {
    let others = CONTAINERS.iter().filter(|other| other.families.contains(&family));
    EncodeError::ContainerCodec {
        path: path.into(),
        container: container.extension,
        codec: settings.codec.clone(),
        valid: container.families.iter().map(|family| family.name()).collect::<Vec<_>>().join(", "),
        others: others.map(|other| format!(".{}", other.extension)).collect::<Vec<_>>().join(", "),
    }
}

/// Returns the family that `codec = "auto"` stands for.
fn automatic(container: Container, info: &MediaInfo) -> Family {
    let holds = |family: &Family| container.families.contains(family);
    let same = Family::ALL.into_iter().find(|family| family.name() == info.codec);
    if let Some(family) = same.filter(|family| family.is_intermediate() && holds(family)) {
        return family;
    }
    if info.samples.alpha {
        match container.extension {
            "mov" => return Family::ProRes,
            "mkv" if matches!(info.codec, "vp8" | "vp9") => return Family::Vp9,
            "mkv" => return Family::Ffv1,
            _ => {}
        }
    }
    let usual = if info.samples.depth > 8 { Family::Hevc } else { Family::H264 };
    // HEVC has a minimum size; smaller pictures become H.264 even with more than 8 bits.
    let smallest = encoders(usual, Runs::Software).map(|encoder| encoder.smallest).min().unwrap_or(1);
    let tiny = info.width.min(info.height) < smallest;
    let usual = if tiny { Family::H264 } else { usual };
    Some(usual).filter(holds).unwrap_or(container.families[0])
}

/// Everything that the choice depends on.
#[derive(Clone, Copy)]
struct Choice<'a> {
    path: &'a Path,
    container: Container,
    info: &'a MediaInfo,
    settings: &'a OutputSettings,
    family: Family,
}

impl Choice<'_> {
    /// Sets up the software encoder whose pixel format loses least; of equal ones, the preferred one.
    fn software(&self, candidates: Vec<&'static Encoder>) -> Result<Setup, EncodeError> {
        let there: Vec<(&Encoder, Codec)> =
            candidates.iter().filter_map(|&encoder| Some((encoder, find(encoder)?))).collect();
        if there.is_empty() {
            let encoder = candidates.iter().map(|encoder| encoder.name).collect::<Vec<_>>().join(" or ");
            return Err(EncodeError::NoEncoder { path: self.path.into(), encoder });
        }
        let shorter = self.info.width.min(self.info.height);
        let Some(&(first, _)) = there.first() else { return Err(self.no_format(&there)) };
        let (roomy, smallest): (Vec<_>, Vec<_>) =
            there.iter().copied().partition(|(encoder, _)| encoder.smallest <= shorter);
        if roomy.is_empty() {
            let smallest = smallest.iter().map(|(encoder, _)| encoder.smallest).min().unwrap_or(1);
            return Err(EncodeError::TooSmall { path: self.path.into(), encoder: first.name, smallest });
        }
        let fitting = roomy.iter().filter_map(|&(encoder, codec)| {
            let (format, loss) = self.format(encoder, codec, u8::MAX)?;
            Some((encoder, codec, format, loss))
        });
        let (encoder, codec, format, _) =
            fitting.min_by_key(|&(.., loss)| loss).ok_or_else(|| self.no_format(&there))?;
        self.setup(encoder, codec, format)
    }

    /// Sets up the first hardware encoder that works, or else a software one with a warning.
    fn hardware(&self, candidates: Vec<&'static Encoder>, warnings: &mut Vec<String>) -> Result<Setup, EncodeError> {
        let mut failed = Vec::new();
        for encoder in candidates {
            let Some(codec) = find(encoder) else {
                failed.push(format!("{} is not in this FFmpeg", encoder.name));
                continue;
            };
            // Many devices take 8-bit 4:2:0 only.
            for depth in [u8::MAX, 8] {
                let Some((format, _)) = self.format(encoder, codec, depth) else { continue };
                let setup = self.setup(encoder, codec, format)?;
                match setup.tried(self.path, self.info) {
                    Ok(()) => return Ok(setup),
                    Err(error @ EncodeError::EncoderOption { .. }) => return Err(error),
                    Err(EncodeError::Refused { source, .. } | EncodeError::Libav { source, .. }) => {
                        let format = ffi::pixel_format_name(format);
                        failed.push(format!("{} does not work here with {format} ({source})", encoder.name));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let setup = self.software(encoders(self.family, Runs::Software).collect())?;
        failed.dedup();
        warnings.push(format!("{}: {} encodes instead", failed.join(", "), setup.encoder.name));
        Ok(setup)
    }

    /// Pixel formats that the encoder takes and the container holds: MP4 drops the alpha that VP9 keeps in side data.
    fn formats(&self, encoder: &Encoder, codec: Codec) -> Vec<Pixel> {
        let mut formats = fit::formats(encoder, codec);
        formats.retain(|&format| self.container.muxer != "mp4" || !ffi::samples_of(format).alpha);
        formats
    }

    /// Returns the pixel format, and what it loses of the wanted samples; `None` if no format is usable. An automatic
    /// choice has at most `depth` bits, and 4:2:0 for a `depth` of 8.
    fn format(&self, encoder: &Encoder, codec: Codec, depth: u8) -> Option<(Pixel, Loss)> {
        let formats = self.formats(encoder, codec);
        if self.settings.pix_fmt != "auto" {
            let asked: Pixel = self.settings.pix_fmt.parse().ok()?;
            let loss = Loss { alpha: self.alpha() && !ffi::samples_of(asked).alpha, ..Loss::NONE };
            return formats.contains(&asked).then_some((asked, loss));
        }
        let want = self.wanted();
        let capped = Samples { depth: want.depth.min(depth), ..want };
        let (format, _) = fit::best(&formats, if depth == 8 { Samples { chroma: (1, 1), ..capped } } else { capped })?;
        Some((format, Loss::of(want, ffi::samples_of(format))))
    }

    fn wanted(&self) -> Samples {
        fit::wanted(self.info.samples, self.family, self.alpha())
    }

    /// Whether the output should have alpha.
    fn alpha(&self) -> bool {
        self.info.samples.alpha
    }

    fn setup(&self, encoder: &'static Encoder, codec: Codec, format: Pixel) -> Result<Setup, EncodeError> {
        let samples = ffi::samples_of(format);
        let options = Options::new(self.path, encoder, samples, self.settings)?;
        let source = self.info.color.written(self.info.samples.model);
        let color = match samples.model {
            Model::Rgb => ColorInfo { matrix: Space::RGB, full_range: true, ..source },
            _ => ColorInfo {
                full_range: source.full_range && self.family.tags_range(self.container.tags_range()),
                ..source
            },
        };
        let coded = fit::coded_size(encoder, format, (self.info.width, self.info.height));
        Ok(Setup { encoder, codec, format, color, coded, options })
    }

    /// Lists what of the source is lost, one line each.
    fn losses(&self, setup: &Setup) -> Result<Vec<String>, EncodeError> {
        let mut lines = Vec::new();
        let have = ffi::samples_of(setup.format);
        if self.alpha() && !have.alpha {
            if self.settings.strict_streams {
                return Err(EncodeError::Alpha { path: self.path.into() });
            }
            lines.push(alpha_lost());
        }
        if self.settings.pix_fmt == "auto" {
            // Compare with what the source has, not with what this family would want.
            let source = self.info.samples;
            let want = match source.model {
                Model::Yuv => self.wanted(),
                _ => Samples { depth: source.depth.min(16), ..self.wanted() },
            };
            let loss = Loss::of(want, have);
            lines.extend(fit::describe(want, have, loss, setup.encoder.name));
        }
        Ok(lines)
    }

    /// The error for a pixel format that no encoder has; it lists the formats that they do have.
    fn no_format(&self, there: &[(&Encoder, Codec)]) -> EncodeError {
        let mut valid: Vec<&str> = Vec::new();
        for &(encoder, codec) in there {
            for name in self.formats(encoder, codec).into_iter().map(ffi::pixel_format_name) {
                if !valid.contains(&name) {
                    valid.push(name);
                }
            }
        }
        EncodeError::PixFmt {
            path: self.path.into(),
            encoder: there.iter().map(|(encoder, _)| encoder.name).collect::<Vec<_>>().join(" or "),
            format: self.settings.pix_fmt.clone(),
            valid: valid.join(", "),
        }
    }
}

/// Returns the warning for an output without alpha whose source has it.
pub(in crate::encode) fn alpha_lost() -> String {
    format!("transparency is lost, shown over black: {KEEP_ALPHA} keep it")
}

fn find(encoder: &Encoder) -> Option<Codec> {
    encoder::find_by_name(encoder.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Ratio, TimeBase};

    fn info(samples: Samples, codec: &'static str) -> MediaInfo {
        MediaInfo {
            width: 64,
            height: 64,
            frames: None,
            base: TimeBase::new(1, 25),
            rate: Some(Ratio::new(25, 1)),
            sample_aspect: None,
            color: ColorInfo::BT709,
            samples,
            codec,
            first: 0,
            source: None,
        }
    }

    fn auto(extension: &str, samples: Samples, codec: &'static str) -> Option<Family> {
        let container = CONTAINERS.into_iter().find(|container| container.extension == extension)?;
        Some(automatic(container, &info(samples, codec)))
    }

    #[test]
    fn automatic_follows_the_source() {
        let yuv = Samples { model: Model::Yuv, depth: 8, chroma: (1, 1), alpha: false };
        let deep = Samples { depth: 10, ..yuv };
        let clear = Samples { alpha: true, ..yuv };
        for (extension, samples, codec, family) in [
            ("mp4", yuv, "h264", Family::H264),
            ("mp4", deep, "hevc", Family::Hevc),
            ("mov", deep, "prores", Family::ProRes),
            ("mp4", deep, "prores", Family::Hevc),
            ("mkv", yuv, "ffv1", Family::Ffv1),
            ("mov", clear, "png", Family::ProRes),
            ("mkv", clear, "png", Family::Ffv1),
            ("mkv", clear, "vp9", Family::Vp9),
            ("mkv", clear, "gif", Family::Ffv1),
            ("mp4", clear, "gif", Family::H264),
            ("webm", clear, "vp9", Family::Vp9),
            ("webm", yuv, "h264", Family::Vp9),
        ] {
            assert_eq!(auto(extension, samples, codec), Some(family), "{codec} to {extension}");
        }
    }
}
