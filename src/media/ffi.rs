//! The only unsafe code: calls into FFmpeg that have no safe wrapper, each inside a small safe function.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{ptr, slice};

use ffmpeg_next::codec::{self, encoder};
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::packet::Ref;
use ffmpeg_next::{Dictionary, Error, ffi, filter, frame};

use super::info::{Ratio, Source};
use super::samples::{Model, Samples};

mod access;
mod device;
mod endings;
mod label;
pub mod read;
mod start;
mod stream;
mod text;
mod tidy;
mod timecode;

pub use access::{demuxer_of, protocols, reads_only_its_file, referring};
pub use device::*;
pub use endings::video_endings;
pub use label::*;
pub use start::init;
pub use stream::*;
pub use text::*;
pub use tidy::tidy;
pub use timecode::*;

fn check(code: i32) -> Result<(), Error> {
    if code < 0 { Err(Error::from(code)) } else { Ok(()) }
}

/// Converts a path to an FFmpeg URL. Without the prefix, `a:b.mp4` would be parsed as protocol `a`.
fn url(path: &Path) -> Result<CString, Error> {
    let bytes = [b"file:".as_slice(), path.as_os_str().as_bytes()].concat();
    CString::new(bytes).map_err(|_| Error::Other { errno: ffmpeg_next::error::EINVAL })
}

/// Opens a media file and probes its streams. Any path works, including one that is not UTF-8.
pub fn open_input(path: &Path) -> Result<Input, Error> {
    open_input_as(Some(path), "", Dictionary::new()).map(|(input, _)| input)
}

/// Reopens a source with the demuxer and options it was first opened with.
pub fn open_source(source: &Source) -> Result<Input, Error> {
    let mut options = Dictionary::new();
    for (key, value) in source.options.iter().filter_map(|option| option.split_once('=')) {
        options.set(key, value);
    }
    open_input_as(Some(&source.path), &source.format, options).map(|(input, _)| input)
}

/// Opens a media file, or standard input if `path` is `None`, with a demuxer (empty: detected) and its options. Also
/// returns the options that were not recognised. Only the file itself is read, unless options or demuxer request more.
pub fn open_input_as(
    path: Option<&Path>,
    demuxer: &str,
    mut options: Dictionary,
) -> Result<(Input, Vec<String>), Error> {
    access::restrict(&mut options, demuxer, if path.is_some() { "file" } else { "pipe" });
    let url = path.map_or_else(|| Ok(c"pipe:0".to_owned()), url)?;
    let name = CString::new(demuxer).map_err(|_| Error::DemuxerNotFound)?;
    let mut format = ptr::null();
    if !demuxer.is_empty() {
        // SAFETY: `name` outlives the call, which returns null or a static format.
        format = unsafe { ffi::av_find_input_format(name.as_ptr()) };
        if format.is_null() {
            return Err(Error::DemuxerNotFound);
        }
    } else if let Some(path) = path.filter(|path| path.as_os_str().as_bytes().contains(&b'%')) {
        format = access::probe(path)?;
    }
    let mut context = ptr::null_mut();
    // SAFETY: `url` outlives the call; given a null context, FFmpeg allocates one, and frees it on failure. FFmpeg
    // replaces the dictionary with the options that it did not use; `unused` then owns (and frees) them.
    let (code, unused) = unsafe {
        let mut options = options.disown();
        let code = ffi::avformat_open_input(&mut context, url.as_ptr(), format, &mut options);
        (code, Dictionary::own(options))
    };
    check(code)?;
    // SAFETY: the open succeeded, so `context` is valid and has no other owner; `Input` closes it on drop.
    let mut input = unsafe { Input::wrap(context) };
    // SAFETY: the context is open and no other reference to it is in use.
    check(unsafe { ffi::avformat_find_stream_info(input.as_mut_ptr(), ptr::null_mut()) })?;
    for index in 0..input.nb_streams() as usize {
        // SAFETY: `index` is below the number of streams; each has parameters, and no reference to them exists yet.
        unsafe { tidy::parameters((**(*input.as_mut_ptr()).streams.add(index)).codecpar) };
    }
    let unused = unused.iter().map(|(key, _)| key.to_owned()).collect();
    Ok((input, unused))
}

