//! Tables of the supported containers and encoders, and what each takes.

use super::family::Family;

/// A container format that can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) struct Container {
    /// File extension, in lower case.
    pub extension: &'static str,
    /// Name of FFmpeg's muxer.
    pub muxer: &'static str,
    /// Codecs that it may hold; the first is the fallback of the automatic choice.
    pub families: &'static [Family],
}

/// All supported containers.
pub(in crate::encode) const CONTAINERS: [Container; 4] = [
    Container { extension: "mp4", muxer: "mp4", families: &[Family::H264, Family::Hevc, Family::Av1, Family::Vp9] },
    Container {
        extension: "mkv",
        muxer: "matroska",
        families: &[Family::H264, Family::Hevc, Family::Av1, Family::Vp9, Family::ProRes, Family::Ffv1],
    },
    Container { extension: "mov", muxer: "mov", families: &[Family::H264, Family::Hevc, Family::ProRes, Family::Ffv1] },
    Container { extension: "webm", muxer: "webm", families: &[Family::Vp9, Family::Av1] },
];

impl Container {
    /// Whether it belongs to the QuickTime family, which stores a time scale for each stream (and an edit list).
    pub fn is_quicktime(self) -> bool {
        matches!(self.muxer, "mp4" | "mov")
    }

    /// Whether the container itself records full range, independently of the codec.
    pub fn tags_range(self) -> bool {
        self.muxer != "mov"
    }
}

/// Where an encoder runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) enum Runs {
    Software,
    /// On a device that may be missing.
    Hardware,
}

/// How the quality of an encoder is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) enum Quality {
    /// The option's name, its largest value, and the value for `auto`.
    Scale { option: &'static str, max: u8, auto: u8 },
    /// There is no quality scale; `instead` names the alternative for the error message.
    Fixed { instead: &'static str },
}

/// An encoder of FFmpeg and its properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) struct Encoder {
    pub name: &'static str,
    pub family: Family,
    pub runs: Runs,
    pub quality: Quality,
    /// Whether it needs a picture size that is a whole number of chroma samples.
    pub even: bool,
    /// Smallest width and height it takes, in pixels.
    pub smallest: usize,
    /// Whether pictures must be uploaded to the memory of its device first (VAAPI).
    pub uploads: bool,
    /// Default options; the user's values override them.
    pub options: &'static [(&'static str, &'static str)],
    /// What `doctor` says that it is for; empty if `doctor` does not look for it.
    pub purpose: &'static str,
}

impl Encoder {
    /// Says how to get an encoder that the linked FFmpeg lacks.
    pub fn how_to_get(&self) -> &'static str {
        match self.runs {
            Runs::Hardware => "use an FFmpeg built with nvenc, and NVIDIA's driver",
            Runs::Software if self.name.starts_with("lib") => {
                "use an FFmpeg built with this library, as distributions' packages are"
            }
            Runs::Software => "it is part of FFmpeg, left out of this build: use a distribution's package",
        }
    }
}

const fn crf(max: u8, auto: u8) -> Quality {
    Quality::Scale { option: "crf", max, auto }
}

const fn software(
    name: &'static str,
    family: Family,
    quality: Quality,
    options: &'static [(&'static str, &'static str)],
) -> Encoder {
    Encoder {
        name,
        family,
        runs: Runs::Software,
        quality,
        even: false,
        smallest: 1,
        uploads: false,
        options,
        purpose: "",
    }
}

const fn hardware(name: &'static str, family: Family, option: &'static str, auto: u8) -> Encoder {
    let quality = Quality::Scale { option, max: 51, auto };
    let options: &[(&str, &str)] = match option.as_bytes() {
        b"cq" => &[("rc", "vbr"), ("b", "0"), ("preset", "p5")],
        _ => &[],
    };
    Encoder {
        name,
        family,
        runs: Runs::Hardware,
        quality,
        even: true,
        smallest: 1,
        uploads: false,
        options,
        purpose: "",
    }
}

const fn vaapi(name: &'static str, family: Family, auto: u8) -> Encoder {
    Encoder { uploads: true, ..hardware(name, family, "qp", auto) }
}

