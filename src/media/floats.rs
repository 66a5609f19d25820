//! Conversion of planar float frames to `Pixels`.

use ffmpeg_next::frame;

use super::{Pixels, ffi};

/// Copies planar float G, B, R (and A), where `white` stands for 1, into `Pixels`. Returns `None` for another format.
pub(crate) fn pixels(frame: &frame::Video, white: f32, alpha: bool) -> Option<Pixels> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let plane = |plane: usize, white: f32, target: &mut [f32]| {
        for (y, target) in target.chunks_exact_mut(width).enumerate() {
            for (value, &float) in target.iter_mut().zip(ffi::float_row(frame, plane, y, width)?) {
                // Floats may be out of range or NaN; NaN becomes 0.
                *value = if float > 0.0 { (float / white).min(1.0) } else { 0.0 };
            }
        }
        Some(())
    };
    let mut pixels = Pixels::black(width, height);
    for (source, target) in [2, 0, 1].into_iter().zip(pixels.rgb.chunks_exact_mut(width * height)) {
        plane(source, white, target)?;
    }
    if alpha {
        let mut opacity = vec![1.0; width * height];
        plane(3, 1.0, &mut opacity)?;
        // swscale turns full opacity into slightly less than 1.
        opacity.iter_mut().filter(|alpha| **alpha > 0.9999).for_each(|alpha| *alpha = 1.0);
        pixels.alpha = Some(opacity);
    }
    Some(pixels)
}
