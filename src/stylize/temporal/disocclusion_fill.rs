//! First paint for areas that were not seen before: the strokes of a nearby place that looks similar.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::tensor::{blurred, mean_where};

/// Search distances, as shares of the frame's long side.
const DISTANCES: [f64; 2] = [0.11, 0.19];
/// Standard deviation of the window over which similarity is judged, as a share of the long side.
const PATCH: f64 = 0.015;
/// Sum of squared differences over three colours (0..=1 each) at which a place is no longer used.
const UNLIKE: f64 = 0.1;
/// A place whose motion differs by this share of its distance costs as much.
const DRIFT: f64 = 0.03;
/// Standard deviation, as a share of the long side, of the mean that is used where no place fits.
const BESIDE: f64 = 0.02;
/// Cost of a place that is itself unknown; contents differ by 3 at most.
const NOWHERE: f64 = 100.0;

/// Fills `strokes` `[1,3,H,W]` (painted minus content) where `known` `[1,1,H,W]` is 0. The source is one of sixteen
/// places at fixed offsets around each pixel: the known one whose `content` `[1,3,H,W]` is nearest to the pixel's own.
/// The less similar that place is, the more the mean of the surrounding strokes replaces it; far from everything known
/// the result is 0.
///
/// The place must move as the pixel does (`motion` `[1,2,H,W]`, in pixels). Otherwise the strokes of an object that
/// moves in front would be laid down behind it again and again, which amounts to a ghost.
///
/// The distances are the same in every frame. When a pan uncovers a few columns per frame, these are therefore filled,
/// column after column, from a place that moves along with them, and whole strokes result.
///
/// # Errors
/// Returns what libtorch reports.
pub fn from_beside(strokes: &Tensor, content: &Tensor, motion: &Tensor, known: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = content.size4()?;
    let long = h.max(w) as f64;
    let reach = (DISTANCES[DISTANCES.len() - 1] * long).ceil() as i64;
    let padded =
        Tensor::f_cat(&[strokes, content, known, motion], 1)?.f_constant_pad_nd([reach, reach, reach, reach])?;
    let mut least = known.f_full_like(NOWHERE)?;
    let mut best = strokes.f_zeros_like()?;
    for distance in DISTANCES {
        for eighth in 0..8 {
            let (sin, cos) = (f64::from(eighth) * std::f64::consts::FRAC_PI_4).sin_cos();
            let (right, down) = ((distance * long * cos).round() as i64, (distance * long * sin).round() as i64);
            let there = padded.f_narrow(2, reach + down, h)?.f_narrow(3, reach + right, w)?;
            let unlike = squares(&content.f_sub(&there.f_narrow(1, 3, 3)?)?)?;
            let elsewhere = squares(&motion.f_sub(&there.f_narrow(1, 7, 2)?)?)?;
            let elsewhere = elsewhere.f_mul_scalar(UNLIKE / (DRIFT * distance * long).powi(2))?;
            let missing = there.f_narrow(1, 6, 1)?.f_neg()?.f_add_scalar(1.0)?.f_mul_scalar(NOWHERE)?;
            let cost = blurred(&unlike, (PATCH * long).max(1.0))?.f_add(&missing)?.f_add(&elsewhere)?;
            let better = cost.f_lt_tensor(&least)?;
            least = cost.f_where_self(&better, &least)?;
            best = there.f_narrow(1, 0, 3)?.f_where_self(&better, &best)?;
        }
    }
    // The less similar the place, the less its strokes fit.
    let fits = least.f_mul_scalar(-1.0 / UNLIKE)?.f_add_scalar(1.0)?.f_clamp(0.0, 1.0)?;
    // The local colour offset between paint and scene.
    let beside = mean_where(strokes, known, (BESIDE * long).max(1.0))?;
    let best = beside.f_add(&best.f_sub(&beside)?.f_mul(&fits)?)?;
    Ok(strokes.f_where_self(&known.f_gt(0.5)?, &best)?)
}

/// Sum of squares over the channels, `[1,1,H,W]`.
fn squares(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, x.kind())?)
}
