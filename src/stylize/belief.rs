//! How far an earlier frame can be believed to show the same things as the new one: the source's own residual says.

use tch::Tensor;

use super::StyleError;
use super::tensor::scalar;

/// A residual (0..=1) of this size is believed by 1/e. A thing that moved over its like leaves no more than that.
const DOUBT: f64 = 0.03;
/// What resampling alone explains, as a share of the local contrast: a fine texture that moved by a part of a pixel.
const RESAMPLED: f64 = 0.12;
/// What noise explains, in medians of the residual: nearly all of it, and most of a clip is no more than noise.
const NOISE: f64 = 2.0;
/// A median beyond this is no noise: the motion is not known.
const MOST_NOISE: f64 = 0.015;

/// exp(-(r / 0.03)^2) `[1,1,H,W]`, 1 where the contents `now` and `before` `[1,3,H,W]` on one grid show the same, soft. r is
/// the largest residual within 3 x 3 pixels, of any colour, less what noise and resampling explain.
///
/// A mean over a neighbourhood in place of the largest value believes a thin bar that is gone: its ghost is carried on, and
/// held.
///
/// # Errors
/// What libtorch reports.
pub fn belief(now: &Tensor, before: &Tensor) -> Result<Tensor, StyleError> {
    let residual = now.f_sub(before)?.f_abs()?.f_amax([1], true)?;
    let noise = scalar(&residual.f_median()?)?.min(MOST_NOISE);
    let contrast = largest(now)?.f_add(&largest(&now.f_neg()?)?)?.f_amax([1], true)?;
    let explained = contrast.f_mul_scalar(RESAMPLED)?.f_add_scalar(NOISE * noise)?;
    let left = largest(&residual.f_sub(&explained)?.f_clamp_min(0.0)?)?;
    Ok(left.f_div_scalar(DOUBT)?.f_square()?.f_neg()?.f_exp()?)
}

/// The largest value within 3 x 3 pixels, in each channel.
fn largest(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_max_pool2d([3, 3], [1, 1], [1, 1], [1, 1], false)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::belief;
    use crate::stylize::tensor::scalar;

    const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

    fn least(belief: &Tensor) -> f64 {
        scalar(&belief.min()).unwrap()
    }

    /// A fine texture, `shift` pixels to the right, and a grey bar two pixels wide at `bar`.
    fn scene(shift: f64, bar: Option<i64>) -> Tensor {
        let x = (Tensor::arange(64, CPU) - shift).view([1, 1, 1, 64]);
        let y = Tensor::arange(48, CPU).view([1, 1, 48, 1]);
        let scene = ((x * 1.3).sin() * (y * 0.9).cos() * 0.1 + 0.5).repeat([1, 3, 1, 1]);
        if let Some(bar) = bar {
            let _ = scene.narrow(3, bar, 2).fill_(0.8);
        }
        scene
    }

    #[test]
    fn the_same_is_believed_to_the_bit_and_noise_is_no_change() {
        let before = scene(0.0, None);
        assert_eq!(least(&belief(&before, &before).unwrap()), 1.0);
        tch::manual_seed(3);
        let noisy = &before + Tensor::randn([1, 3, 48, 64], CPU) * (2.0 / 255.0);
        let found = belief(&noisy, &before).unwrap();
        assert!(scalar(&found.mean(Kind::Float)).unwrap() > 0.99 && least(&found) > 0.8, "{found:?}");
    }

    #[test]
    fn texture_that_was_resampled_is_believed() {
        // Half a pixel off, as a bilinear warp of half a pixel has it.
        let (left, right) = (scene(0.0, None), scene(1.0, None));
        let resampled = (left + right) * 0.5;
        let found = belief(&scene(0.5, None), &resampled).unwrap();
        assert!(least(&found) > 0.9, "{}", least(&found));
    }

    #[test]
    fn a_thin_bar_that_moved_is_not() {
        let found = belief(&scene(0.0, Some(30)), &scene(0.0, Some(26))).unwrap();
        let at = |x: i64| scalar(&found.narrow(3, x, 2).max()).unwrap();
        assert!(at(26) < 0.01 && at(30) < 0.01, "{} {}", at(26), at(30));
        assert_eq!(at(10), 1.0);
        assert_eq!(at(50), 1.0);
    }
}
