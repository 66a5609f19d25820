//! Opens an encoder, and tests one that may not work on this machine.

use std::path::Path;

use ffmpeg_next::chroma::Location;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{self as ffmpeg, Codec, Packet, codec, color, encoder, frame};

use super::super::EncodeError;
use super::family::Family;
use super::quality::Options;
use super::registry::Encoder;
use crate::media::ffi::DeviceFrames;
use crate::media::{ColorInfo, MediaInfo, ffi};

/// An open encoder.
pub(in crate::encode) struct Coder {
    pub encoder: encoder::Video,
    /// The device that pictures are uploaded to before encoding, if the encoder needs one.
    device: Option<DeviceFrames>,
}

impl Coder {
    pub fn send(&mut self, picture: &frame::Video) -> Result<(), ffmpeg::Error> {
        match &self.device {
            Some(device) => {
                let there = device.upload(picture)?;
                self.encoder.send_frame(&there)
            }
            None => self.encoder.send_frame(picture),
        }
    }
}

/// Everything that an encoder is opened with, except the time base and rate.
#[derive(Clone)]
pub(in crate::encode) struct Setup {
    pub encoder: &'static Encoder,
    pub codec: Codec,
    pub format: Pixel,
    pub color: ColorInfo,
    /// Width and height in pixels.
    pub coded: (usize, usize),
    pub options: Options,
}

impl Setup {
    /// Opens the encoder for frames with the time base and rate of `info`.
    pub fn open(&self, path: &Path, info: &MediaInfo) -> Result<Coder, EncodeError> {
        let (width, height) = self.coded;
        let refused = |source| EncodeError::Refused {
            path: path.into(),
            encoder: self.encoder.name,
            width,
            height,
            format: ffi::pixel_format_name(self.format),
            source,
        };
        let context = codec::Context::new_with_codec(self.codec);
        let mut video = context.encoder().video().map_err(refused)?;
        video.set_width(width as u32);
        video.set_height(height as u32);
        let uploads = self.encoder.uploads;
        video.set_format(if uploads { Pixel::VAAPI } else { self.format });
        let device = uploads.then(|| DeviceFrames::vaapi(self.format, width, height)).transpose().map_err(refused)?;
        if let Some(device) = &device {
            device.serve(&mut video).map_err(refused)?;
        }
        video.set_time_base(info.base);
        // Without it x264 takes one tick for one frame, which gives level 6.2 and wrong rate control.
        video.set_frame_rate(info.rate.map(|rate| ffmpeg::Rational::new(rate.num, rate.den)));
        if let Some(aspect) = info.sample_aspect {
            video.set_aspect_ratio((aspect.num, aspect.den));
        }
        video.set_colorspace(self.color.matrix);
        video.set_color_range(if self.color.full_range { color::Range::JPEG } else { color::Range::MPEG });
        video.set_color_primaries(self.color.primaries);
        video.set_color_transfer_characteristic(self.color.transfer);
        // Readers of raw video assume centred chroma, as in JPEG, if no siting is stated.
        let unsaid = self.encoder.family == Family::Raw && self.color.siting == Location::Unspecified;
        if ffi::samples_of(self.format).chroma == (1, 1) {
            ffi::set_siting(&mut video, if unsaid { Location::Left } else { self.color.siting });
        }
        ffi::add_encoder_flags(&mut video, codec::Flags::GLOBAL_HEADER | codec::Flags::BITEXACT);
        let (encoder, unknown) = ffi::open_encoder(video, self.codec, self.options.dictionary()).map_err(refused)?;
        match unknown.into_iter().next() {
            None => Ok(Coder { encoder, device }),
            Some(option) => Err(EncodeError::EncoderOption { path: path.into(), encoder: self.encoder.name, option }),
        }
    }

    /// Encodes one test picture. A hardware encoder may open and still not work.
    pub fn tried(&self, path: &Path, info: &MediaInfo) -> Result<(), EncodeError> {
        let mut coder = self.open(path, info)?;
        let mut encode = || {
            let mut picture = frame::Video::new(self.format, self.coded.0 as u32, self.coded.1 as u32);
            for plane in 0..picture.planes() {
                picture.data_mut(plane).fill(16);
            }
            picture.set_pts(Some(0));
            coder.send(&picture)?;
            coder.encoder.send_eof()?;
            coder.encoder.receive_packet(&mut Packet::empty())
        };
        encode().map_err(|source| EncodeError::libav(path, "trying the encoder", source))
    }
}
