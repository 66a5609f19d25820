//! What FFmpeg may reach while it reads an input: the input itself, and nothing that stands in it.
//!
//! Some formats are lists of other files or addresses (HLS, concat scripts, ...). A file of any name can be one, so
//! that a video from a stranger could have this machine read its owner's files, or call a server.

use std::ffi::{CStr, CString};
use std::path::Path;
use std::ptr;

use ffmpeg_next::{Dictionary, ffi};

use super::{Error, check, url};

/// Options of FFmpeg's that say what may be reached.
const PROTOCOLS: &str = "protocol_whitelist";
const FORMATS: &str = "format_whitelist";

/// Demuxers whose files name others, or are programs. Those that open no file themselves (`AVFMT_NOFILE`: patterns of
/// names, devices, scripts) are added to them by that mark.
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

/// Fills in what the user has not allowed otherwise. A demuxer that is named is the user's own wish; `protocol` is that
/// of the input itself.
pub(super) fn restrict(options: &mut Dictionary, demuxer: &str, protocol: &str) {
    if options.get(PROTOCOLS).is_none() {
        options.set(PROTOCOLS, protocol);
    }
    if options.get(FORMATS).is_none() && demuxer.is_empty() {
        options.set(FORMATS, &harmless().join(","));
    }
}

/// The option that allows FFmpeg more protocols than `file`, beside it, as `key=value`.
pub fn protocols(more: &[String]) -> String {
    let all: Vec<&str> = ["file", "pipe"].into_iter().chain(more.iter().map(String::as_str)).collect();
    format!("{PROTOCOLS}={}", all.join(","))
}

/// The demuxers that read nothing but the file they are given.
fn harmless() -> Vec<String> {
    let mut names = Vec::new();
    let mut state = ptr::null_mut();
    // SAFETY: the call walks over static formats and returns null after the last; their names are static texts.
    while let Some(format) = unsafe { ffi::av_demuxer_iterate(&mut state).as_ref() } {
        // SAFETY: as above.
        let name = unsafe { CStr::from_ptr(format.name) }.to_string_lossy();
        if format.flags & ffi::AVFMT_NOFILE == 0 && !refers(&name) {
            names.push(name.into_owned());
        }
    }
    names
}

/// Whether a demuxer of this name is none of those that open other files. So also for a name that there is not.
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

/// The name of the demuxer that a file's content asks for, if that is one whose files name others.
pub fn referring(path: &Path) -> Option<String> {
    let format = probe(path).ok()?;
    // SAFETY: a format that was found is static, and so is its name.
    let name = unsafe { CStr::from_ptr((*format).name) }.to_string_lossy().into_owned();
    refers(&name).then_some(name)
}

/// The name of the demuxer that a file's content asks for, whatever the file is called.
pub fn demuxer_of(path: &Path) -> Option<String> {
    crate::media::init();
    let format = probe(path).ok()?;
    // SAFETY: a format that was found is static, and so is its name.
    Some(unsafe { CStr::from_ptr((*format).name) }.to_string_lossy().into_owned())
}

/// The demuxer for a file by its content alone: a name with `%d` in it would be taken for a pattern of many names.
pub(super) fn probe(path: &Path) -> Result<*const ffi::AVInputFormat, Error> {
    let mut format = ptr::null();
    let mut pb = ptr::null_mut();
    let url: CString = url(path)?;
    // SAFETY: the texts outlive the calls; `pb` is null or open, and closed (which makes it null) whatever probing says.
    unsafe {
        check(ffi::avio_open(&mut pb, url.as_ptr(), ffi::AVIO_FLAG_READ))?;
        let found = ffi::av_probe_input_buffer(pb, &mut format, c"".as_ptr(), ptr::null_mut(), 0, 0);
        ffi::avio_closep(&mut pb);
        check(found)?;
    }
    if format.is_null() { Err(Error::InvalidData) } else { Ok(format) }
}
