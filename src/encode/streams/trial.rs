//! Tests whether a container takes a stream, by writing a header on trial. Asking FFmpeg is not enough: QuickTime
//! claims to take Opus and then refuses it, and Matroska denies the fonts that it can attach.

use std::path::Path;

use ffmpeg_next::error::EINVAL;
use ffmpeg_next::format::context::{Input, Output};
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::{self as ffmpeg, Packet, Stream, codec, encoder, media};

use super::convert::Converter;
use super::sound::SoundConverter;
use super::{Carriage, TIMECODE, words};
use crate::encode::codec::Container;
use crate::media::{Ratio, ffi};

/// The source, and a folder for trial files.
#[derive(Clone, Copy)]
pub(super) struct Trial<'a> {
    pub input: &'a Input,
    /// Index of the stream that is painted.
    pub painted: usize,
    /// Frame rate of that stream.
    pub rate: Option<Ratio>,
    pub folder: &'a Path,
    /// Video streams that cannot be copied (see [`untimed`]).
    pub untimed: &'a [usize],
}

impl Trial<'_> {
    /// Returns the timecode of the painted stream or else of the file.
    pub fn timecode(&self) -> Option<String> {
        let of_stream =
            self.input.stream(self.painted).and_then(|stream| stream.metadata().get(TIMECODE).map(str::to_owned));
        of_stream.or_else(|| self.input.metadata().get(TIMECODE).map(str::to_owned))
    }

    /// Returns the timecode if the container has a track for it, but its muxer cannot read this one.
    pub fn unreadable_timecode(&self, container: Container) -> Option<String> {
        let readable = |timecode: &String| self.rate.and_then(|rate| ffi::timecode_after(timecode, rate, 0)).is_some();
        self.timecode().filter(|timecode| container.is_quicktime() && !readable(timecode))
    }

    pub fn holds(&self, container: Container, stream: &Stream, carriage: Carriage) -> bool {
        let parameters = stream.parameters();
        let asked = match carriage {
            Carriage::Track { .. } if parameters.medium() != media::Type::Data => {
                Some(parameters.id()).filter(|&codec| codec != codec::Id::None)
            }
            Carriage::Text(codec) | Carriage::Sound(codec) => Some(codec),
            _ => None,
        };
        if asked.is_some_and(|codec| ffi::muxer_takes(container.muxer, codec) == Some(false)) {
            return false;
        }
        let file = self.folder.join("trial");
        let taken = try_header(&file, container, stream, carriage);
        // If it cannot be removed, it goes away with its folder.
        let _ = std::fs::remove_file(&file);
        // An error of the folder is not the stream's fault, and will show soon enough.
        !matches!(taken, Err(error) if is_refusal(error))
    }
}

/// Returns the further video streams whose packets have no pts, as in AVI. If pictures are reordered, only a decoder
/// can tell their times, so these packets cannot be copied.
pub(super) fn untimed(input: &mut Input, painted: usize) -> Result<Vec<usize>, ffmpeg::Error> {
    /// Number of packets to look at: of each of these streams, and of all streams.
    const EACH: usize = 16;
    const ALL: usize = 2000;
    let is_sought = |stream: &Stream| {
        let is_cover = stream.disposition().contains(Disposition::ATTACHED_PIC);
        stream.index() != painted && !is_cover && stream.parameters().medium() == media::Type::Video
    };
    let mut left: Vec<(usize, usize)> =
        input.streams().filter(is_sought).map(|stream| (stream.index(), EACH)).collect();
    let mut found = Vec::new();
    for _ in 0..ALL {
        if left.is_empty() {
            break;
        }
        let mut packet = Packet::empty();
        match packet.read(input) {
            Ok(()) => {}
            Err(ffmpeg::Error::Eof) => break,
            Err(ffmpeg::Error::InvalidData) => continue,
            Err(error) => return Err(error),
        }
        let Some(place) = left.iter().position(|(index, _)| *index == packet.stream()) else { continue };
        left[place].1 -= 1;
        if packet.pts().is_none() {
            found.push(packet.stream());
        }
        if packet.pts().is_none() || left[place].1 == 0 {
            left.remove(place);
        }
    }
    Ok(found)
}

fn is_refusal(error: ffmpeg::Error) -> bool {
    match error {
        ffmpeg::Error::Other { errno } => errno == EINVAL,
        _ => true,
    }
}

fn try_header(file: &Path, container: Container, stream: &Stream, carriage: Carriage) -> Result<(), ffmpeg::Error> {
    let mut output = ffi::open_output(file, container.muxer)?;
    // The timecode is left out, because it is checked separately.
    describe(&mut output, stream, carriage, &[TIMECODE])?;
    output.write_header().map(drop)
}

/// Adds a stream to an output, without the tags in `skip`.
pub(in crate::encode) fn describe(
    output: &mut Output,
    stream: &Stream,
    carriage: Carriage,
    skip: &[&str],
) -> Result<(), ffmpeg::Error> {
    let mut copy = output.add_stream(encoder::find(codec::Id::None))?;
    ffi::copy_stream(stream, &mut copy, skip)?;
    copy.set_time_base(stream.time_base());
    match carriage {
        Carriage::Track { tagged } => {
            ffi::copy_side_data(stream, &mut copy)?;
            if tagged {
                ffi::set_codec_tag(&mut copy, ffi::codec_tag(stream));
            }
            if stream.parameters().medium() == media::Type::Video {
                copy.set_avg_frame_rate(stream.avg_frame_rate());
                ffi::copy_stream_aspect(stream, &mut copy);
            }
        }
        Carriage::Text(codec) => Converter::new(stream, codec)?.describe(&mut copy)?,
        Carriage::Sound(codec) => SoundConverter::new(stream, codec)?.describe(&mut copy)?,
        Carriage::Attachment => {
            // Matroska needs a file name and, for a file of unknown codec, a MIME type.
            ffi::default_tag(&mut copy, "filename", &format!("attachment-{}", stream.index()))?;
            ffi::default_tag(&mut copy, "mimetype", "application/octet-stream")?;
        }
        // With any other disposition, the muxer would write a track.
        Carriage::Cover => ffi::set_disposition(&mut copy, Disposition::ATTACHED_PIC),
        Carriage::AttachedCover => {
            let (kind, extension) = words::picture_type(stream.parameters().id()).ok_or(ffmpeg::Error::InvalidData)?;
            ffi::attach(&mut copy, ffi::cover_picture(stream).ok_or(ffmpeg::Error::InvalidData)?)?;
            ffi::default_tag(&mut copy, "filename", &format!("cover.{extension}"))?;
            ffi::default_tag(&mut copy, "mimetype", kind)?;
        }
    }
    Ok(())
}

/// Returns the codecs that text may be converted to, best first. Only conversions that lose next to nothing are
/// allowed: ASS would lose its styling.
pub(super) fn conversions(from: codec::Id) -> impl Iterator<Item = codec::Id> {
    const PLAIN: [codec::Id; 3] = [codec::Id::MOV_TEXT, codec::Id::SUBRIP, codec::Id::WEBVTT];
    let convertible = PLAIN.contains(&from) || from == codec::Id::TEXT;
    PLAIN.into_iter().filter(move |&to| convertible && to != from)
}
