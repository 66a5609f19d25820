//! The sizes in which frames are optimised and style pictures compared.

use tch::{Device, Tensor};

use crate::settings::Size;
use crate::stylize::StyleError;
use crate::stylize::device::default_size;
use crate::stylize::tensor::resize_sharply;

/// Networks halve a picture up to four times; at a shorter side than this nothing is left of it.
const SHORTEST_SIDE: f64 = 64.0;
/// A small picture is enlarged, in its own aspect ratio, to the shortest side, but its longer side only up to this.
const LONGEST_ENLARGED: f64 = 512.0;
/// Approximate long side of the coarsest size, in pixels.
const COARSEST: f64 = 80.0;
/// A first frame is not painted at a size with a shorter side than this: networks see nothing in it.
const LEAST_SIDE: f64 = 16.0;

/// Returns height and width of the optimised frame on `device` for a source of `height` x `width` pixels.
pub fn working_size(size: Size, device: Device, [height, width]: [usize; 2]) -> [i64; 2] {
    let (h, w) = (height as f64, width as f64);
    let long = match size {
        Size::Pixels(n) => f64::from(n),
        // Never larger than the source: that would gain nothing.
        Size::Auto => f64::from(default_size(device)).min(h.max(w)),
    };
    scaled_size(h, w, long / h.max(w), SHORTEST_SIDE).into()
}

/// Heights and widths at which an `h` x `w` frame is painted, coarse to fine, each half the next. There are `wanted`
/// sizes, or for 0 as many as leave a long side of about 80 pixels; none is too small for a network.
pub fn sizes((h, w): (i64, i64), wanted: u32) -> Vec<(i64, i64)> {
    let (h, w) = (h as f64, w as f64);
    let own = (h.max(w) / COARSEST).log2().round().max(0.0) as i32;
    let most = (h.min(w) / LEAST_SIDE).log2().floor().max(0.0) as i32;
    let halvings = if wanted == 0 { own } else { i32::try_from(wanted).map_or(own, |wanted| wanted - 1) };
    let side = |length: f64, halvings: i32| (length / 2f64.powi(halvings)).round() as i64;
    (0..=halvings.min(most)).rev().map(|halvings| (side(h, halvings), side(w, halvings))).collect()
}

/// Scales a style picture `[1,3,H,W]` to a width equal to the long side of an `h` x `w` frame, or to the frame's area,
/// whichever is larger, times `scale`; the aspect ratio is kept.
///
/// # Errors
/// Returns what libtorch reports.
pub fn scaled_style(image: &Tensor, scale: f64, h: i64, w: i64) -> Result<Tensor, StyleError> {
    let (_, _, own_h, own_w) = image.size4()?;
    let by_area = ((h * w) as f64 / (own_h * own_w) as f64).sqrt();
    let ratio = by_area.max(h.max(w) as f64 / own_w as f64) * scale;
    let least = SHORTEST_SIDE.min(h.min(w) as f64);
    let (h, w) = scaled_size(own_h as f64, own_w as f64, ratio, least);
    resize_sharply(image, h, w)
}

/// Returns `h` x `w` times `scale`, with a short side of at least `least` pixels. Where that would make a very thin
/// picture huge (1 x 4000, say), only its short side is stretched.
fn scaled_size(h: f64, w: f64, scale: f64, least: f64) -> (i64, i64) {
    let scale = scale.max((least / h.min(w)).min(LONGEST_ENLARGED / h.max(w)));
    let side = |length: f64| (length * scale).round().max(least) as i64;
    (side(h), side(w))
}

#[cfg(test)]
mod tests {
    use super::sizes;

    #[test]
    fn sizes_go_down_to_about_eighty_pixels() {
        assert_eq!(sizes((180, 320), 0), [(45, 80), (90, 160), (180, 320)]);
        assert_eq!(sizes((360, 640), 0).len(), 4);
        assert_eq!(sizes((144, 256), 0), [(36, 64), (72, 128), (144, 256)]);
        assert_eq!(sizes((64, 64), 0), [(64, 64)]);
    }

    #[test]
    fn as_many_as_are_asked_for_but_none_too_small() {
        assert_eq!(sizes((180, 320), 1), [(180, 320)]);
        assert_eq!(sizes((180, 320), 2), [(90, 160), (180, 320)]);
        assert_eq!(sizes((64, 512), 5), [(16, 128), (32, 256), (64, 512)]);
    }
}
