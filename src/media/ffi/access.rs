//! Restricts what FFmpeg may open while it reads an input: the input itself, and nothing that it refers to.
//!
//! Some formats are lists of other files or addresses (HLS, concat scripts, ...). A file of any name can be such a
//! list, so a video from a stranger could make this machine read its owner's files or contact a server.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

use ffmpeg_next::{Dictionary, ffi};

use super::{Error, check, init, url};

/// FFmpeg options that restrict the protocols and demuxers that may be used.
const PROTOCOLS: &str = "protocol_whitelist";
const FORMATS: &str = "format_whitelist";

/// Demuxers whose files name other files, or are programs. Demuxers that open no file themselves (patterns of names,
/// devices, scripts) are excluded by their flag `AVFMT_NOFILE`.
const REFERRING: [&str; 13] = [
    "concat",
    "dash",
    "hls",
    "image2",
    "imf",
    "lavfi",
    "rtp",
    "rtsp",
    "sap",
    "sdp",
    "vobsub",
    "webm_dash_manifest",
    "avs",
];

/// Sets the restrictions that the user has not set. A demuxer that is named is the user's explicit choice; `protocol`
/// is that of the input itself.
pub(super) fn restrict(options: &mut Dictionary, demuxer: &str, protocol: &str) {
    if options.get(PROTOCOLS).is_none() {
        options.set(PROTOCOLS, protocol);
    }
    if options.get(FORMATS).is_none() && demuxer.is_empty() {
        options.set(FORMATS, &harmless().join(","));
    }
}

/// Returns the option, as `key=value`, that allows `file`, `pipe` and the protocols in `more`.
pub fn protocols(more: &[String]) -> String {
    let all: Vec<&str> = ["file", "pipe"].into_iter().chain(more.iter().map(String::as_str)).collect();
    format!("{PROTOCOLS}={}", all.join(","))
}

/// Returns the demuxers that read nothing but the file they are given.
fn harmless() -> Vec<String> {
    let mut names = Vec::new();
    let mut state = ptr::null_mut();
    // SAFETY: the call iterates over static formats and returns null after the last one; their names are static
    // strings.
    while let Some(format) = unsafe { ffi::av_demuxer_iterate(&mut state).as_ref() } {
        // SAFETY: the format is static, and its name is a static null-terminated string.
        let name = unsafe { CStr::from_ptr(format.name) }.to_string_lossy();
        if format.flags & ffi::AVFMT_NOFILE == 0 && !refers(&name) {
            names.push(name.into_owned());
        }
    }
    names
}

/// Returns whether the demuxer of this name reads no other file; true also for a name that no demuxer has.
pub fn reads_only_its_file(demuxer: &str) -> bool {
    let all = harmless();
    let known = CString::new(demuxer).is_ok_and(|name| {
        // SAFETY: `name` outlives the call, which returns null or a static format.
        !unsafe { ffi::av_find_input_format(name.as_ptr()) }.is_null()
    });
    !refers(demuxer) && !known
        || all.iter().flat_map(|names| names.split(',')).any(|name| demuxer.split(',').all(|own| own == name))
}

fn refers(demuxer: &str) -> bool {
    demuxer.split(',').any(|name| REFERRING.contains(&name))
}

/// Returns the name of the demuxer that a file's content requires, if it is one whose files name others.
pub fn referring(path: &Path) -> Option<String> {
    let format = probe(path).ok()?;
    // SAFETY: `probe` returns a static format, whose name is a static null-terminated string.
    let name = unsafe { CStr::from_ptr((*format).name) }.to_string_lossy().into_owned();
    refers(&name).then_some(name)
}

/// Returns the name of the demuxer that a file's content requires, regardless of the file's name.
pub fn demuxer_of(path: &Path) -> Option<String> {
    init();
    let format = probe(path).ok()?;
    // SAFETY: `probe` returns a static format, whose name is a static null-terminated string.
    Some(unsafe { CStr::from_ptr((*format).name) }.to_string_lossy().into_owned())
}

/// Detects the demuxer of a file from its content alone, since a name that contains `%d` would be taken for a pattern.
pub(super) fn probe(path: &Path) -> Result<*const ffi::AVInputFormat, Error> {
    let mut format = ptr::null();
    let mut pb = ptr::null_mut();
    let url: CString = url(path)?;
    // SAFETY: the strings outlive the calls; `pb` is open after the first check, and closed (which makes it null)
    // whatever the result of probing; the returned format is null or static.
    unsafe {
        check(ffi::avio_open(&mut pb, url.as_ptr(), ffi::AVIO_FLAG_READ))?;
        let found = ffi::av_probe_input_buffer(pb, &mut format, c"".as_ptr(), ptr::null_mut(), 0, 0);
        ffi::avio_closep(&mut pb);
        check(found)?;
    }
    if format.is_null() { Err(Error::InvalidData) } else { Ok(format) }
}
