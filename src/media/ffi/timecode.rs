//! SMPTE timecodes.

use std::ffi::{CStr, CString};
use std::{mem, ptr};

use ffmpeg_next::ffi;

use crate::media::Ratio;

/// Returns the timecode `frames` frames after `text` (`01:02:03:04`, with `;` for drop frame) at a frame rate; `None`
/// if `text` is not a timecode at that rate.
pub fn timecode_after(text: &str, rate: Ratio, frames: i64) -> Option<String> {
    let text = CString::new(text).ok()?;
    let frames = i32::try_from(frames).ok()?;
    let rate = ffi::AVRational { num: rate.num, den: rate.den };
    let mut buffer = [0; ffi::AV_TIMECODE_STR_SIZE as usize];
    // SAFETY: an all-zero AVTimecode is valid, and the first call fills it in; the log context may be null; the strings
    // outlive the calls; the buffer has the size that the second call requires and receives a null-terminated string.
    unsafe {
        let mut timecode: ffi::AVTimecode = mem::zeroed();
        if ffi::av_timecode_init_from_string(&mut timecode, rate, text.as_ptr(), ptr::null_mut()) < 0 {
            return None;
        }
        ffi::av_timecode_make_string(&timecode, buffer.as_mut_ptr(), frames);
        CStr::from_ptr(buffer.as_ptr()).to_str().ok().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timecodes_count_frames() {
        assert_eq!(timecode_after("01:02:03:04", Ratio::new(25, 1), 22).as_deref(), Some("01:02:04:01"));
        assert_eq!(timecode_after("00:00:59;29", Ratio::new(30000, 1001), 1).as_deref(), Some("00:01:00;02"));
        assert_eq!(timecode_after("noon", Ratio::new(25, 1), 0), None);
    }
}
