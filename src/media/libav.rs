//! Start-up of the FFmpeg libraries.

use std::sync::Once;

use ffmpeg_next as ffmpeg;

use super::ffi;

/// Makes FFmpeg's error texts available and keeps its own log silent: a user sees this program's one line per
/// error, not the libraries' chatter. Only the first call does anything.
pub fn init() {
    static START: Once = Once::new();
    START.call_once(|| {
        // SVT-AV1 writes to standard error by itself; 0: only when it gives up.
        ffi::default_variable("SVT_LOG", "0");
        // Cannot fail with FFmpeg >= 4, and without it only the error texts would be missing.
        let _ = ffmpeg::init();
        ffmpeg::log::set_level(ffmpeg::log::Level::Fatal);
    });
}

/// The FFmpeg libraries in use, name and version.
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

/// Whether FFmpeg has an encoder of this name.
pub fn has_encoder(name: &str) -> bool {
    init();
    ffmpeg::codec::encoder::find_by_name(name).is_some()
}
