//! Settings for reading and writing files.

use serde::{Deserialize, Serialize};

use crate::media::picture::Bounds;

/// `[input]`: how the input is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InputSettings {
    /// Name of the FFmpeg demuxer (`rawvideo`, `yuv4mpegpipe`, ...); empty to detect the format from the contents.
    pub format: String,
    /// Options of the demuxer, each `key=value`: `["video_size=640x480", "pixel_format=yuv420p"]`.
    pub options: Vec<String>,
    /// Filter graph applied before painting, in FFmpeg's syntax (`crop=640:360,fps=12`); empty for none. The filters
    /// see upright, progressive pictures.
    pub filter: String,
    /// Number of damaged places (packets, frames, frames missing at the end) that are skipped; more are an error.
    pub max_corrupt: u64,
    pub deinterlace: Deinterlace,
    pub hdr: Hdr,
    /// Whether timestamps that start far from 0 (a broadcast's, wall-clock time) are kept rather than shifted to start
    /// at 0.
    pub keep_clock: bool,
    /// FFmpeg protocols that an input may use in addition to `file`, for playlists named by `format`: `["http",
    /// "tcp"]`.
    pub protocols: Vec<String>,
    /// The largest picture that is read, in pixels and along its longer side; applies to inputs and style pictures.
    pub max_pixels: u64,
    pub max_side: u64,
    /// The longest input, in seconds and in frames; only the part that is read counts.
    pub max_duration: f64,
    pub max_frames: u64,
    /// The largest number of streams in an input.
    pub max_streams: u64,
}

impl InputSettings {
    /// Returns the limits for the size of a picture.
    pub fn bounds(&self) -> Bounds {
        Bounds { pixels: self.max_pixels, side: self.max_side }
    }
}

impl Default for InputSettings {
    fn default() -> Self {
        let Bounds { pixels: max_pixels, side: max_side } = Bounds::default();
        Self {
            format: String::new(),
            options: Vec::new(),
            filter: String::new(),
            max_corrupt: 0,
            deinterlace: Deinterlace::default(),
            hdr: Hdr::default(),
            keep_clock: false,
            protocols: Vec::new(),
            max_pixels,
            max_side,
            // Two days.
            max_duration: 172_800.0,
            max_frames: 10_000_000,
            max_streams: 500,
        }
    }
}

/// How interlaced video is handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Deinterlace {
    /// Each interlaced picture becomes one progressive picture (FFmpeg's bwdif).
    #[default]
    Auto,
    /// Treated as progressive.
    Off,
    /// Interlaced video is an error.
    Refuse,
}

/// How HDR video (PQ, HLG) is handled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hdr {
    /// Tone-mapped to BT.709 (Hable's curve, reference white at 100 nit).
    #[default]
    Tonemap,
    /// HDR video is an error.
    Refuse,
}

/// `[output]`: how the output is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutputSettings {
    /// `mp4`, `mkv`, `mov`, `webm`, `gif`, `apng`, `webp`, `y4m` or `nut`; empty to infer it from the output's name.
    pub format: String,
    /// A codec (`h264`, or another one that docs/output.md lists), an FFmpeg encoder (`libx265`, `h264_nvenc`, ...), or
    /// `auto`.
    pub codec: String,
    /// Quality, lower is better: `auto` is 18 for H.264 and an equivalent value for other codecs.
    pub crf: Crf,
    /// FFmpeg pixel format (`yuv420p10le`, ...); `auto` follows the source.
    pub pix_fmt: String,
    /// Options of the encoder, each `key=value`: `["preset=slow", "tune=grain"]`.
    pub encoder_options: Vec<String>,
    /// Filter graph applied after painting, in FFmpeg's syntax; empty for none.
    pub filter: String,
    /// Whether dropping a stream of the source is an error rather than a warning.
    pub strict_streams: bool,
    /// Whether audio that the output format cannot hold is converted to a codec that it can.
    pub convert_audio: bool,
    /// Frames per checkpoint: a part of the output is finished at each cut and whenever it has this many frames, and an
    /// interrupted run resumes after the last finished part. Each part begins with a key frame.
    pub checkpoint: u32,
    /// What to do if the output already exists.
    pub if_exists: IfExists,
}

impl Default for OutputSettings {
    fn default() -> Self {
        Self {
            format: String::new(),
            codec: "auto".into(),
            crf: Crf::Auto,
            pix_fmt: "auto".into(),
            encoder_options: Vec::new(),
            filter: String::new(),
            strict_streams: false,
            convert_audio: false,
            checkpoint: 48,
            if_exists: IfExists::Fail,
        }
    }
}

/// Constant rate factor; `auto` depends on the codec.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CrfToml", into = "CrfToml")]
pub enum Crf {
    #[default]
    Auto,
    Value(u8),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or \"auto\"")]
enum CrfToml {
    Number(i64),
    Word(String),
}

impl TryFrom<CrfToml> for Crf {
    type Error = String;

    fn try_from(value: CrfToml) -> Result<Self, String> {
        match value {
            CrfToml::Number(n @ 0..=63) => Ok(Self::Value(n as u8)),
            CrfToml::Word(word) if word == "auto" => Ok(Self::Auto),
            CrfToml::Number(n) => {
                Err(format!("{n} is out of range: use 0 to 51 (H.264, HEVC), 0 to 63 (VP9, AV1) or \"auto\""))
            }
            CrfToml::Word(word) => Err(format!("\"{word}\" is not known: use a number or \"auto\"")),
        }
    }
}

impl From<Crf> for CrfToml {
    fn from(crf: Crf) -> Self {
        match crf {
            Crf::Auto => Self::Word("auto".into()),
            Crf::Value(n) => Self::Number(n.into()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IfExists {
    Fail,
    Skip,
    Replace,
}