/// All encoders that `codec` can select; those of a family in order of preference.
pub(in crate::encode) const ENCODERS: [Encoder; 16] = [
    Encoder {
        even: true,
        purpose: "H.264 in .mp4, .mov, .mkv",
        ..software("libx264", Family::H264, crf(51, 18), &[("preset", "medium"), ("forced-idr", "1")])
    },
    Encoder {
        even: true,
        smallest: 16,
        purpose: "H.265",
        ..software(
            "libx265",
            Family::Hevc,
            crf(51, 20),
            &[("preset", "medium"), ("forced-idr", "1"), ("x265-params", "log-level=none")],
        )
    },
    Encoder {
        even: true,
        smallest: 64,
        purpose: "AV1, fast",
        ..software("libsvtav1", Family::Av1, crf(63, 27), &[("preset", "7"), ("g", "240")])
    },
    Encoder {
        purpose: "AV1",
        ..software(
            "libaom-av1",
            Family::Av1,
            crf(63, 27),
            &[("b", "0"), ("cpu-used", "6"), ("row-mt", "1"), ("usage", "good")],
        )
    },
    // Constant quality needs a bit rate of 0, so `b` has to be set explicitly.
    Encoder {
        purpose: "VP9 in .webm",
        ..software(
            "libvpx-vp9",
            Family::Vp9,
            crf(63, 24),
            &[("b", "0"), ("deadline", "good"), ("cpu-used", "3"), ("row-mt", "1")],
        )
    },
    Encoder {
        purpose: "ProRes in .mov",
        ..software(
            "prores_ks",
            Family::ProRes,
            Quality::Fixed { instead: "--encoder-opt profile=proxy, lt, standard, hq, 4444 or 4444xq" },
            &[("vendor", "apl0")],
        )
    },
    Encoder {
        purpose: "lossless, in .mkv",
        ..software(
            "ffv1",
            Family::Ffv1,
            Quality::Fixed { instead: "nothing: it is lossless" },
            &[("level", "3"), ("slicecrc", "1"), ("g", "1"), ("context", "0")],
        )
    },
    Encoder { purpose: "H.264 on an NVIDIA GPU, never needed", ..hardware("h264_nvenc", Family::H264, "cq", 18) },
    hardware("h264_qsv", Family::H264, "global_quality", 18),
    vaapi("h264_vaapi", Family::H264, 18),
    hardware("hevc_nvenc", Family::Hevc, "cq", 20),
    hardware("hevc_qsv", Family::Hevc, "global_quality", 20),
    vaapi("hevc_vaapi", Family::Hevc, 20),
    hardware("av1_nvenc", Family::Av1, "cq", 27),
    hardware("av1_qsv", Family::Av1, "global_quality", 27),
    hardware("vp9_qsv", Family::Vp9, "global_quality", 24),
];

/// GIF; every picture has its own palette.
pub(in crate::encode) const GIF: Encoder =
    software("gif", Family::Gif, Quality::Fixed { instead: "nothing: 256 colours a frame are what it has" }, &[]);
pub(in crate::encode) const APNG: Encoder =
    software("apng", Family::Apng, Quality::Fixed { instead: "nothing: it is lossless" }, &[]);
/// WebP as single stills: FFmpeg's animation encoder would merge equal pictures.
pub(in crate::encode) const WEBP: Encoder = software(
    "libwebp",
    Family::WebP,
    Quality::Fixed { instead: "--encoder-opt quality=0 to 100, or --encoder-opt lossless=1" },
    &[("quality", "90")],
);
const RAW: Quality = Quality::Fixed { instead: "nothing: it is not compressed" };
pub(in crate::encode) const Y4M: Encoder = software("wrapped_avframe", Family::Raw, RAW, &[]);
pub(in crate::encode) const NUT: Encoder = software("rawvideo", Family::Raw, RAW, &[]);

/// What the setting `codec` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) enum Wish {
    Auto,
    /// Any software encoder of the family.
    Family(Family),
    /// `h264-hardware`: any hardware encoder of the family.
    Hardware(Family),
    Encoder(&'static Encoder),
}

