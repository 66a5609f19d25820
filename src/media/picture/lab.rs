//! Decodes TIFFs in CIE Lab, and in CMYK with a profile.

use std::io::Cursor;

use image::ImageError;
use image::error::{DecodingError, ImageFormatHint};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::{Bounds, Found, profile};
use crate::media::{Model, Pixels, Samples};

/// The tag PhotometricInterpretation and its values: Lab with signed a and b, Lab with unsigned a and b, CMYK, RGB.
const MEANING: u16 = 262;
const SIGNED: u16 = 8;
const UNSIGNED: u16 = 9;
const INKS: u16 = 5;
const RGB: u16 = 2;

/// Decodes a TIFF in Lab, or in CMYK with a profile for it; returns `None` for other bytes.
pub(super) fn read(bytes: &[u8], bounds: Bounds) -> Option<Result<Found, ImageError>> {
    let (place, meaning, big) = meaning(bytes)?;
    match meaning {
        SIGNED | UNSIGNED => {
            let mut bytes = bytes.to_vec();
            // The decoder accepts the three samples only if they are tagged as RGB.
            let value = if big { RGB.to_be_bytes() } else { RGB.to_le_bytes() };
            bytes.get_mut(place..place + 2)?.copy_from_slice(&value);
            Some(decode(&bytes, bounds, |samples| lab(samples, meaning == SIGNED)))
        }
        INKS => {
            let profile = profile_of(bytes)?;
            let turned = |samples: &Read| {
                let inks: Vec<u8> = match samples {
                    Read::Eight(samples) => samples.clone(),
                    Read::Sixteen(samples) => samples.iter().map(|sample| (sample >> 8) as u8).collect(),
                };
                let rgb = profile::of_inks(&inks, &profile)?;
                Some((rgb, "its inks (CMYK) are turned into sRGB by its profile".to_owned()))
            };
            // Without a CMYK profile it is read like any other picture.
            profile::of_inks(&[0; 4], &profile)?;
            Some(decode(bytes, bounds, turned))
        }
        _ => None,
    }
}

enum Read {
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

fn decode(
    bytes: &[u8],
    bounds: Bounds,
    turn: impl Fn(&Read) -> Option<(Vec<f32>, String)>,
) -> Result<Found, ImageError> {
    let bad = |what: String| ImageError::Decoding(DecodingError::new(ImageFormatHint::Name("TIFF".into()), what));
    let fail = |error: tiff::TiffError| bad(error.to_string());
    let mut limits = Limits::default();
    limits.decoding_buffer_size = usize::try_from(bounds.pixels.saturating_mul(8)).unwrap_or(usize::MAX);
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(fail)?.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(fail)?;
    bounds.check((width, height))?;
    let color = decoder.colortype().map_err(fail)?;
    let samples = match decoder.read_image().map_err(fail)? {
        DecodingResult::U8(samples) => Read::Eight(samples),
        DecodingResult::U16(samples) => Read::Sixteen(samples),
        _ => return Err(bad(format!("{color:?} is not read"))),
    };
    let depth = if matches!(samples, Read::Sixteen(_)) { 16 } else { 8 };
    let (rgb, note) = turn(&samples).ok_or_else(|| bad(format!("{color:?} is not read")))?;
    let (width, height) = (width as usize, height as usize);
    if rgb.len() != 3 * width * height || !matches!(color, ColorType::RGB(_) | ColorType::CMYK(_)) {
        return Err(bad(format!("{color:?} is not read")));
    }
    let mut pixels = Pixels::black(width, height);
    for (at, colour) in rgb.chunks_exact(3).enumerate() {
        for (channel, &value) in colour.iter().enumerate() {
            pixels.rgb[channel * width * height + at] = value;
        }
    }
    let samples = Samples { model: Model::Rgb, depth, chroma: (0, 0), alpha: false };
    Ok(Found { pixels, samples, notes: vec![note], warnings: Vec::new() })
}

/// Converts Lab with white point D50 to sRGB.
fn lab(samples: &Read, signed: bool) -> Option<(Vec<f32>, String)> {
    let lab: Vec<f32> = match samples {
        Read::Eight(samples) => (samples.chunks_exact(3))
            .flat_map(|lab| {
                let opponent = |byte: u8| if signed { f32::from(byte as i8) } else { f32::from(byte) - 128.0 };
                [f32::from(lab[0]) / 2.55, opponent(lab[1]), opponent(lab[2])]
            })
            .collect(),
        Read::Sixteen(samples) => (samples.chunks_exact(3))
            .flat_map(|lab| {
                let opponent =
                    |word: u16| if signed { f32::from(word as i16) / 256.0 } else { f32::from(word) / 256.0 - 128.0 };
                [f32::from(lab[0]) / 655.35, opponent(lab[1]), opponent(lab[2])]
            })
            .collect(),
    };
    let rgb = lab.chunks_exact(3).flat_map(|lab| srgb([lab[0], lab[1], lab[2]])).collect();
    Some((rgb, "its colours (CIE Lab) are turned into sRGB".to_owned()))
}

fn srgb([l, a, b]: [f32; 3]) -> [f32; 3] {
    let y = (l + 16.0) / 116.0;
    let back = |t: f32| if t > 6.0 / 29.0 { t * t * t } else { 3.0 * (6.0_f32 / 29.0).powi(2) * (t - 4.0 / 29.0) };
    let (x, y, z) = (0.9642 * back(y + a / 500.0), back(y), 0.8249 * back(y - b / 200.0));
    // From D50, with Bradford adaptation.
    [
        3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
        -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
        0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
    ]
    .map(super::encoded)
}

/// Returns the offset of the PhotometricInterpretation value of the first picture, that value, and whether the file is
/// big-endian.
fn meaning(bytes: &[u8]) -> Option<(usize, u16, bool)> {
    let big = match bytes.get(..4)? {
        b"II*\0" => false,
        b"MM\0*" => true,
        _ => return None,
    };
    let short = |at: usize| {
        let two = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(if big { u16::from_be_bytes(two) } else { u16::from_le_bytes(two) })
    };
    let four: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
    let at = if big { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) } as usize;
    let entry = |n: u16| at + 2 + 12 * usize::from(n);
    let found = (0..short(at)?).map(entry).find(|&entry| short(entry) == Some(MEANING))?;
    Some((found + 8, short(found + 8)?, big))
}

fn profile_of(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).ok()?;
    decoder.get_tag_u8_vec(Tag::IccProfile).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lab_becomes_srgb() {
        let near = |lab, rgb: [f32; 3]| {
            let got = srgb(lab);
            assert!(got.iter().zip(rgb).all(|(got, wanted)| (got - wanted).abs() < 0.01), "{lab:?}: {got:?}");
        };
        near([100.0, 0.0, 0.0], [1.0; 3]);
        near([0.0, 0.0, 0.0], [0.0; 3]);
        near([53.39, 0.0, 0.0], [0.5; 3]);
        // The red primary of sRGB under D50.
        near([54.29, 80.81, 69.89], [1.0, 0.0, 0.0]);
    }
}
