//! Reads the properties of streams and copies them from one stream to another.

use std::ffi::{CStr, CString};
use std::{ptr, slice};

use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::packet::side_data;
use ffmpeg_next::{Error, Stream, StreamMut, ffi, media};

use super::check;
use crate::media::Ratio;
use crate::media::tags::is_label;

/// Sets the sample aspect ratio of a stream in the container.
pub fn set_stream_aspect(stream: &mut StreamMut, aspect: Ratio) {
    let aspect = ffi::AVRational { num: aspect.num, den: aspect.den };
    // SAFETY: the stream and its codec parameters are valid for the life of `stream`.
    unsafe {
        let stream = stream.as_mut_ptr();
        (*stream).sample_aspect_ratio = aspect;
        (*(*stream).codecpar).sample_aspect_ratio = aspect;
    }
}

/// Copies codec parameters, disposition and tags (except those in `skip`) from one stream to another, whatever the
/// container.
pub fn copy_stream(from: &Stream, to: &mut StreamMut, skip: &[&str]) -> Result<(), Error> {
    // SAFETY: both streams belong to open contexts that outlive the call; the copy is deep.
    unsafe {
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        check(ffi::avcodec_parameters_copy((*to).codecpar, (*from).codecpar))?;
        // The tag is the source container's name for the codec; the muxer chooses its own.
        (*(*to).codecpar).codec_tag = 0;
        (*to).disposition = (*from).disposition;
        copy_dictionary((*from).metadata, &mut (*to).metadata, skip)
    }
}

/// Returns the extradata that a stream's decoder needs before the first packet; empty if it needs none.
pub fn extradata(stream: &Stream) -> Vec<u8> {
    // SAFETY: a stream of an open context always has codec parameters, whose extradata is null or of the stated size.
    unsafe {
        let parameters = (*stream.as_ptr()).codecpar;
        match usize::try_from((*parameters).extradata_size) {
            Ok(size) if size > 0 && !(*parameters).extradata.is_null() => {
                slice::from_raw_parts((*parameters).extradata, size).to_vec()
            }
            _ => Vec::new(),
        }
    }
}

/// Returns the samples per second of an audio stream; 0 if unknown.
pub fn sample_rate(stream: &Stream) -> i32 {
    // SAFETY: a stream of an open context always has codec parameters.
    unsafe { (*(*stream.as_ptr()).codecpar).sample_rate }
}

/// Returns the seconds that an audio stream's decoder drops at its beginning, if the container has a field for them.
pub fn codec_delay(stream: &Stream) -> f64 {
    // SAFETY: a stream of an open context always has codec parameters.
    let (samples, rate) = unsafe {
        let parameters = (*stream.as_ptr()).codecpar;
        ((*parameters).initial_padding, (*parameters).sample_rate)
    };
    if rate > 0 { f64::from(samples) / f64::from(rate) } else { 0.0 }
}

/// Copies only the disposition and the tags (language, title, ...) of a stream, except the tags in `skip`.
pub fn copy_stream_metadata(from: &Stream, to: &mut StreamMut, skip: &[&str]) -> Result<(), Error> {
    // SAFETY: both streams belong to open contexts that outlive the call, and their dictionaries are separate.
    unsafe {
        let (from, to) = (from.as_ptr(), to.as_mut_ptr());
        (*to).disposition = (*from).disposition;
        copy_dictionary((*from).metadata, &mut (*to).metadata, skip)
    }
}

/// Copies the tags (title, artist, ...) of a file, except those in `skip`.
pub fn copy_metadata(from: &Input, to: &mut Output, skip: &[&str]) -> Result<(), Error> {
    // SAFETY: both contexts are valid for the life of their owners, and their dictionaries are separate.
    unsafe { copy_dictionary((*from.as_ptr()).metadata, &mut (*to.as_mut_ptr()).metadata, skip) }
}

/// Copies the tags of a chapter.
pub fn copy_chapter_metadata(from: &ffmpeg_next::Chapter, to: &mut ffmpeg_next::ChapterMut) -> Result<(), Error> {
    // SAFETY: both chapters belong to open contexts that outlive the call, and their dictionaries are separate.
    unsafe { copy_dictionary((*from.as_ptr()).metadata, &mut (*to.as_mut_ptr()).metadata, &[]) }
}

