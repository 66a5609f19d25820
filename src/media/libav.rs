//! Start-up of the FFmpeg libraries.

use std::sync::Once;

use ffmpeg_next as ffmpeg;

use super::ffi;

/// Initialises FFmpeg's error texts and silences its log, so that the user sees this program's one line per error and
/// nothing from the libraries. Only the first call has an effect.
pub fn init() {
    static START: Once = Once::new();
    START.call_once(|| {
        // SVT-AV1 writes to standard error by itself; level 0 limits that to fatal errors.
        ffi::default_variable("SVT_LOG", "0");
        // Cannot fail with FFmpeg >= 4, and a failure would only cost the error texts.
        let _ = ffmpeg::init();
        ffmpeg::log::set_level(ffmpeg::log::Level::Fatal);
    });
}

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
