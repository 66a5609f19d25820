//! Chooses the pixel format of an encoder that suits the pictures best.

use ffmpeg_next::Codec;
use ffmpeg_next::format::Pixel;

use super::family::Family;
use super::registry::Encoder;
use crate::media::{Model, Samples, ffi};

/// Largest bit depth that players show of an RGB source, which is neither video nor graded. More is for editing.
const PLAYED_DEPTH: u8 = 10;

/// Returns the samples that the output should ideally have.
pub(in crate::encode) fn wanted(source: Samples, family: Family, alpha: bool) -> Samples {
    let players = Samples { depth: source.depth.min(PLAYED_DEPTH), model: Model::Yuv, chroma: (1, 1), alpha };
    match (source.model, family) {
        (_, Family::Gif | Family::Apng) => Samples { model: Model::Rgb, chroma: (0, 0), alpha, ..source },
        (_, Family::WebP) => Samples { depth: 8, ..players },
        (Model::Yuv, _) => Samples { alpha, ..source },
        // RGB keeps FFV1 lossless even if nothing is painted.
        (Model::Grey, Family::Ffv1) => Samples { model: Model::Rgb, chroma: (0, 0), alpha, ..source },
        (Model::Grey, _) => Samples { depth: source.depth.min(16), ..players },
        (Model::Rgb, Family::ProRes | Family::Raw) => Samples { model: Model::Yuv, chroma: (0, 0), alpha, ..source },
        (Model::Rgb, Family::Ffv1) => Samples { alpha, ..source },
        (Model::Rgb, _) => players,
    }
}

/// What a format cannot hold, in order of severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::encode) struct Loss {
    pub alpha: bool,
    /// Number of times that chroma is halved, over both directions.
    pub chroma: u8,
    /// Number of bits lost per sample.
    pub depth: u8,
}

impl Loss {
    pub const NONE: Self = Self { alpha: false, chroma: 0, depth: 0 };

    pub fn of(want: Samples, have: Samples) -> Self {
        let down = |want: u8, have: u8| have.saturating_sub(want);
        Self {
            alpha: want.alpha && !have.alpha,
            chroma: down(want.chroma.0, have.chroma.0) + down(want.chroma.1, have.chroma.1),
            depth: want.depth.saturating_sub(have.depth),
        }
    }
}

/// Returns the pixel formats that an encoder takes and that frames can be converted to.
pub(in crate::encode) fn formats(encoder: &Encoder, codec: Codec) -> Vec<Pixel> {
    if encoder.uploads {
        // The formats for upload; the encoder lists others only once it has a device.
        return if encoder.family == Family::H264 { vec![Pixel::NV12] } else { vec![Pixel::NV12, Pixel::P010LE] };
    }
    let all = codec.video().ok().and_then(|video| video.formats());
    all.into_iter().flatten().filter(|&format| ffi::can_convert_to(format)).collect()
}

/// Returns the format that loses least and, of equal ones, exceeds the wanted samples least.
pub(in crate::encode) fn best(formats: &[Pixel], want: Samples) -> Option<(Pixel, Loss)> {
    let rate = |format: Pixel| {
        let have = ffi::samples_of(format);
        let up = |want: u8, have: u8| want.saturating_sub(have);
        let more = up(want.chroma.0, have.chroma.0) + up(want.chroma.1, have.chroma.1);
        let deeper = have.depth.saturating_sub(want.depth);
        let other = have.model != want.model;
        (Loss::of(want, have), other, have.alpha && !want.alpha, deeper, more)
    };
    // The old "JPEG" formats (yuvj...) duplicate the range tag; grey cannot hold a painting.
    let usable = |format: &Pixel| {
        ffi::samples_of(*format).model != Model::Grey && !ffi::pixel_format_name(*format).starts_with("yuvj")
    };
    // A YUV format is considered for RGB only if there is no RGB format, and the other way round.
    let same = |format: &Pixel| ffi::samples_of(*format).model == want.model;
    let usable: Vec<Pixel> = formats.iter().copied().filter(usable).collect();
    let any = usable.iter().any(same);
    let found = usable.into_iter().filter(|format| !any || same(format)).min_by_key(|&format| rate(format))?;
    Some((found, rate(found).0))
}

/// Returns the coded size of pictures: with subsampled chroma, some encoders take even sizes only.
pub(in crate::encode) fn coded_size(
    encoder: &Encoder,
    format: Pixel,
    (width, height): (usize, usize),
) -> (usize, usize) {
    let (across, down) = ffi::samples_of(format).chroma;
    let up = |size: usize, log2: u8| if encoder.even { size.next_multiple_of(1 << log2) } else { size };
    (up(width, across), up(height, down))
}

/// Describes a loss and suggests a remedy; `None` if nothing is lost.
pub(in crate::encode) fn describe(want: Samples, have: Samples, loss: Loss, encoder: &str) -> Option<String> {
    let mut parts = Vec::new();
    if loss.depth > 0 {
        parts.push(format!("{} bits become {}", want.depth, have.depth));
    }
    if loss.chroma > 0 {
        parts.push(format!("{} becomes {}", subsampling(want.chroma), subsampling(have.chroma)));
    }
    let what = parts.join(" and ");
    (!parts.is_empty())
        .then(|| format!("{encoder} holds less than the source has: {what}; another --codec may keep it"))
}

fn subsampling(chroma: (u8, u8)) -> &'static str {
    match chroma {
        (0, 0) => "4:4:4",
        (1, 0) => "4:2:2",
        (1, 1) => "4:2:0",
        (0, 1) => "4:4:0",
        (2, 0) => "4:1:1",
        (2, 2) => "4:1:0",
        _ => "its chroma",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X264: [Pixel; 5] = [Pixel::YUV420P, Pixel::YUVJ420P, Pixel::YUV422P, Pixel::YUV420P10LE, Pixel::YUV444P10LE];

    fn yuv(depth: u8, chroma: (u8, u8)) -> Samples {
        Samples { model: Model::Yuv, depth, chroma, alpha: false }
    }

    #[test]
    fn nothing_is_lost_where_it_can_be_kept() {
        assert_eq!(best(&X264, yuv(8, (1, 1))), Some((Pixel::YUV420P, Loss::NONE)));
        assert_eq!(best(&X264, yuv(10, (1, 1))), Some((Pixel::YUV420P10LE, Loss::NONE)));
        // There is no 10-bit 4:2:2 in the list: chroma gets more resolution rather than less.
        assert_eq!(best(&X264, yuv(10, (1, 0))), Some((Pixel::YUV444P10LE, Loss::NONE)));
        assert_eq!(best(&X264, yuv(8, (2, 0))), Some((Pixel::YUV422P, Loss::NONE)));
    }

    #[test]
    fn what_is_lost_is_told() {
        let (format, loss) = best(&X264, yuv(12, (1, 1))).unwrap_or((Pixel::None, Loss::NONE));
        assert_eq!((format, loss.depth), (Pixel::YUV420P10LE, 2));
        let text = describe(yuv(12, (1, 1)), ffi::samples_of(format), loss, "libx264").unwrap_or_default();
        assert!(text.contains("12 bits become 10"), "{text}");
    }

    #[test]
    fn rgb_becomes_what_players_show() {
        assert_eq!(wanted(Samples::RGB8, Family::H264, false), yuv(8, (1, 1)));
        assert_eq!(wanted(Samples { depth: 16, ..Samples::RGB8 }, Family::Hevc, false), yuv(10, (1, 1)));
        assert_eq!(wanted(Samples::RGB8, Family::Ffv1, false), Samples::RGB8);
    }
}
