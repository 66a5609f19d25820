//! The formats that are written directly: their encoders, muxers and clocks.

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, Dictionary};

use super::super::codec::registry::{APNG, Encoder, GIF, NUT, WEBP, Y4M};
use super::super::codec::{Animation, Raw, fit};
use crate::media::{MediaInfo, Ratio, TimeBase};

/// A format that is written directly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::encode) enum DirectFormat {
    Animation(Animation),
    Raw(Raw),
}

impl From<Animation> for DirectFormat {
    fn from(kind: Animation) -> Self {
        Self::Animation(kind)
    }
}

impl From<Raw> for DirectFormat {
    fn from(kind: Raw) -> Self {
        Self::Raw(kind)
    }
}

impl DirectFormat {
    pub fn encoder(self) -> &'static Encoder {
        match self {
            Self::Animation(Animation::Gif) => &GIF,
            Self::Animation(Animation::Apng) => &APNG,
            Self::Animation(Animation::WebP) => &WEBP,
            Self::Raw(Raw::Y4m) => &Y4M,
            Self::Raw(Raw::Nut) => &NUT,
        }
    }

    pub fn muxer(self) -> &'static str {
        match self {
            Self::Animation(Animation::Gif) => "gif",
            Self::Animation(Animation::Apng) => "apng",
            Self::Animation(Animation::WebP) => "webp",
            Self::Raw(Raw::Y4m) => "yuv4mpegpipe",
            Self::Raw(Raw::Nut) => "nut",
        }
    }

    /// Returns the time base of the format.
    pub fn base(self, info: &MediaInfo) -> TimeBase {
        match self {
            Self::Animation(Animation::Gif) => TimeBase::new(1, 100),
            Self::Animation(Animation::WebP) => TimeBase::new(1, 1000),
            Self::Animation(Animation::Apng) | Self::Raw(Raw::Nut) => info.base,
            Self::Raw(Raw::Y4m) => {
                let rate = rate(info);
                TimeBase::new(rate.den, rate.num)
            }
        }
    }

    /// Returns the muxer options. Animations repeat for ever; 16-bit Y4M is an extension that has to be allowed.
    pub fn header(self) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        match self {
            Self::Animation(Animation::Gif | Animation::WebP) => options.set("loop", "0"),
            Self::Animation(Animation::Apng) => options.set("plays", "0"),
            Self::Raw(Raw::Y4m) => options.set("strict", "-1"),
            Self::Raw(Raw::Nut) => {}
        }
        options.set("fflags", "+bitexact");
        options
    }

    /// Returns the pixel formats to choose from.
    pub fn formats(self, codec: ffmpeg::Codec) -> Vec<Pixel> {
        use Pixel::*;
        match self {
            Self::Animation(Animation::Gif) => vec![PAL8],
            Self::Animation(_) => fit::formats(self.encoder(), codec),
            Self::Raw(Raw::Y4m) => Y4M_FORMATS.to_vec(),
            Self::Raw(Raw::Nut) => {
                let more = [
                    YUVA420P,
                    YUVA422P,
                    YUVA444P,
                    YUVA420P10LE,
                    YUVA422P10LE,
                    YUVA444P10LE,
                    YUVA420P16LE,
                    YUVA422P16LE,
                    YUVA444P16LE,
                    RGB24,
                    RGBA,
                    RGB48LE,
                    RGBA64LE,
                ];
                Y4M_FORMATS.into_iter().chain(more).collect()
            }
        }
    }
}

const Y4M_FORMATS: [Pixel; 12] = [
    Pixel::YUV420P,
    Pixel::YUV422P,
    Pixel::YUV444P,
    Pixel::YUV420P10LE,
    Pixel::YUV422P10LE,
    Pixel::YUV444P10LE,
    Pixel::YUV420P12LE,
    Pixel::YUV422P12LE,
    Pixel::YUV444P12LE,
    Pixel::YUV420P16LE,
    Pixel::YUV422P16LE,
    Pixel::YUV444P16LE,
];

/// Returns the frame rate for formats without timestamps; 25 if it is unknown.
pub(super) fn rate(info: &MediaInfo) -> Ratio {
    info.rate.filter(|rate| rate.num > 0 && rate.den > 0).unwrap_or(Ratio::new(25, 1))
}
