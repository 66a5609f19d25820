//! Reads the stream properties and tags of a file that the wrapper does not expose.

use std::ffi::CStr;
use std::{ptr, slice};

use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::{Chapter, Stream, color, ffi};

use crate::media::Ratio;

/// The codec parameters of a stream. Numbers are 0 where they are unknown or do not apply.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// The container's name for the codec, with its first letter in the lowest byte.
    pub tag: u32,
    pub width: u32,
    pub height: u32,
    pub format: Pixel,
    pub matrix: color::Space,
    pub range: color::Range,
    pub primaries: color::Primaries,
    pub transfer: color::TransferCharacteristic,
    /// Sample aspect ratio from the container, or else the codec; `None` for square or unknown.
    pub sample_aspect: Option<Ratio>,
    pub sample_rate: i32,
    pub channels: i32,
    pub extradata: Vec<u8>,
}

/// Returns what the demuxer (and a probe of the first packets) found out about a stream.
pub fn parameters(stream: &Stream) -> Parameters {
    // SAFETY: a stream of an open context always has codec parameters, and they outlive this call. Extradata is null or
    // of the stated size.
    unsafe {
        let stream = &*stream.as_ptr();
        let parameters = &*stream.codecpar;
        // In other kinds of streams this field has a different meaning.
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

/// Converts a pixel format that FFmpeg stores as a plain integer.
fn pixel(format: i32) -> Pixel {
    if !(0..ffi::AVPixelFormat::AV_PIX_FMT_NB as i32).contains(&format) {
        return Pixel::None;
    }
    // SAFETY: the number was checked to be in 0..NB. The enumeration has every value in that range, and the bindings
    // are generated from the headers in use.
    unsafe { std::mem::transmute::<i32, ffi::AVPixelFormat>(format) }.into()
}

/// Returns the disposition flags of a stream.
pub fn dispositions(stream: &Stream) -> i32 {
    // SAFETY: the stream belongs to an open context.
    unsafe { (*stream.as_ptr()).disposition }
}

/// Returns the tags of a file. Bytes that are not UTF-8 are replaced.
pub fn file_tags(input: &Input) -> Vec<(String, String)> {
    // SAFETY: the context is valid for the life of `input`; its dictionary is null or valid.
    unsafe { entries((*input.as_ptr()).metadata) }
}

/// Returns the tags of a stream.
pub fn stream_tags(stream: &Stream) -> Vec<(String, String)> {
    // SAFETY: the stream belongs to an open context; its dictionary is null or valid.
    unsafe { entries((*stream.as_ptr()).metadata) }
}

/// Returns the tags of a chapter.
pub fn chapter_tags(chapter: &Chapter) -> Vec<(String, String)> {
    // SAFETY: the chapter belongs to an open context; its dictionary is null or valid.
    unsafe { entries((*chapter.as_ptr()).metadata) }
}

/// Returns all entries of a dictionary.
///
/// # Safety
/// `dictionary` is null or valid.
unsafe fn entries(dictionary: *const ffi::AVDictionary) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut entry = ptr::null_mut();
    loop {
        // SAFETY: `entry` is null or an entry of the dictionary, which is not changed here; with this flag an empty key
        // matches every entry in turn; the strings of an entry are null-terminated.
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
