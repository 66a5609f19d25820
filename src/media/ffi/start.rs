//! Start-up of the FFmpeg libraries.

use std::sync::Once;

use ffmpeg_next as ffmpeg;

/// Initialises FFmpeg's error texts and silences its log, so that the user sees this program's one line per error and
/// nothing from the libraries. Only the first call has an effect.
pub fn init() {
    static START: Once = Once::new();
    START.call_once(|| {
        // SVT-AV1 writes to standard error by itself; level 0 limits that to fatal errors.
        default_variable("SVT_LOG", "0");
        // Cannot fail with FFmpeg >= 4, and a failure would only cost the error texts.
        let _ = ffmpeg::init();
        ffmpeg::log::set_level(ffmpeg::log::Level::Fatal);
    });
}

/// Sets an environment variable unless it is set already.
fn default_variable(name: &str, value: &str) {
    if std::env::var_os(name).is_none() {
        // SAFETY: called during FFmpeg's start-up, before there is any thread that could read the environment.
        unsafe { std::env::set_var(name, value) };
    }
}
