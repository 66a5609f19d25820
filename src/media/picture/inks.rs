//! Decodes JPEGs with four inks (CMYK, YCCK).
//!
//! Adobe stores inks inverted (0 is full ink) and marks such files with its own marker; without the marker, 0 is taken
//! for no ink, as common programs do, and a warning says so.

use std::io::Cursor;

use image::ImageError;
use image::error::{DecodingError, ImageFormatHint};
use image::metadata::Orientation;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Bounds, Found, profile};
use crate::containers::jpeg::Segments;
use crate::media::{Pixels, Samples};

/// The contents of the markers.
struct Head {
    components: u8,
    size: (u32, u32),
    adobe: bool,
}

/// Decodes a JPEG with four components; returns `None` for other bytes.
pub(super) fn read(bytes: &[u8], bounds: Bounds) -> Option<Result<Found, ImageError>> {
    let head = head(bytes).filter(|head| head.components == 4)?;
    Some(decode(bytes, &head, bounds))
}

fn decode(bytes: &[u8], head: &Head, bounds: Bounds) -> Result<Found, ImageError> {
    let bad =
        |what: String| ImageError::Decoding(DecodingError::new(ImageFormatHint::Name("JPEG (CMYK)".into()), what));
    bounds.check(head.size)?;
    let mut decoder = JpegDecoder::new(Cursor::new(bytes));
    decoder.decode_headers().map_err(|error| bad(format!("{error:?}")))?;
    let stored = decoder.input_colorspace().unwrap_or(ColorSpace::CMYK);
    let side = usize::from(u16::MAX);
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side).jpeg_set_out_colorspace(stored);
    let mut decoder = JpegDecoder::new_with_options(Cursor::new(bytes), options);
    let mut inks = decoder.decode().map_err(|error| bad(format!("{error:?}")))?;
    let profile = decoder.icc_profile();
    let (width, height) = decoder.dimensions().ok_or_else(|| bad("no size".into()))?;
    if inks.len() != 4 * width * height {
        return Err(bad("four components were expected".into()));
    }
    let (pixels, _) = inks.as_chunks_mut::<4>();
    for ink in pixels {
        if stored == ColorSpace::YCCK {
            *ink = of_ycck(*ink);
        }
        if head.adobe {
            *ink = ink.map(|ink| 255 - ink);
        }
    }
    let (mut notes, mut warnings) = (Vec::new(), Vec::new());
    if !head.adobe {
        warnings.push("a CMYK JPEG without Adobe's marker: that 0 means no ink is a guess".to_owned());
    }
    let by_profile = profile.and_then(|profile| profile::of_inks(&inks, &profile));
    notes.push(match by_profile {
        Some(_) => "its inks (CMYK) are turned into sRGB by its profile".to_owned(),
        None => "its inks (CMYK) are turned into sRGB by rule, for it has no profile that says more".to_owned(),
    });
    let rgb = by_profile.unwrap_or_else(|| plain(&inks));
    let mut pixels = Pixels::black(width, height);
    for (at, colour) in rgb.chunks_exact(3).enumerate() {
        for (channel, &value) in colour.iter().enumerate() {
            pixels.rgb[channel * width * height + at] = value;
        }
    }
    let orientation = exif_orientation(bytes);
    Ok(Found { pixels: super::turned(pixels, orientation), samples: Samples::RGB8, notes, warnings })
}

/// Converts inks to RGB by the fixed rule (1 - ink) * (1 - black).
fn plain(inks: &[u8]) -> Vec<f32> {
    let left = |ink: u8| f32::from(255 - ink) / 255.0;
    inks.chunks_exact(4).flat_map(|ink| [ink[0], ink[1], ink[2]].map(|colour| left(colour) * left(ink[3]))).collect()
}

/// Converts YCCK to inks with JPEG's own matrix.
fn of_ycck([y, cb, cr, k]: [u8; 4]) -> [u8; 4] {
    let (y, cb, cr) = (f32::from(y), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    let ink = |light: f32| 255 - light.round().clamp(0.0, 255.0) as u8;
    [ink(y + 1.402 * cr), ink(y - 0.344_136 * cb - 0.714_136 * cr), ink(y + 1.772 * cb), k]
}

/// Reads the markers that precede the picture's data. Adobe's may come after the frame header.
fn head(bytes: &[u8]) -> Option<Head> {
    if !bytes.starts_with(b"\xff\xd8") {
        return None;
    }
    let mut head: Option<Head> = None;
    let mut adobe = false;
    for segment in Segments::new(&mut Cursor::new(bytes)).ok()? {
        let segment = segment.ok().and_then(|segment| {
            let contents = segment.contents()?;
            let data = bytes.get(usize::try_from(contents.start).ok()?..usize::try_from(contents.end).ok()?)?;
            Some((segment.marker, data))
        });
        // After the frame header, damage does no harm.
        let Some((marker, data)) = segment else { break };
        match marker {
            0xee if data.starts_with(b"Adobe") => adobe = true,
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf if head.is_none() => {
                let number = |at: usize| Some(u32::from(u16::from_be_bytes([*data.get(at)?, *data.get(at + 1)?])));
                head = Some(Head { components: *data.get(5)?, size: (number(3)?, number(1)?), adobe });
            }
            _ => {}
        }
    }
    head.map(|head| Head { adobe, ..head })
}

fn exif_orientation(bytes: &[u8]) -> Orientation {
    use image::ImageDecoder;
    let decoder = image::codecs::jpeg::JpegDecoder::new(Cursor::new(bytes));
    decoder.ok().and_then(|mut decoder| decoder.orientation().ok()).unwrap_or(Orientation::NoTransforms)
}
