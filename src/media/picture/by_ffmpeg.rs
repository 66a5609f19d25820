//! Still pictures that FFmpeg decodes: AVIF, and any other format it recognises.

use std::io::Write;

use ffmpeg_next::{self as ffmpeg, Packet, codec, frame, threading};
use image::ImageError;
use image::error::{DecodingError, ImageFormatHint, UnsupportedError, UnsupportedErrorKind};
use image::metadata::Orientation;

use super::{Bounds, Found};
use crate::media::graph::{Entry, VideoGraph, white};
use crate::media::{self, ColorInfo, Model, Pixels, ffi, floats};

/// Upper limit for the packets that are read to get one picture.
const MOST: usize = 64;

/// Brands of the ISO base media format that hold a single picture.
const AVIF: [&[u8; 4]; 1] = [b"avif"];
const HEIC: [&[u8; 4]; 6] = [b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1"];

/// Returns whether a file begins like a picture of a format that is left to FFmpeg.
pub(super) fn is_for(head: &[u8]) -> bool {
    let brand = head.get(4..12).filter(|kind| kind.starts_with(b"ftyp"));
    brand.is_some_and(|kind| AVIF.iter().chain(&HEIC).any(|brand| kind.ends_with(*brand)))
}

fn is_heic(bytes: &[u8]) -> bool {
    let compatible = bytes.get(8..64.min(bytes.len())).unwrap_or_default();
    is_for(bytes) && !compatible.chunks_exact(4).any(|brand| brand == b"avif")
}

/// Decodes the first picture of a file.
pub(super) fn read(bytes: &[u8], bounds: Bounds) -> Result<Found, ImageError> {
    media::init();
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    file.flush()?;
    let name = if is_heic(bytes) {
        "HEIC"
    } else if is_for(bytes) {
        "AVIF"
    } else {
        "picture"
    };
    let refused = |error: ffmpeg::Error| match name {
        "picture" => {
            let hint = ImageFormatHint::Unknown;
            ImageError::Unsupported(UnsupportedError::from_format_and_kind(
                hint.clone(),
                UnsupportedErrorKind::Format(hint),
            ))
        }
        _ => {
            let how = if name == "HEIC" { "heif-convert IN.heic OUT.png" } else { "ffmpeg -i IN.avif OUT.png" };
            let what = format!("this FFmpeg does not read it ({error}); convert it: {how}");
            ImageError::Decoding(DecodingError::new(ImageFormatHint::Name(name.into()), what))
        }
    };
    let mut frame = first_frame(file.path(), bounds)?.map_err(refused)?;
    let mut warnings = Vec::new();
    // FFmpeg ignores the alpha of these pictures.
    if is_for(bytes) && has(bytes, b"auxiliary:alpha") {
        warnings.push("its transparency is not read: it is taken as opaque".to_owned());
    }
    let samples = ffi::samples_of(frame.format());
    let pixels = convert(&mut frame).map_err(refused)?;
    Ok(Found { pixels: super::turned(pixels, turn(bytes)), samples, notes: Vec::new(), warnings })
}

fn has(bytes: &[u8], text: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1 << 16)];
    head.windows(text.len()).any(|part| part == text)
}

/// Returns the orientation of an AVIF or HEIC; its `irot` box counts quarter turns anticlockwise.
fn turn(bytes: &[u8]) -> Orientation {
    let head = &bytes[..bytes.len().min(1 << 16)];
    let place = head.windows(4).position(|name| name == b"irot").filter(|_| is_for(bytes));
    match place.and_then(|place| head.get(place + 4)).map(|quarters| quarters & 3) {
        Some(1) => Orientation::Rotate270,
        Some(2) => Orientation::Rotate180,
        Some(3) => Orientation::Rotate90,
        _ => Orientation::NoTransforms,
    }
}

