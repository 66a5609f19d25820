//! Opens an input: turns a path, or standard input, into a demuxer and a decoder.

use std::io::ErrorKind;
use std::path::Path;

use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, Dictionary, codec, decoder, media, packet, threading};

use super::container;
use super::error::DecodeError;
use crate::media::ffi;
use crate::settings::InputSettings;

/// Checks a path before FFmpeg opens it: the file must exist and be readable, and must be neither a folder nor empty.
pub(crate) fn look_at(path: &Path) -> Result<(), DecodeError> {
    let path = || path.to_path_buf();
    match std::fs::metadata(path()) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(DecodeError::Missing { path: path() }),
        Err(source) => Err(DecodeError::Io { path: path(), source }),
        Ok(found) if found.is_dir() => Err(DecodeError::Folder { path: path() }),
        Ok(found) if found.is_file() && found.len() == 0 => Err(DecodeError::Empty { path: path() }),
        // Opening the file here reports missing permissions in the system's own words.
        Ok(_) => std::fs::File::open(path()).map(drop).map_err(|source| DecodeError::Io { path: path(), source }),
    }
}

/// Opens the container with the format and options of the settings. `file` is `None` for standard input; `path` is the
/// name that error messages use.
pub(super) fn demuxer(path: &Path, file: Option<&Path>, settings: &InputSettings) -> Result<Input, DecodeError> {
    let mut options = Dictionary::new();
    for option in &settings.options {
        let (key, value) = option
            .split_once('=')
            .filter(|(key, value)| !key.is_empty() && !key.contains('\0') && !value.contains('\0'))
            .ok_or_else(|| DecodeError::BadOption { option: option.clone() })?;
        options.set(key, value);
    }
    if let Some((key, value)) = protocols(settings).as_deref().and_then(|option| option.split_once('=')) {
        options.set(key, value);
    }
    let (format, file_path) = (settings.format.trim(), path);
    let opened = ffi::open_input_as(file, format, options).map_err(|error| match error {
        ffmpeg::Error::DemuxerNotFound => DecodeError::UnknownFormat { format: format.into() },
        error if format.is_empty() && is_refused(error) && file.is_some_and(|file| ffi::referring(file).is_some()) => {
            refused(file_path, error)
        }
        source if !format.is_empty() || !settings.options.is_empty() => DecodeError::NotOfFormat {
            path: path.into(),
            format: if format.is_empty() { "such".into() } else { format.into() },
            source,
        },
        ffmpeg::Error::InvalidData if file.is_some_and(container::lacks_index) => {
            DecodeError::NoIndex { path: file_path.into() }
        }
        ffmpeg::Error::InvalidData => DecodeError::NotMedia { path: file_path.into() },
        source => DecodeError::Libav { path: file_path.into(), doing: "opening it", source },
    })?;
    let (input, unused) = opened;
    if !unused.is_empty() {
        let demuxer = input.format().name().to_owned();
        return Err(DecodeError::UnknownOptions { options: unused.join(", "), demuxer });
    }
    Ok(input)
}

/// Returns the demuxer option for the protocols that the settings allow in addition to files, as `key=value`.
pub(super) fn protocols(settings: &InputSettings) -> Option<String> {
    (!settings.protocols.is_empty()).then(|| ffi::protocols(&settings.protocols))
}

/// Whether FFmpeg refused the file because its format is not allowed.
fn is_refused(error: ffmpeg::Error) -> bool {
    matches!(error, ffmpeg::Error::Other { errno: ffmpeg::error::EINVAL })
}

/// Converts FFmpeg's error for a file that was opened without a given format.
pub(crate) fn refused(path: &Path, error: ffmpeg::Error) -> DecodeError {
    match error {
        ffmpeg::Error::InvalidData => DecodeError::NotMedia { path: path.into() },
        source => match ffi::referring(path).filter(|_| is_refused(source)) {
            Some(demuxer) => DecodeError::Refers { path: path.into(), demuxer },
            None => DecodeError::Libav { path: path.into(), doing: "opening it", source },
        },
    }
}

/// Returns FFmpeg's choice of the main video stream. Cover pictures are never chosen, and a stream of a single picture
/// (a preview that is not marked as one) only if no stream has more. To tell them apart, the beginning of `file` is
/// read.
pub(crate) fn video_stream(input: &Input, file: Option<&Path>) -> Option<usize> {
    let is_film = |stream: &ffmpeg::Stream| {
        stream.parameters().medium() == media::Type::Video && !stream.disposition().contains(Disposition::ATTACHED_PIC)
    };
    let best = input.streams().best(media::Type::Video).filter(is_film).map(|stream| stream.index());
    let all: Vec<usize> = input.streams().filter(is_film).map(|stream| stream.index()).collect();
    let best = best.or(all.first().copied());
    let Some(file) = file.filter(|_| all.len() > 1) else { return best };
    let films = films(file, &all);
    best.filter(|best| films.is_empty() || films.contains(best)).or(films.first().copied()).or(best)
}

