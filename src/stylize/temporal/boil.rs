//! Boil, as animators call it: strokes that are redrawn in every frame and make the result lively.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::tensor::{blurred, from_planes};

/// Root mean square, in 0..=1, of the noise added to the start at boil 1.
const STRENGTH: f64 = 0.2;
/// Standard deviation of the noise's smoothing, as a share of the long side: about the width of a stroke. Finer noise
/// is painted over without moving any stroke.
const STROKE: f64 = 0.012;

/// Returns `start` `[1,3,H,W]` plus smooth noise that differs from frame to frame: the descent paints over it, and the
/// strokes come out differently. With `boil` 0 it returns `start` itself. The noise depends on `seed` and on the
/// frame's position in its shot, not on the machine.
///
/// # Errors
/// Returns what libtorch reports.
pub fn stirred(start: &Tensor, boil: f64, seed: u64, frame: u64) -> Result<Tensor, StyleError> {
    if boil <= 0.0 {
        return Ok(start.shallow_clone());
    }
    let (_, _, h, w) = start.size4()?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(frame);
    let noise: Vec<f32> = (0..start.numel()).map(|_| (random.next_u32() >> 8) as f32 / 8_388_608.0 - 1.0).collect();
    let noise = blurred(&from_planes(&noise, 3, h, w, start.device())?, (STROKE * h.max(w) as f64).max(0.5))?;
    let size = noise.f_square()?.f_mean(noise.kind())?.f_sqrt()?.f_clamp_min(1e-12)?;
    let noise = noise.f_div(&size)?.f_mul_scalar(boil * STRENGTH)?;
    Ok(start.f_add(&noise)?.f_clamp(0.0, 1.0)?)
}
