//! The FFmpeg libraries in use.

use ffmpeg_next as ffmpeg;

use super::ffi::init;

/// Returns the name and version of each FFmpeg library in use.
pub fn libraries() -> Vec<(String, String)> {
    let dotted = |version: u32| format!("{}.{}.{}", version >> 16, (version >> 8) & 0xff, version & 0xff);
    [
        ("libavutil", ffmpeg::util::version()),
        ("libavcodec", ffmpeg::codec::version()),
        ("libavformat", ffmpeg::format::version()),
        ("libavfilter", ffmpeg::filter::version()),
        ("libswscale", ffmpeg::software::scaling::version()),
    ]
    .map(|(name, version)| (name.to_owned(), dotted(version)))
    .to_vec()
}

/// Returns whether FFmpeg has an encoder of this name.
pub fn has_encoder(name: &str) -> bool {
    init();
    ffmpeg::codec::encoder::find_by_name(name).is_some()
}