/// Creates a file (truncating it) for the FFmpeg muxer named `muxer`.
pub fn open_output(path: &Path, muxer: &str) -> Result<Output, Error> {
    open_output_url(&url(path)?, muxer)
}

/// Like [`open_output`], for standard output.
pub fn open_stdout(muxer: &str) -> Result<Output, Error> {
    open_output_url(c"pipe:1", muxer)
}

fn open_output_url(url: &CStr, muxer: &str) -> Result<Output, Error> {
    let muxer = CString::new(muxer).map_err(|_| Error::MuxerNotFound)?;
    let mut context = ptr::null_mut();
    // SAFETY: the strings outlive the call; on failure `context` stays null and there is nothing to free.
    check(unsafe { ffi::avformat_alloc_output_context2(&mut context, ptr::null(), muxer.as_ptr(), url.as_ptr()) })?;
    // SAFETY: the context was just allocated and has no other owner; `Output` closes its file (which may be null) and
    // frees the context on drop.
    let mut output = unsafe { Output::wrap(context) };
    // SAFETY: the context is valid; its `pb` is null and either becomes the opened file or stays null.
    check(unsafe { ffi::avio_open(&mut (*output.as_mut_ptr()).pb, url.as_ptr(), ffi::AVIO_FLAG_WRITE) })?;
    Ok(output)
}

/// Writes the buffered bytes and returns the first error of any write to the file. If the muxer's last bytes were still
/// in the buffer, a full disk shows only here.
pub fn flush_output(output: &mut Output) -> Result<(), Error> {
    // SAFETY: the context is valid for the life of `output`; `pb` is null or the file opened for it.
    unsafe {
        let pb = (*output.as_mut_ptr()).pb;
        if pb.is_null() {
            return Ok(());
        }
        ffi::avio_flush(pb);
        check((*pb).error)
    }
}

/// Returns FFmpeg's best guess of a stream's frame rate.
pub fn guess_frame_rate(input: &mut Input, index: usize) -> Option<Ratio> {
    if index >= input.nb_streams() as usize {
        return None;
    }
    // SAFETY: the index was checked, so the stream pointer is valid; the frame may be null.
    let rate = unsafe {
        let context = input.as_mut_ptr();
        ffi::av_guess_frame_rate(context, *(*context).streams.add(index), ptr::null_mut())
    };
    (rate.num > 0 && rate.den > 0).then(|| Ratio::new(rate.num, rate.den))
}

/// Returns the sample aspect ratio from the container, or else the frame; `None` for square or unknown.
pub fn guess_sample_aspect(input: &mut Input, index: usize, frame: &mut frame::Video) -> Option<Ratio> {
    if index >= input.nb_streams() as usize {
        return None;
    }
    // SAFETY: the index was checked, so the stream pointer is valid; `frame` is a live AVFrame.
    let aspect = unsafe {
        let context = input.as_mut_ptr();
        ffi::av_guess_sample_aspect_ratio(context, *(*context).streams.add(index), frame.as_mut_ptr())
    };
    (aspect.num > 0 && aspect.den > 0 && aspect.num != aspect.den).then(|| Ratio::new(aspect.num, aspect.den))
}

/// Returns whether the container's duration is only an estimate from the bit rate.
pub fn duration_is_a_guess(input: &Input) -> bool {
    // SAFETY: the context is valid for the life of `input`; the field is a plain enum.
    let method = unsafe { (*input.as_ptr()).duration_estimation_method };
    method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_BITRATE
}

/// Returns whether the clock may jump within a file of this format, as in a recorded broadcast.
pub fn clock_may_jump(input: &Input) -> bool {
    // SAFETY: the context is valid for the life of `input`, and open, so it has a demuxer, which is static.
    unsafe { (*(*input.as_ptr()).iformat).flags & ffi::AVFMT_TS_DISCONT != 0 }
}

/// Returns whether the file was read to its end without an I/O error.
pub fn is_read_to_end(input: &Input) -> bool {
    // SAFETY: the context is valid for the life of `input`; `pb` is null or its open file.
    unsafe {
        let pb = (*input.as_ptr()).pb;
        !pb.is_null() && (*pb).eof_reached != 0 && (*pb).error == 0
    }
}

