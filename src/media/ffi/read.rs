//! What a file says about its streams, as far as the wrapper does not tell.

use std::ffi::CStr;
use std::{ptr, slice};

use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Chapter, Stream, color, ffi};

use crate::media::Ratio;

/// The parameters of a stream's codec. Numbers are 0 where they are unknown or without meaning.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// The container's name for the codec, its first letter in the lowest byte.
    pub tag: u32,
    pub width: u32,
    pub height: u32,
    pub format: Pixel,
    pub matrix: color::Space,
    pub range: color::Range,
    pub primaries: color::Primaries,
    pub transfer: color::TransferCharacteristic,
    /// Shape of a pixel as the container has it, or else the codec; `None` for square or unknown.
    pub sample_aspect: Option<Ratio>,
    pub sample_rate: i32,
    pub channels: i32,
    pub extradata: Vec<u8>,
}

/// What the demuxer (and a look at the first packets) found out about a stream.
pub fn parameters(stream: &Stream) -> Parameters {
    // SAFETY: a stream of an open context always has codec parameters; they outlive this call. Extradata is null or
    // of the size told.
    unsafe {
        let stream = &*stream.as_ptr();
        let parameters = &*stream.codecpar;
        // The fields of pictures hold other things in other streams.
        let video = parameters.codec_type == ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
        let format = if video { parameters.format } else { -1 };
        let told = |aspect: ffi::AVRational| aspect.num > 0 && aspect.den > 0;
        let aspect = Some(stream.sample_aspect_ratio)
            .filter(|&aspect| told(aspect))
            .or(Some(parameters.sample_aspect_ratio).filter(|&aspect| told(aspect)));
        let extradata = match usize::try_from(parameters.extradata_size) {
            Ok(size) if size > 0 && !parameters.extradata.is_null() => {
                slice::from_raw_parts(parameters.extradata, size).to_vec()
            }
            _ => Vec::new(),
        };
        Parameters {
            tag: parameters.codec_tag,
            width: u32::try_from(parameters.width).unwrap_or(0),
            height: u32::try_from(parameters.height).unwrap_or(0),
            format: pixel(format),
            matrix: parameters.color_space.into(),
            range: parameters.color_range.into(),
            primaries: parameters.color_primaries.into(),
            transfer: parameters.color_trc.into(),
            sample_aspect: aspect
                .filter(|aspect| aspect.num != aspect.den)
                .map(|aspect| Ratio::new(aspect.num, aspect.den)),
            sample_rate: parameters.sample_rate,
            channels: parameters.ch_layout.nb_channels,
            extradata,
        }
    }
}

/// The pixel format of a number that FFmpeg stores as a plain integer.
fn pixel(format: i32) -> Pixel {
    if !(0..ffi::AVPixelFormat::AV_PIX_FMT_NB as i32).contains(&format) {
        return Pixel::None;
    }
    // SAFETY: the enumeration has every number up to its last, and the bindings are made from the headers in use.
    unsafe { std::mem::transmute::<i32, ffi::AVPixelFormat>(format) }.into()
}

/// All dispositions of a stream, bit by bit.
pub fn dispositions(stream: &Stream) -> i32 {
    // SAFETY: the stream belongs to an open context.
    unsafe { (*stream.as_ptr()).disposition }
}

/// The tags of a file. What is not UTF-8 in them is replaced.
pub fn file_tags(input: &Input) -> Vec<(String, String)> {
    // SAFETY: the context is valid for the life of `input`.
    unsafe { entries((*input.as_ptr()).metadata) }
}

/// The tags of a stream.
pub fn stream_tags(stream: &Stream) -> Vec<(String, String)> {
    // SAFETY: the stream belongs to an open context.
    unsafe { entries((*stream.as_ptr()).metadata) }
}

/// The tags of a chapter.
pub fn chapter_tags(chapter: &Chapter) -> Vec<(String, String)> {
    // SAFETY: the chapter belongs to an open context.
    unsafe { entries((*chapter.as_ptr()).metadata) }
}

/// # Safety
/// `dictionary` is null or valid.
unsafe fn entries(dictionary: *const ffi::AVDictionary) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut entry = ptr::null_mut();
    loop {
        // SAFETY: `entry` is null or an entry of the dictionary, which is not changed here; an empty key with this
        // flag walks over all entries, whose strings are null-terminated.
        unsafe {
            entry = ffi::av_dict_get(dictionary, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX);
            if entry.is_null() {
                return found;
            }
            let text = |text| CStr::from_ptr(text).to_string_lossy().into_owned();
            found.push((text((*entry).key), text((*entry).value)));
        }
    }
}