fn first_frame(path: &std::path::Path, bounds: Bounds) -> Result<Result<frame::Video, ffmpeg::Error>, ImageError> {
    let opened = ffi::open_input(path).and_then(|input| {
        let stream = input.streams().best(ffmpeg::media::Type::Video).ok_or(ffmpeg::Error::StreamNotFound)?;
        let told = ffi::read::parameters(&stream);
        let (index, base) = (stream.index(), stream.time_base());
        let mut context = codec::Context::from_parameters(stream.parameters())?;
        context.set_threading(threading::Config { kind: threading::Type::None, count: 1, ..Default::default() });
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(base);
        Ok((input, index, decoder.video()?, (told.width, told.height)))
    });
    let (mut input, index, mut decoder, size) = match opened {
        Ok(opened) => opened,
        Err(error) => return Ok(Err(error)),
    };
    bounds.check(size)?;
    let mut read = || -> Result<frame::Video, ffmpeg::Error> {
        let mut frame = frame::Video::empty();
        for _ in 0..MOST {
            let mut packet = Packet::empty();
            match packet.read(&mut input) {
                Ok(()) if packet.stream() == index => decoder.send_packet(&packet)?,
                Ok(()) => continue,
                Err(ffmpeg::Error::Eof) => {
                    decoder.send_eof()?;
                    decoder.receive_frame(&mut frame)?;
                    return Ok(frame);
                }
                Err(error) => return Err(error),
            }
            if decoder.receive_frame(&mut frame).is_ok() {
                return Ok(frame);
            }
        }
        Err(ffmpeg::Error::InvalidData)
    };
    let frame = read();
    if let Ok(frame) = &frame {
        bounds.check((frame.width(), frame.height()))?;
    }
    Ok(frame)
}

/// Converts a frame to float RGB according to its colour tags.
fn convert(frame: &mut frame::Video) -> Result<Pixels, ffmpeg::Error> {
    ffi::tidy(frame);
    let samples = ffi::samples_of(frame.format());
    let (mut matrix, mut range) = (frame.color_space(), frame.color_range());
    if samples.model == Model::Rgb {
        (matrix, range) = (ffmpeg::color::Space::RGB, ffmpeg::color::Range::JPEG);
    } else if range == ffmpeg::color::Range::Unspecified {
        // The default for still pictures.
        range = ffmpeg::color::Range::JPEG;
    }
    if matrix == ffmpeg::color::Space::Unspecified {
        matrix = ffmpeg::color::Space::SMPTE170M;
    }
    let (width, height) = (frame.width(), frame.height());
    let color = ColorInfo::resolve(
        width,
        height,
        matrix,
        range,
        frame.color_primaries(),
        frame.color_transfer_characteristic(),
    );
    let name = color.scale_matrix().ok_or(ffmpeg::Error::PatchWelcome)?;
    let float = if samples.alpha { "gbrapf32le" } else { "gbrpf32le" };
    let tv = if color.full_range { "pc" } else { "tv" };
    let flags = "flags=bicubic+accurate_rnd+full_chroma_int+full_chroma_inp";
    // When swscale writes float planes from grey, the picture turns green.
    let grey = if samples.model == Model::Grey { "format=rgb48le,scale," } else { "" };
    let chain = if grey.is_empty() {
        format!("scale={flags}:in_color_matrix={name}:in_range={tv},format={float}")
    } else {
        format!("scale={flags}:in_range={tv},format=rgb48le,scale={flags},format=gbrpf32le")
    };
    let entry = Entry::of(frame, media::TimeBase::new(1, 25));
    let mut graph = VideoGraph::new(&entry, &chain)?;
    frame.set_pts(Some(0));
    graph.push(frame)?;
    graph.flush()?;
    let out = graph.pull()?.ok_or(ffmpeg::Error::Bug)?;
    let light = if grey.is_empty() { white(samples, color.full_range) } else { 1.0 };
    floats::pixels(&out, light, samples.alpha && grey.is_empty()).ok_or(ffmpeg::Error::Bug)
}
