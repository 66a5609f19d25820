//! The one tag of a file that is ours, read from its head alone.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

use ffmpeg_next::ffi;

use super::url;
use crate::media::tags::LABEL;

/// The label among a file's tags, without a look at its streams. `demuxer` is the name of the only one that is tried.
pub fn read_label(path: &Path, demuxer: &str) -> Option<String> {
    crate::media::init();
    let (url, name, key) = (url(path).ok()?, CString::new(demuxer).ok()?, CString::new(LABEL).ok()?);
    let mut context = ptr::null_mut();
    // SAFETY: the strings outlive the calls. A null context makes FFmpeg allocate one, which it frees itself on failure
    // and which is closed below; a null format (there is no such demuxer) makes it find one. The dictionary belongs to
    // the context, the entry's value is a text that ends in zero and is copied before the context is closed.
    unsafe {
        let format = ffi::av_find_input_format(name.as_ptr());
        if format.is_null() || ffi::avformat_open_input(&mut context, url.as_ptr(), format, ptr::null_mut()) < 0 {
            return None;
        }
        let entry = ffi::av_dict_get((*context).metadata, key.as_ptr(), ptr::null(), 0).as_ref();
        let text = entry.map(|entry| CStr::from_ptr(entry.value).to_string_lossy().into_owned());
        ffi::avformat_close_input(&mut context);
        text
    }
}
