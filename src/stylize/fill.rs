//! What to paint first where nothing was seen before: the strokes of a place that looks alike.

use tch::Tensor;

use super::StyleError;
use super::tensor::{blurred, mean_where};

/// How far away such a place is looked for, as shares of the frame's long side.
const DISTANCES: [f64; 2] = [0.11, 0.19];
/// Standard deviation of what "looks alike" is judged over, as a share of the long side.
const PATCH: f64 = 0.015;
/// A sum of squared differences of three colours (0..=1 each) from which on nothing is taken.
const UNLIKE: f64 = 0.1;
/// A place that moves otherwise by this share of its distance is as bad.
const DRIFT: f64 = 0.03;
/// Standard deviation, as a share of the long side, of the mean that stands in where no place fits.
const BESIDE: f64 = 0.02;
/// Cost of a place that is not known itself; contents differ by 3 at most.
const NOWHERE: f64 = 100.0;

/// Fills `strokes` `[1,3,H,W]` (painted less content) where `known` `[1,1,H,W]` is 0, from one of sixteen places at fixed
/// distances around each pixel: the known one whose `content` `[1,3,H,W]` is nearest to the pixel's own. The less that
/// place is like it, the more the mean of the strokes around the pixel stands in; far from all that is known, 0.
///
/// It has to move as the pixel does (`motion` `[1,2,H,W]`, in pixels): strokes of a thing in front that goes on would be
/// laid down behind it again and again, a ghost in all but name.
///
/// The distances do not change from frame to frame. So when a pan uncovers a few columns in each, these take the
/// columns, one after another, of a place that moves along with them, and strokes come out whole.
///
/// # Errors
/// What libtorch reports.
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
    // The less a place is like the pixel's own, the less its strokes fit.
    let fits = least.f_mul_scalar(-1.0 / UNLIKE)?.f_add_scalar(1.0)?.f_clamp(0.0, 1.0)?;
    // How paint differs in colour from its scene there.
    let beside = mean_where(strokes, known, (BESIDE * long).max(1.0))?;
    let best = beside.f_add(&best.f_sub(&beside)?.f_mul(&fits)?)?;
    Ok(strokes.f_where_self(&known.f_gt(0.5)?, &best)?)
}

/// Sum of squares over the channels, `[1,1,H,W]`.
fn squares(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_square()?.f_sum_dim_intlist([1i64].as_slice(), true, x.kind())?)
}
