//! Reads this program's own tag from a file's header alone.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

use ffmpeg_next::ffi;

use super::{init, url};
use crate::media::tags::LABEL;

/// Upper limit for the parts of a label: this program never writes more.
const MOST_PARTS: usize = 2000;

/// Returns the key of part `part` of a label, counted from 0.
pub fn label_key(part: usize) -> String {
    if part == 0 { LABEL.to_owned() } else { format!("{LABEL}_{}", part + 1) }
}

/// Reads the label from a file's tags, all parts joined, without probing the streams. `demuxer` names the only demuxer
/// that is tried.
pub fn read_label(path: &Path, demuxer: &str) -> Option<String> {
    init();
    let (url, name) = (url(path).ok()?, CString::new(demuxer).ok()?);
    let mut context = ptr::null_mut();
    // SAFETY: the strings outlive the calls. Given a null context, FFmpeg allocates one, which it frees itself on
    // failure and which is closed below.
    unsafe {
        let format = ffi::av_find_input_format(name.as_ptr());
        if format.is_null() || ffi::avformat_open_input(&mut context, url.as_ptr(), format, ptr::null_mut()) < 0 {
            return None;
        }
    }
    let mut text = None::<String>;
    for part in 0..MOST_PARTS {
        let Ok(key) = CString::new(label_key(part)) else { break };
        // SAFETY: the context is open and owns the dictionary; the entry's value is a null-terminated string, copied
        // before the context is closed.
        let found = unsafe {
            let entry = ffi::av_dict_get((*context).metadata, key.as_ptr(), ptr::null(), 0).as_ref();
            entry.map(|entry| CStr::from_ptr(entry.value).to_string_lossy().into_owned())
        };
        let Some(found) = found else { break };
        text.get_or_insert_default().push_str(&found);
    }
    // SAFETY: the context is open, has no other owner, and is not used afterwards.
    unsafe { ffi::avformat_close_input(&mut context) };
    text
}
