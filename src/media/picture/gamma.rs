//! PNG's gamma chunk: converts samples whose gamma differs from that of sRGB.

use std::io::Cursor;

use crate::containers::png;
use crate::media::Pixels;

/// The gamma of sRGB.
const USUAL: f64 = 0.45455;
/// Gammas within these factors of it count as the same, including that of video frames (0.51), which no viewer displays
/// differently.
const NEAR: std::ops::RangeInclusive<f64> = 0.9..=1.15;

/// Converts samples to the sRGB curve and returns a note for the user; `None` if nothing was converted.
pub(super) fn apply(pixels: &mut Pixels, bytes: &[u8]) -> Option<String> {
    let gamma = of(bytes).filter(|gamma| !NEAR.contains(&(gamma / USUAL)) && (0.01..=10.0).contains(gamma))?;
    for sample in &mut pixels.rgb {
        *sample = super::encoded(sample.powf((1.0 / gamma) as f32));
    }
    Some(format!("its gamma of {gamma:.3} is turned into that of sRGB"))
}

/// Returns the gamma of a PNG, unless another chunk describes its colours more exactly.
fn of(bytes: &[u8]) -> Option<f64> {
    if !bytes.starts_with(&png::SIGNATURE) {
        return None;
    }
    let mut found = None;
    for chunk in png::Chunks::new(&mut Cursor::new(bytes), png::SIGNATURE.len() as u64).ok()? {
        let chunk = chunk.ok()?;
        let contents = chunk.contents();
        let data = bytes.get(usize::try_from(contents.start).ok()?..usize::try_from(contents.end).ok()?)?;
        match &chunk.name {
            b"gAMA" => found = Some(f64::from(u32::from_be_bytes(data.try_into().ok()?)) / 1e5),
            b"sRGB" | b"iCCP" | b"cICP" => return None,
            b"IDAT" | b"IEND" => return found,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in chunks.iter().chain(&[(b"IDAT", b"".as_slice())]) {
            bytes.extend((data.len() as u32).to_be_bytes());
            bytes.extend([name.as_slice(), data, &[0; 4]].concat());
        }
        bytes
    }

    #[test]
    fn gamma_counts_where_it_is_alone_and_unusual() {
        let linear = 100_000_u32.to_be_bytes();
        assert_eq!(of(&png(&[(b"gAMA", &linear)])), Some(1.0));
        assert_eq!(of(&png(&[(b"gAMA", &linear), (b"sRGB", &[0])])), None);
        assert_eq!(of(&png(&[])), None);
        let mut grey = Pixels { width: 1, height: 1, rgb: vec![0.5; 3], alpha: None };
        assert!(apply(&mut grey, &png(&[(b"gAMA", &linear)])).is_some());
        assert!((grey.rgb[0] - 0.735).abs() < 0.002, "{}", grey.rgb[0]);
        let before = grey.clone();
        for usual in [45_455_u32, 50_994] {
            assert_eq!(apply(&mut grey, &png(&[(b"gAMA", &usual.to_be_bytes())])), None);
        }
        assert_eq!(grey, before);
    }
}
