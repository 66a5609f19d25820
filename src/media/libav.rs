//! Start-up of the FFmpeg libraries.

use std::sync::Once;

use ffmpeg_next as ffmpeg;

/// Makes FFmpeg's error texts available and keeps its own log silent: a user sees this program's one line per
/// error, not the libraries' chatter. Only the first call does anything.
pub fn init() {
    static START: Once = Once::new();
    START.call_once(|| {
        // Cannot fail with FFmpeg >= 4, and without it only the error texts would be missing.
        let _ = ffmpeg::init();
        ffmpeg::log::set_level(ffmpeg::log::Level::Fatal);
    });
}