/// Copies the entries of a dictionary byte for byte, since tags need not be UTF-8. This program's own label is never
/// copied: it records how the source was made.
///
/// # Safety
/// `from` is null or a valid dictionary that `to` does not own; `to` points to null or a valid dictionary.
unsafe fn copy_dictionary(
    from: *const ffi::AVDictionary,
    to: *mut *mut ffi::AVDictionary,
    skip: &[&str],
) -> Result<(), Error> {
    let mut entry = ptr::null_mut();
    loop {
        // SAFETY: `entry` is null or an entry of `from`, which is not changed here; with this flag an empty key matches
        // every entry in turn; the strings of an entry are null-terminated and `av_dict_set` copies them.
        unsafe {
            entry = ffi::av_dict_get(from, c"".as_ptr(), entry, ffi::AV_DICT_IGNORE_SUFFIX);
            if entry.is_null() {
                return Ok(());
            }
            let key = CStr::from_ptr((*entry).key);
            let key = key.to_bytes();
            if !is_label(key) && !skip.iter().any(|name| key.eq_ignore_ascii_case(name.as_bytes())) {
                check(ffi::av_dict_set(to, (*entry).key, (*entry).value, 0))?;
            }
        }
    }
}

/// Sets a tag of a stream unless the stream already has a tag of that name.
pub fn default_tag(stream: &mut StreamMut, key: &str, value: &str) -> Result<(), Error> {
    let text = |text: &str| CString::new(text).map_err(|_| Error::InvalidData);
    let (key, value) = (text(key)?, text(value)?);
    // SAFETY: the stream is valid for the life of `stream`; both strings outlive the call, which copies them.
    unsafe {
        let metadata = &mut (*stream.as_mut_ptr()).metadata;
        check(ffi::av_dict_set(metadata, key.as_ptr(), value.as_ptr(), ffi::AV_DICT_DONT_OVERWRITE))
    }
}

/// Sets a tag of a file.
pub fn set_file_tag(output: &mut Output, key: &str, value: &str) -> Result<(), Error> {
    let text = |text: &str| CString::new(text).map_err(|_| Error::InvalidData);
    let (key, value) = (text(key)?, text(value)?);
    // SAFETY: the context is valid for the life of `output`; both strings outlive the call, which copies them.
    unsafe { check(ffi::av_dict_set(&mut (*output.as_mut_ptr()).metadata, key.as_ptr(), value.as_ptr(), 0)) }
}

/// Returns the source container's name for a stream's codec as its four bytes; zeros if there is none.
pub fn codec_tag(stream: &Stream) -> [u8; 4] {
    // SAFETY: a stream of an open context always has codec parameters.
    unsafe { (*(*stream.as_ptr()).codecpar).codec_tag }.to_le_bytes()
}

/// Sets a stream's codec tag to the one that it has in another container.
pub fn set_codec_tag(stream: &mut StreamMut, tag: [u8; 4]) {
    // SAFETY: a stream of an open context always has codec parameters.
    unsafe { (*(*stream.as_mut_ptr()).codecpar).codec_tag = u32::from_le_bytes(tag) }
}

/// Sets the disposition flags of a stream.
pub fn set_disposition(stream: &mut StreamMut, disposition: Disposition) {
    // SAFETY: the stream is valid for the life of `stream`; any bits are allowed in the field.
    unsafe { (*stream.as_mut_ptr()).disposition = disposition.bits() }
}

/// Returns whether a stream holds thumbnails that show parts of another stream.
pub fn is_thumbnail_track(stream: &Stream) -> bool {
    // SAFETY: the stream is valid for the life of `stream`.
    unsafe { (*stream.as_ptr()).disposition & ffi::AV_DISPOSITION_TIMED_THUMBNAILS != 0 }
}