/// Returns whether a muxer accepts a codec; `None` if only an attempt shows it.
pub fn muxer_takes(muxer: &str, codec: codec::Id) -> Option<bool> {
    let name = CString::new(muxer).ok()?;
    // SAFETY: `name` outlives the call; the returned format is null (checked) or static.
    let answer = unsafe {
        let format = ffi::av_guess_format(name.as_ptr(), ptr::null(), ptr::null());
        if format.is_null() {
            return Some(false);
        }
        ffi::avformat_query_codec(format, codec.into(), ffi::FF_COMPLIANCE_NORMAL)
    };
    match answer {
        1 => Some(true),
        0 => Some(false),
        _ => None,
    }
}

/// Returns whether a muxer is meant for audio too; those of animations and raw pictures are not.
pub fn muxer_has_sound(muxer: &str) -> bool {
    let Ok(name) = CString::new(muxer) else { return false };
    // SAFETY: `name` outlives the call; the returned format is null or static.
    let format = unsafe { ffi::av_guess_format(name.as_ptr(), ptr::null(), ptr::null()).as_ref() };
    format.is_some_and(|format| format.audio_codec != ffi::AVCodecID::AV_CODEC_ID_NONE)
}

/// Adds flags to the encoder's defaults (the wrapper's setter would replace them).
pub fn add_encoder_flags(encoder: &mut encoder::video::Video, flags: codec::Flags) {
    // SAFETY: the codec context is valid for the life of `encoder`.
    unsafe { (*encoder.as_mut_ptr()).flags |= flags.bits() as i32 };
}

/// Like [`add_encoder_flags`], for an audio encoder.
pub fn add_sound_flags(encoder: &mut encoder::audio::Audio, flags: codec::Flags) {
    // SAFETY: the codec context is valid for the life of `encoder`.
    unsafe { (*encoder.as_mut_ptr()).flags |= flags.bits() as i32 };
}

/// Sets the default layout for the given number of channels on an audio encoder.
pub fn set_channels(encoder: &mut encoder::audio::Audio, channels: i32) {
    // SAFETY: the codec context is valid for the life of `encoder`; the call overwrites the whole layout.
    unsafe { ffi::av_channel_layout_default(&mut (*encoder.as_mut_ptr()).ch_layout, channels) };
}

/// Sets the position of the chroma samples.
pub fn set_siting(encoder: &mut encoder::video::Video, siting: ffmpeg_next::chroma::Location) {
    // SAFETY: the codec context is valid for the life of `encoder`.
    unsafe { (*encoder.as_mut_ptr()).chroma_sample_location = siting.into() };
}

/// Opens an encoder. Also returns the names of the options it does not know (which the wrapper drops silently).
pub fn open_encoder(
    mut encoder: encoder::video::Video,
    codec: ffmpeg_next::Codec,
    options: Dictionary,
) -> Result<(encoder::Video, Vec<String>), Error> {
    // SAFETY: context and codec are valid; FFmpeg replaces the dictionary with the options that it did not use, and
    // `unused` then owns (and frees) them.
    let (code, unused) = unsafe {
        let mut options = options.disown();
        let code = ffi::avcodec_open2(encoder.as_mut_ptr(), codec.as_ptr(), &mut options);
        (code, Dictionary::own(options))
    };
    check(code)?;
    let unknown = unused.iter().map(|(key, _)| key.to_owned()).collect();
    Ok((encoder::video::Encoder(encoder), unknown))
}

/// Returns FFmpeg's name of a pixel format.
pub fn pixel_format_name(format: ffmpeg_next::format::Pixel) -> &'static str {
    format.descriptor().map_or("none", |descriptor| descriptor.name())
}

