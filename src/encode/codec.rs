//! Which container and which encoder a file name means.

use std::path::Path;

use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, Dictionary, codec, color, encoder, threading};

use super::EncodeError;
use crate::media::{ColorInfo, MediaInfo, ffi};
use crate::settings::{Crf, OutputSettings};

/// A kind of video file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Container {
    /// As in the file name, in lower case.
    pub extension: &'static str,
    /// FFmpeg's muxer.
    pub muxer: &'static str,
    pub video: VideoCodec,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VideoCodec {
    /// libx264. Its 4:2:0 takes even sizes only.
    H264,
    /// libvpx-vp9. Takes any size.
    Vp9,
}

/// All kinds there are.
pub(super) const CONTAINERS: [Container; 4] = [
    Container { extension: "mp4", muxer: "mp4", video: VideoCodec::H264 },
    Container { extension: "mkv", muxer: "matroska", video: VideoCodec::H264 },
    Container { extension: "mov", muxer: "mov", video: VideoCodec::H264 },
    Container { extension: "webm", muxer: "webm", video: VideoCodec::Vp9 },
];

impl Container {
    pub fn of(path: &Path) -> Result<Self, EncodeError> {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let found = CONTAINERS.into_iter().find(|container| Some(container.extension) == extension.as_deref());
        found.ok_or_else(|| EncodeError::VideoExtension { path: path.into() })
    }

    /// Whether it is of the family that stores a time scale for each stream (and an edit list).
    pub fn is_quicktime(self) -> bool {
        matches!(self.muxer, "mp4" | "mov")
    }
}

impl VideoCodec {
    fn encoder(self) -> &'static str {
        match self {
            Self::H264 => "libx264",
            Self::Vp9 => "libvpx-vp9",
        }
    }

    /// The size that is coded for pictures of a size: H.264 gets its last column or row twice where it is odd.
    pub fn coded_size(self, width: usize, height: usize) -> (usize, usize) {
        match self {
            Self::H264 => (width.next_multiple_of(2), height.next_multiple_of(2)),
            Self::Vp9 => (width, height),
        }
    }

    fn options(self, crf: u8) -> Dictionary<'static> {
        let mut options = Dictionary::new();
        options.set("crf", &crf.to_string());
        match self {
            Self::H264 => options.set("preset", "medium"),
            Self::Vp9 => {
                // Constant quality needs a bit rate of 0, which is the context's default only with `b` set.
                options.set("b", "0");
                options.set("deadline", "good");
                options.set("cpu-used", "3");
                options.set("row-mt", "1");
            }
        }
        options
    }

    /// Opens the encoder for frames as `info` describes them, in YUV 4:2:0 of 8 bits.
    pub fn open(
        self,
        path: &Path,
        info: &MediaInfo,
        color: ColorInfo,
        settings: &OutputSettings,
    ) -> Result<encoder::Video, EncodeError> {
        let (codec_name, max) = match self {
            Self::H264 => ("H.264", 51),
            Self::Vp9 => ("VP9", 63),
        };
        let crf = match settings.crf {
            Crf::Auto => 18,
            Crf::Value(crf) => crf,
        };
        if crf > max {
            return Err(EncodeError::Crf { path: path.into(), crf, codec: codec_name, max });
        }
        let fail = |source| EncodeError::libav(path, "opening the video encoder", source);
        let name = self.encoder();
        let codec = encoder::find_by_name(name);
        let codec = codec.ok_or(EncodeError::NoEncoder { path: path.into(), encoder: name })?;
        let mut video = codec::Context::new_with_codec(codec).encoder().video().map_err(fail)?;
        let (width, height) = self.coded_size(info.width, info.height);
        video.set_width(width as u32);
        video.set_height(height as u32);
        video.set_format(Pixel::YUV420P);
        video.set_time_base(info.base);
        // Without it x264 takes a tick for a frame: level 6.2 and wrong rate control.
        video.set_frame_rate(info.rate.map(|rate| ffmpeg::Rational::new(rate.num, rate.den)));
        if let Some(aspect) = info.sample_aspect {
            video.set_aspect_ratio((aspect.num, aspect.den));
        }
        video.set_colorspace(color.matrix);
        video.set_color_range(if color.full_range { color::Range::JPEG } else { color::Range::MPEG });
        video.set_color_primaries(color.primaries);
        video.set_color_transfer_characteristic(color.transfer);
        video.set_threading(threading::Config { kind: threading::Type::Frame, count: 0, ..Default::default() });
        ffi::add_encoder_flags(&mut video, codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        ffi::open_encoder(video, codec, self.options(crf)).map_err(fail)
    }
}