/// Returns the picture file that a cover art stream consists of.
pub fn cover_picture<'a>(stream: &'a Stream) -> Option<&'a [u8]> {
    // SAFETY: the packet belongs to the stream and changes only when the file is opened or closed; its data, if not
    // null (checked), are `size` bytes long.
    unsafe {
        let packet = &(*stream.as_ptr()).attached_pic;
        (!packet.data.is_null() && packet.size > 0).then(|| slice::from_raw_parts(packet.data, packet.size as usize))
    }
}

/// Turns a stream into an attachment with these bytes.
pub fn attach(stream: &mut StreamMut, bytes: &[u8]) -> Result<(), Error> {
    let size = i32::try_from(bytes.len()).map_err(|_| Error::InvalidData)?;
    let padded = bytes.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
    // SAFETY: the stream and its parameters are valid. The new buffer has room for the bytes and FFmpeg's padding,
    // which is zeroed; the old one is freed before its pointer is replaced, and FFmpeg frees the new one with the
    // stream.
    unsafe {
        let parameters = (*stream.as_mut_ptr()).codecpar;
        ffi::av_freep((&raw mut (*parameters).extradata).cast());
        (*parameters).extradata_size = 0;
        let buffer = ffi::av_mallocz(padded).cast::<u8>();
        if buffer.is_null() {
            return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len());
        (*parameters).extradata = buffer;
        (*parameters).extradata_size = size;
        (*parameters).codec_type = media::Type::Attachment.into();
    }
    Ok(())
}

/// Copies the side data that a container holds for a stream besides its codec and tags: display matrix, stereo mode,
/// projection, mastering display, replay gain.
pub fn copy_side_data(from: &Stream, to: &mut StreamMut) -> Result<(), Error> {
    copy_side_data_if(from, to, |_| true)
}

/// Copies the spatial layout of the pictures: stereo mode and projection (as in 360 degree video).
pub fn copy_projection(from: &Stream, to: &mut StreamMut) -> Result<(), Error> {
    copy_side_data_if(from, to, |kind| matches!(kind, side_data::Type::Stereo3d | side_data::Type::DataSpherical))
}

fn copy_side_data_if(from: &Stream, to: &mut StreamMut, wanted: impl Fn(side_data::Type) -> bool) -> Result<(), Error> {
    for item in from.side_data().filter(|item| wanted(item.kind())) {
        let bytes = item.data();
        // SAFETY: the stream and its parameters are valid; the new buffer belongs to them, and is null (checked) or as
        // long as the bytes that are copied into it.
        unsafe {
            #[cfg(not(ffmpeg_8_0))]
            let buffer = ffi::av_stream_new_side_data(to.as_mut_ptr(), item.kind().into(), bytes.len());
            #[cfg(ffmpeg_8_0)]
            let buffer = {
                let parameters = (*to.as_mut_ptr()).codecpar;
                let (list, count) = (&raw mut (*parameters).coded_side_data, &raw mut (*parameters).nb_coded_side_data);
                ffi::av_packet_side_data_new(list, count, item.kind().into(), bytes.len(), 0)
                    .as_mut()
                    .map_or(ptr::null_mut(), |item| item.data)
            };
            if buffer.is_null() {
                return Err(Error::Other { errno: ffmpeg_next::error::ENOMEM });
            }
            ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len());
        }
    }
    Ok(())
}

/// Returns the average frame rate that the container states; `None` if unknown.
pub fn average_rate(stream: &Stream) -> Option<Ratio> {
    let rate = stream.avg_frame_rate();
    (rate.numerator() > 0 && rate.denominator() > 0).then(|| Ratio::new(rate.numerator(), rate.denominator()))
}

/// Copies the sample aspect ratio that the container states for a stream.
pub fn copy_stream_aspect(from: &Stream, to: &mut StreamMut) {
    // SAFETY: both streams belong to open contexts that outlive the call.
    unsafe { (*to.as_mut_ptr()).sample_aspect_ratio = (*from.as_ptr()).sample_aspect_ratio }
}

/// Writes the packets that a muxer has interleaved but not written yet.
pub fn write_queued(output: &mut Output) -> Result<(), Error> {
    // SAFETY: the header was written, so the context accepts packets; a null packet flushes the interleaving queue.
    check(unsafe { ffi::av_interleaved_write_frame(output.as_mut_ptr(), ptr::null_mut()) })
}