impl Wish {
    pub fn parse(codec: &str) -> Option<Self> {
        let family = |name: &str| Family::ALL.into_iter().find(|family| family.name() == name);
        if codec == "auto" {
            return Some(Self::Auto);
        }
        if let Some(name) = codec.strip_suffix("-hardware") {
            let of = family(name)?;
            let any = ENCODERS.iter().any(|encoder| encoder.family == of && encoder.runs == Runs::Hardware);
            return any.then_some(Self::Hardware(of));
        }
        let encoder = || ENCODERS.iter().find(|encoder| encoder.name == codec).map(Self::Encoder);
        family(codec).map(Self::Family).or_else(encoder)
    }

    /// Lists all values of `codec` that are valid for a container that holds `families`.
    pub fn valid(families: &[Family]) -> String {
        let mut names = vec!["auto".to_owned()];
        names.extend(families.iter().map(|family| family.name().to_owned()));
        let of = |runs| ENCODERS.iter().filter(move |encoder| encoder.runs == runs);
        for family in families {
            if of(Runs::Hardware).any(|encoder| encoder.family == *family) {
                names.push(format!("{}-hardware", family.name()));
            }
        }
        let encoders = of(Runs::Software).chain(of(Runs::Hardware));
        let fitting = encoders.filter(|encoder| families.contains(&encoder.family) && encoder.name != "ffv1");
        names.extend(fitting.map(|encoder| encoder.name.to_owned()));
        names.join(", ")
    }
}

/// An encoder that `doctor` looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// FFmpeg's name of the encoder.
    pub name: &'static str,
    pub purpose: &'static str,
    /// How to get it, if it is missing.
    pub how: &'static str,
}

/// Returns the video encoders that `doctor` looks for.
pub fn listed() -> impl Iterator<Item = Listed> {
    let listed = ENCODERS.iter().filter(|encoder| !encoder.purpose.is_empty());
    listed.map(|encoder| Listed { name: encoder.name, purpose: encoder.purpose, how: encoder.how_to_get() })
}

/// Returns the names of the codecs that the setting `output.codec` takes.
pub fn codec_names() -> impl Iterator<Item = &'static str> {
    Family::ALL.into_iter().map(Family::name)
}

/// Returns the encoders of a family in order of preference.
pub(in crate::encode) fn encoders(family: Family, runs: Runs) -> impl Iterator<Item = &'static Encoder> {
    ENCODERS.iter().filter(move |encoder| encoder.family == family && encoder.runs == runs)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::settings::OutputSettings;

    #[test]
    fn every_codec_has_an_encoder_and_a_container() {
        for family in Family::ALL {
            assert!(ENCODERS.iter().any(|encoder| encoder.family == family), "{family:?}");
            assert!(CONTAINERS.iter().any(|container| container.families.contains(&family)), "{family:?}");
        }
    }

    #[test]
    fn the_texts_list_all_codecs_and_ranges() {
        let quoted = Family::ALL.map(Family::name).map(|name| format!("`{name}`")).join(", ");
        let text = include_str!("../../../docs/presets.md");
        assert!(text.contains(&quoted), "docs/presets.md does not list {quoted}");
        let error = toml::from_str::<OutputSettings>("crf = 90").unwrap_err().to_string();
        for encoder in ENCODERS {
            if let Quality::Scale { max, .. } = encoder.quality {
                assert!(error.contains(&format!("0 to {max} (")), "{}: {error}", encoder.name);
            }
        }
        assert!(error.contains("0 to 51 (H.264, HEVC), 0 to 63 (VP9, AV1)"), "{error}");
    }

    #[test]
    fn wishes() {
        assert_eq!(Wish::parse("auto"), Some(Wish::Auto));
        assert_eq!(Wish::parse("hevc"), Some(Wish::Family(Family::Hevc)));
        assert_eq!(Wish::parse("h264-hardware"), Some(Wish::Hardware(Family::H264)));
        assert_eq!(Wish::parse("prores-hardware"), None);
        assert!(matches!(Wish::parse("libaom-av1"), Some(Wish::Encoder(encoder)) if encoder.family == Family::Av1));
        assert_eq!(Wish::parse("mpeg4"), None);
        assert!(!Wish::valid(&[Family::Vp9]).contains("h264"));
    }
}
