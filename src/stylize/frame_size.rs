//! The sizes in which frames are optimised and style pictures compared.

use tch::{Device, Tensor};

use super::StyleError;
use super::device::default_size;
use super::tensor::resize_sharply;
use crate::settings::Size;

/// Networks halve a picture up to four times; at a shorter side than this nothing is left of it.
const SHORTEST_SIDE: f64 = 64.0;
/// A small picture is enlarged, in its own aspect ratio, to the shortest side, but its longer side only up to this.
const LONGEST_ENLARGED: f64 = 512.0;

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