/// Returns the sample format that a pixel format stands for.
pub fn samples_of(format: ffmpeg_next::format::Pixel) -> Samples {
    // SAFETY: the call accepts any value and returns null or a static descriptor.
    let descriptor = unsafe { ffi::av_pix_fmt_desc_get(format.into()).as_ref() };
    let Some(descriptor) = descriptor else { return Samples::RGB8 };
    let has = |flag: u32| descriptor.flags & u64::from(flag) != 0;
    // Palette entries are RGB with alpha, 8 bits each.
    let palette = has(ffi::AV_PIX_FMT_FLAG_PAL as u32);
    let alpha = has(ffi::AV_PIX_FMT_FLAG_ALPHA as u32);
    let model = match descriptor.nb_components - u8::from(alpha) {
        _ if palette || has(ffi::AV_PIX_FMT_FLAG_RGB as u32) => Model::Rgb,
        1 => Model::Grey,
        _ => Model::Yuv,
    };
    let depth = if palette { 8 } else { descriptor.comp.iter().map(|component| component.depth).max().unwrap_or(8) };
    Samples {
        model,
        depth: u8::try_from(depth).unwrap_or(8).max(8),
        chroma: (descriptor.log2_chroma_w, descriptor.log2_chroma_h),
        alpha: alpha || palette,
    }
}

/// Returns the palette of a paletted frame, 256 colours as 0xAARRGGBB; empty for any other frame.
pub fn palette(frame: &frame::Video) -> Vec<u32> {
    let bytes = (frame.format() == ffmpeg_next::format::Pixel::PAL8).then(|| {
        // SAFETY: `data[1]` of a frame of this format is null (checked) or holds a palette of 1024 bytes, which lives
        // as long as `frame`.
        unsafe {
            let data = (*frame.as_ptr()).data[1];
            (!data.is_null()).then(|| slice::from_raw_parts(data, 1024))
        }
    });
    let entries = bytes.flatten().unwrap_or_default().chunks_exact(4);
    entries.map(|entry| u32::from_ne_bytes([entry[0], entry[1], entry[2], entry[3]])).collect()
}

/// Returns the first `bytes` bytes of row `y` of a full-height plane; `None` if the frame has no such row. Rows are
/// `linesize` apart, which may exceed a row and is negative in a picture that a filter flipped.
pub fn row(frame: &frame::Video, plane: usize, y: usize, bytes: usize) -> Option<&[u8]> {
    // SAFETY: the caller passes a full-height plane of an allocated frame. `plane_start` checks `plane` against the
    // arrays, `y` against the height and `bytes` against the line size, so the row lies in the plane's buffer, which
    // lives as long as `frame`.
    unsafe {
        let (data, linesize) = plane_start(frame, plane, y, bytes)?;
        Some(slice::from_raw_parts(data.offset(linesize * y as isize), bytes))
    }
}

/// Like [`row`], for writing. The frame must not share its buffers: only for frames made by `frame::Video::new`.
pub fn row_mut(frame: &mut frame::Video, plane: usize, y: usize, bytes: usize) -> Option<&mut [u8]> {
    // SAFETY: the row lies in the plane's buffer as in `row`; no other frame shares the buffer, and the exclusive
    // borrow of this one makes this the only slice.
    unsafe {
        let (data, linesize) = plane_start(frame, plane, y, bytes)?;
        Some(slice::from_raw_parts_mut(data.offset(linesize * y as isize), bytes))
    }
}

/// Returns the first byte of a plane and the distance between its rows in bytes.
///
/// # Safety
/// `frame` is an allocated video frame, and `plane` has the height of the frame.
unsafe fn plane_start(frame: &frame::Video, plane: usize, y: usize, bytes: usize) -> Option<(*mut u8, isize)> {
    if plane >= 4 || y >= frame.height() as usize {
        return None;
    }
    // SAFETY: the frame is live and `plane` is within its fixed arrays.
    let (data, linesize) = unsafe { ((*frame.as_ptr()).data[plane], (*frame.as_ptr()).linesize[plane] as isize) };
    (!data.is_null() && bytes <= linesize.unsigned_abs()).then_some((data, linesize))
}

