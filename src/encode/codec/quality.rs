//! The options that an encoder is opened with.

use ffmpeg_next::Dictionary;

use super::super::EncodeError;
use super::family::Family;
use super::registry::{ENCODERS, Encoder, Quality};
use crate::media::Samples;
use crate::settings::{Crf, OutputSettings};

use std::path::Path;

/// Options that set a quality or bit rate, besides those on the scale of an encoder.
const RATES: [&str; 2] = ["b", "qscale"];

/// Whether a user's option sets a quality or bit rate itself; then `crf = "auto"` adds nothing.
fn sets_rate(key: &str) -> bool {
    let is_scale = |encoder: &Encoder| matches!(encoder.quality, Quality::Scale { option, .. } if option == key);
    RATES.contains(&key) || ENCODERS.iter().any(is_scale)
}

#[cfg(target_arch = "x86_64")]
fn has_avx512() -> bool {
    std::arch::is_x86_feature_detected!("avx512f")
}

#[cfg(not(target_arch = "x86_64"))]
fn has_avx512() -> bool {
    false
}

/// Encoder options by name, in order; a later value replaces an earlier one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::encode) struct Options(Vec<(String, String)>);

impl Options {
    /// Collects the options of `encoder` for pictures with these `samples`.
    pub fn new(
        path: &Path,
        encoder: &Encoder,
        samples: Samples,
        settings: &OutputSettings,
    ) -> Result<Self, EncodeError> {
        let given = Self::given(path, settings)?;
        let mut options = Self::default();
        for &(key, value) in encoder.options {
            options.set(key, value);
        }
        // One thread per processor.
        options.set("threads", "0");
        if encoder.name == "libx264" && has_avx512() {
            // With AVX-512, x264's macroblock tree reads beyond what it has written: the encoded bytes then depend on
            // earlier contents of memory.
            options.set("x264-params", "asm=AVX2");
        }
        options.add_quality(path, encoder, settings, given.0.iter().any(|(key, _)| sets_rate(key)))?;
        match encoder.family {
            Family::ProRes => {
                let full = samples.alpha || samples.chroma == (0, 0);
                options.set("profile", if full { "4444" } else { "hq" });
            }
            // Alternate reference frames carry no alpha.
            Family::Vp9 if samples.alpha => options.set("auto-alt-ref", "0"),
            _ => {}
        }
        for (key, value) in given.0 {
            match options.get(&key) {
                // Appended to ours; the last value of a key counts.
                Some(ours) if key.ends_with("-params") => {
                    let both = format!("{ours}:{value}");
                    options.set(&key, &both);
                }
                _ => options.set(&key, &value),
            }
        }
        Ok(options)
    }

    /// Parses the user's options, each of the form `key=value`.
    fn given(path: &Path, settings: &OutputSettings) -> Result<Self, EncodeError> {
        let mut options = Self::default();
        for option in &settings.encoder_options {
            let bad = || EncodeError::OptionForm { path: path.into(), option: option.clone() };
            let (key, value) =
                option.split_once('=').filter(|(key, _)| !key.is_empty() && !option.contains('\0')).ok_or_else(bad)?;
            options.set(key, value);
        }
        Ok(options)
    }

    fn add_quality(
        &mut self,
        path: &Path,
        encoder: &Encoder,
        settings: &OutputSettings,
        has_own: bool,
    ) -> Result<(), EncodeError> {
        let name = encoder.name;
        match (encoder.quality, settings.crf) {
            (Quality::Fixed { .. }, Crf::Auto) => {}
            (Quality::Fixed { instead }, Crf::Value(_)) => {
                return Err(EncodeError::NoCrf { path: path.into(), encoder: name, instead });
            }
            (Quality::Scale { max, .. }, Crf::Value(crf)) if crf > max => {
                return Err(EncodeError::Crf { path: path.into(), crf, codec: name, max });
            }
            (Quality::Scale { option, .. }, Crf::Value(crf)) => self.set(option, &crf.to_string()),
            (Quality::Scale { .. }, Crf::Auto) if has_own => {}
            (Quality::Scale { option, auto, .. }, Crf::Auto) => self.set(option, &auto.to_string()),
        }
        Ok(())
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    fn set(&mut self, key: &str, value: &str) {
        self.0.retain(|(name, _)| name != key);
        self.0.push((key.into(), value.into()));
    }

    pub fn dictionary(&self) -> Dictionary<'static> {
        let mut dictionary = Dictionary::new();
        for (key, value) in &self.0 {
            dictionary.set(key, value);
        }
        dictionary
    }
}

#[cfg(test)]
mod tests {
    use super::super::registry::{Runs, encoders};
    use super::*;

    fn options(family: Family, settings: &OutputSettings) -> Result<Options, EncodeError> {
        let encoder = encoders(family, Runs::Software).next();
        Options::new(Path::new("out.mkv"), encoder.ok_or(EncodeError::PipeClosed)?, Samples::RGB8, settings)
    }

    #[test]
    fn quality_goes_by_the_encoders_own_name() {
        let mut settings = OutputSettings::default();
        assert_eq!(
            options(Family::H264, &settings).ok().and_then(|o| o.get("crf").map(str::to_owned)),
            Some("18".into())
        );
        settings.crf = Crf::Value(30);
        assert_eq!(
            options(Family::Hevc, &settings).ok().and_then(|o| o.get("crf").map(str::to_owned)),
            Some("30".into())
        );
        assert!(matches!(options(Family::Ffv1, &settings), Err(EncodeError::NoCrf { encoder: "ffv1", .. })));
        settings.crf = Crf::Value(60);
        assert!(matches!(options(Family::H264, &settings), Err(EncodeError::Crf { crf: 60, max: 51, .. })));
    }

    #[test]
    fn options_for_the_rate() {
        for key in ["crf", "qp", "cq", "b", "global_quality", "qscale"] {
            assert!(sets_rate(key), "{key}");
        }
        assert!(!sets_rate("preset"));
    }

    #[test]
    fn the_users_options_win() {
        let encoder_options = vec!["preset=veryslow".into(), "b=2M".into(), "x265-params=keyint=30".into()];
        let settings = OutputSettings { encoder_options, ..OutputSettings::default() };
        let options = options(Family::Hevc, &settings).unwrap_or_default();
        assert_eq!(options.get("preset"), Some("veryslow"));
        assert_eq!(options.get("crf"), None);
        assert_eq!(options.get("x265-params"), Some("log-level=none:keyint=30"));
    }
}