/// Returns those of `streams` that have more than one picture at the beginning of the file.
fn films(file: &Path, streams: &[usize]) -> Vec<usize> {
    /// The number of packets to look at.
    const MOST: usize = 5000;
    let mut counts = vec![0; streams.len()];
    let Ok(mut input) = ffi::open_input(file) else { return Vec::new() };
    for _ in 0..MOST {
        let mut packet = ffmpeg::Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {}
            Err(ffmpeg::Error::InvalidData) => continue,
            Err(_) => break,
        }
        if let Some(place) = streams.iter().position(|&stream| stream == packet.stream()) {
            counts[place] += 1;
        }
        if counts.iter().all(|&count| count > 1) {
            break;
        }
    }
    streams.iter().zip(counts).filter(|(_, count)| *count > 1).map(|(&stream, _)| stream).collect()
}

/// Opens the decoder of a stream. Returns it with a note for the user, if there is one.
pub(crate) fn video_decoder(
    path: &Path,
    input: &Input,
    index: usize,
) -> Result<(decoder::Video, Option<String>), DecodeError> {
    let fail = |source| DecodeError::Libav { path: path.into(), doing: "opening its decoder", source };
    let stream = input.stream(index).ok_or(ffmpeg::Error::StreamNotFound).map_err(fail)?;
    if is_profile_5(&stream) {
        return Err(DecodeError::Colour { path: path.into(), matrix: "Dolby Vision profile 5 (ICtCp)" });
    }
    let mut context = codec::Context::from_parameters(stream.parameters()).map_err(fail)?;
    // With frame threading, one thread reads a damaged place while another is still concealing it, and may or may not
    // see its mark: pictures and their number would differ from run to run. One thread is fast enough for painting.
    context.set_threading(threading::Config { kind: threading::Type::None, count: 1, ..Default::default() });
    let mut decoder = context.decoder();
    decoder.set_packet_time_base(stream.time_base());
    let mut note = None;
    // FFmpeg's native VP8 and VP9 decoders do not read the alpha channel.
    let seeing = match stream.parameters().id() {
        codec::Id::VP8 if has_alpha(&stream) => Some("libvpx"),
        codec::Id::VP9 if has_alpha(&stream) => Some("libvpx-vp9"),
        _ => None,
    };
    let opened = match seeing.map(|name| (name, codec::decoder::find_by_name(name))) {
        Some((_, Some(codec))) => decoder.open_as(codec).and_then(decoder::Opened::video),
        Some((name, None)) => {
            note = Some(format!("its transparency is left out: this FFmpeg lacks the decoder {name}"));
            decoder.video()
        }
        None => decoder.video(),
    };
    let decoder = opened.map_err(|error| match error {
        ffmpeg::Error::DecoderNotFound => {
            DecodeError::Codec { path: path.into(), codec: stream.parameters().id().name() }
        }
        error => fail(error),
    })?;
    Ok((decoder, note))
}

/// Whether WebM marks the stream as having a second, hidden stream of alpha.
fn has_alpha(stream: &ffmpeg::Stream) -> bool {
    stream.metadata().iter().any(|(key, value)| key.eq_ignore_ascii_case("alpha_mode") && value == "1")
}

/// Whether a stream is Dolby Vision profile 5, which has its own colour space and no base layer that other players can
/// show.
fn is_profile_5(stream: &ffmpeg::Stream) -> bool {
    let record = stream.side_data().find(|data| data.kind() == packet::side_data::Type::DOVI_CONF);
    // Two bytes of version, then the profile.
    record.is_some_and(|record| record.data().get(2) == Some(&5))
}

/// Returns one warning for each stream that cannot be copied from a pipe.
pub(super) fn left_out(input: &Input, index: usize) -> Vec<String> {
    let others = input.streams().filter(|stream| stream.index() != index);
    others
        .map(|stream| {
            let parameters = stream.parameters();
            let kind = match parameters.medium() {
                media::Type::Video => "video",
                media::Type::Audio => "audio",
                media::Type::Subtitle => "subtitle",
                _ => "data",
            };
            let (codec, number) = (parameters.id().name(), stream.index());
            format!("standard input: {kind} stream {number} ({codec}) is left out: only a file's streams can be copied")
        })
        .collect()
}