/// Returns how many displayed pictures a stream's index lists, and how many of them do not lie entirely within the
/// first `length` bytes of the file.
pub fn index_beyond(input: &mut Input, index: usize, length: u64) -> Option<(u64, u64)> {
    if index >= input.nb_streams() as usize {
        return None;
    }
    let (mut listed, mut beyond) = (0, 0);
    // SAFETY: the index was checked, so the stream pointer is valid; an entry is null or valid until the next call.
    unsafe {
        let stream = *(*input.as_mut_ptr()).streams.add(index);
        for n in 0..ffi::avformat_index_get_entries_count(stream) {
            let Some(entry) = ffi::avformat_index_get_entry(stream, n).as_ref() else { continue };
            if entry.flags() & ffi::AVINDEX_DISCARD_FRAME != 0 {
                continue;
            }
            listed += 1;
            beyond += u64::from(i128::from(entry.pos) + i128::from(entry.size()) > i128::from(length));
        }
    }
    Some((listed, beyond))
}

/// Returns whether a packet serves only as a reference for others: an edit list discards its picture.
pub fn is_discarded(packet: &ffmpeg_next::Packet) -> bool {
    // SAFETY: the packet is live.
    unsafe { (*packet.as_ptr()).flags & ffi::AV_PKT_FLAG_DISCARD != 0 }
}

/// Closes a buffer source; its last frame ends at tick `end`.
pub fn close_source(source: &mut filter::Context, end: i64) -> Result<(), Error> {
    // SAFETY: the context is a buffer source of a live and configured graph.
    check(unsafe { ffi::av_buffersrc_close(source.as_mut_ptr(), end, 0) })
}

/// Like [`row_mut`], for a plane of `width` native floats.
pub fn float_row_mut(frame: &mut frame::Video, plane: usize, y: usize, width: usize) -> Option<&mut [f32]> {
    let bytes = row_mut(frame, plane, y, 4 * width)?;
    // SAFETY: any four bytes are a valid float; only the aligned part is used, which for FFmpeg's rows is all of it.
    let (before, floats, _) = unsafe { bytes.align_to_mut::<f32>() };
    (before.is_empty() && floats.len() == width).then_some(floats)
}

/// Like [`row`], for a plane of `width` native floats.
pub fn float_row(frame: &frame::Video, plane: usize, y: usize, width: usize) -> Option<&[f32]> {
    let bytes = row(frame, plane, y, 4 * width)?;
    // SAFETY: any four bytes are a valid float, and only the aligned part is used.
    let (before, floats, _) = unsafe { bytes.align_to::<f32>() };
    (before.is_empty() && floats.len() == width).then_some(floats)
}

/// Returns whether pictures can be converted to a pixel format; those in device memory are excluded.
pub fn can_convert_to(format: ffmpeg_next::format::Pixel) -> bool {
    // SAFETY: the call accepts any value.
    unsafe { ffi::sws_isSupportedOutput(format.into()) > 0 }
}

/// Sets a muxer's private option after its header is written.
pub fn set_muxer_option(output: &mut Output, key: &CStr, value: &str) -> Result<(), Error> {
    let value = CString::new(value).map_err(|_| Error::Other { errno: ffmpeg_next::error::EINVAL })?;
    // SAFETY: the context is valid; a muxer's private data, if not null (checked), begin with its class, as
    // `av_opt_set` requires; the strings outlive the call.
    unsafe {
        let data = (*output.as_mut_ptr()).priv_data;
        if data.is_null() { Ok(()) } else { check(ffi::av_opt_set(data, key.as_ptr(), value.as_ptr(), 0)) }
    }
}

/// Returns the format of a sink's frames: width, height, time base, frame rate (0/1 if unknown), sample aspect ratio.
pub fn sink_form(sink: &ffmpeg_next::filter::Context) -> (u32, u32, Ratio, Ratio, Ratio) {
    let ratio = |value: ffi::AVRational| Ratio::new(value.num, value.den);
    // SAFETY: the context is the buffer sink of a configured graph that outlives the call.
    unsafe {
        let sink = sink.as_ptr();
        (
            ffi::av_buffersink_get_w(sink) as u32,
            ffi::av_buffersink_get_h(sink) as u32,
            ratio(ffi::av_buffersink_get_time_base(sink)),
            ratio(ffi::av_buffersink_get_frame_rate(sink)),
            ratio(ffi::av_buffersink_get_sample_aspect_ratio(sink)),
        )
    }
}
