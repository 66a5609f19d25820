//! The file extensions that FFmpeg knows for moving pictures.

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char};
use std::ptr;

use ffmpeg_next::ffi;

/// Demuxers of moving pictures that have no muxer, or one of a different name.
const DEMUXERS: [&str; 38] = [
    "av1",
    "avi",
    "avs2",
    "avs3",
    "bmv",
    "cavsvideo",
    "cdxl",
    "dhav",
    "dv",
    "filmstrip",
    "flv",
    "h261",
    "h263",
    "h264",
    "hevc",
    "ifv",
    "ipu",
    "ivr",
    "kux",
    "lvf",
    "m4v",
    "matroska,webm",
    "mjpeg",
    "mods",
    "moflex",
    "mov,mp4,m4a,3gp,3g2,mj2",
    "mpeg",
    "mpegts",
    "mvi",
    "mxg",
    "nut",
    "obu",
    "rm",
    "simbiosis_imx",
    "smk",
    "ty",
    "vivo",
    "yuv4mpegpipe",
];

/// Extensions of those demuxers, and of muxers with a video codec, that stand for audio, still pictures, lists,
/// programs or raw samples without a header.
const OTHERS: [&str; 47] = [
    "a64", "aif", "aifc", "aiff", "afc", "avif", "bmp", "dat", "dpx", "exr", "fits", "flac", "ico", "im1", "im24",
    "im8", "isma", "j2c", "j2k", "jls", "jp2", "jpeg", "jpg", "jxl", "ljpg", "m2a", "m3u8", "m4a", "m4b", "mka", "mks",
    "mp2", "mp3", "mpa", "mpd", "mpo", "pix", "png", "qoi", "ra", "rgb", "tif", "tiff", "webp", "wma", "y", "yuv",
];

/// Returns the extensions in lower case, sorted.
pub fn video_endings() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut note = |list: *const c_char| {
        if !list.is_null() {
            // SAFETY: `list` is not null, and lists of extensions are static null-terminated strings.
            let list = unsafe { CStr::from_ptr(list) }.to_string_lossy().to_lowercase();
            found.extend(list.split(',').map(|ending| ending.trim().to_owned()));
        }
    };
    let mut state = ptr::null_mut();
    // SAFETY: the call iterates over static formats and returns null after the last one.
    while let Some(format) = unsafe { ffi::av_demuxer_iterate(&mut state).as_ref() } {
        // SAFETY: the format is static, and its name is a static null-terminated string.
        let name = unsafe { CStr::from_ptr(format.name) }.to_string_lossy();
        if DEMUXERS.contains(&&*name) {
            note(format.extensions);
        }
    }
    let mut state = ptr::null_mut();
    // SAFETY: the call iterates over static formats and returns null after the last one.
    while let Some(format) = unsafe { ffi::av_muxer_iterate(&mut state).as_ref() } {
        // SAFETY: the format is static, and its name is a static null-terminated string.
        let name = unsafe { CStr::from_ptr(format.name) }.to_string_lossy();
        if format.video_codec != ffi::AVCodecID::AV_CODEC_ID_NONE && !name.starts_with("image2") {
            note(format.extensions);
        }
    }
    found.retain(|ending| !ending.is_empty() && !OTHERS.contains(&ending.as_str()));
    found
}
