//! Belief maps: how far an earlier frame, aligned to the new one, shows the same contents there.
//! Judged from the residual of the source frames alone.

use tch::Tensor;

use crate::stylize::StyleError;
use crate::stylize::tensor::blurred;

/// A residual (0..=1) of this size gives a belief of 1/e. An object that moved across a similar background leaves
/// hardly more.
const DOUBT: f64 = 0.03;
/// The residual that resampling alone explains, as a share of the local contrast: fine texture that moved by a fraction
/// of a pixel.
const RESAMPLED: f64 = 0.12;
/// The residual that noise explains, in medians of the residual. The largest of 27 Gaussian samples hardly ever exceeds
/// it.
const NOISE: f64 = 3.0;
/// The residual that is always explained, of 0..=1: compression shifts some blocks by a level or two and leaves most
/// unchanged.
const ROUNDING: f64 = 1.5 / 255.0;
/// Upper limit of the noise: a larger residual across the whole frame means that the motion is unknown.
const MOST_NOISE: f64 = 0.06;

/// Returns exp(-(r / 0.03)^2) as a soft map `[1,1,H,W]`: 1 where the contents `now` and `before` `[1,3,H,W]`, on one
/// grid, show the same. r is the largest residual within 3 x 3 pixels and over all colours, less the part that noise
/// and resampling explain. Noise is measured where `seen` `[1,1,H,W]` is above 0.
///
/// The mean over a neighbourhood, instead of the maximum, would believe a thin bar that has gone: its ghost would be
/// carried along and kept.
///
/// # Errors
/// Returns what libtorch reports.
pub fn belief(now: &Tensor, before: &Tensor, seen: &Tensor) -> Result<Tensor, StyleError> {
    let residual = now.f_sub(before)?.f_abs()?.f_amax([1], true)?;
    // Stays a tensor throughout, so that nothing here waits for a GPU.
    let unknown = residual.f_full_like(f64::NAN)?;
    let median = residual.f_where_self(&seen.f_gt(0.0)?, &unknown)?.f_nanmedian()?.f_nan_to_num(0.0, None, None)?;
    let noise = median.f_mul_scalar(NOISE)?.f_clamp(ROUNDING, MOST_NOISE)?;
    let contrast = largest(now)?.f_add(&largest(&now.f_neg()?)?)?.f_amax([1], true)?;
    let explained = contrast.f_mul_scalar(RESAMPLED)?.f_add(&noise)?;
    let left = largest(&residual.f_sub(&explained)?.f_clamp_min(0.0)?)?;
    Ok(left.f_div_scalar(DOUBT)?.f_square()?.f_neg()?.f_exp()?)
}

/// Standard deviation, as a share of the long side, of the window over which two textures are compared.
const WINDOW: f64 = 0.0125;
/// Mean colours that differ by this share of the contrast within the window give a similarity of 1/e.
const OTHER: f64 = 0.4;
/// Window, as a share of the long side, over which the unseen pixels are counted; and the two shares of them between
/// which the new texture fades in.
const ALL_OVER: f64 = 0.03;
const NEW: [f64; 2] = [0.4, 0.6];

/// How far the contents `now` and `before` `[1,3,H,W]`, on one grid, show the same texture, whatever its details:
/// `[1,1,H,W]`, 0..=1, at least `seen` `[1,1,H,W]`. In glitter on water or leaves in the wind no pixel is what it was,
/// yet the existing paint still fits.
///
/// Where most of the surrounding pixels are unseen, it is exp(-(d / (0.4 s + 1.5/255))^2). d is the difference of the
/// mean colours (0..=1) over a Gaussian window, s the smaller of the two standard deviations there. This fades in
/// between 40 % and 60 % unseen pixels: where less of the surroundings is new, an object has moved across them and
/// would leave a ghost.
///
/// # Errors
/// Returns what libtorch reports.
pub fn texture(now: &Tensor, before: &Tensor, seen: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = now.size4()?;
    let long = h.max(w) as f64;
    let around = |x: &Tensor, share: f64| blurred(x, (share * long).max(1.0));
    // Near the edges a window covers less; the same window is used four times.
    let covered = around(&seen.f_ones_like()?, WINDOW)?;
    let mean = |x: &Tensor| -> Result<Tensor, StyleError> { Ok(around(x, WINDOW)?.f_div(&covered)?) };
    let means = [mean(now)?, mean(before)?];
    let deviation = |x: &Tensor, its: &Tensor| -> Result<Tensor, StyleError> {
        Ok(mean(&x.f_sub(its)?.f_square()?)?.f_amax([1], true)?.f_sqrt()?)
    };
    let contrast = deviation(now, &means[0])?.f_minimum(&deviation(before, &means[1])?)?;
    let scale = contrast.f_mul_scalar(OTHER)?.f_add_scalar(ROUNDING)?;
    let difference = means[0].f_sub(&means[1])?.f_abs()?.f_amax([1], true)?;
    let alike = difference.f_div(&scale)?.f_square()?.f_neg()?.f_exp()?;
    let [some, most] = NEW;
    let new = around(&seen.f_neg()?.f_add_scalar(1.0)?, ALL_OVER)?;
    let new = new.f_div(&around(&seen.f_ones_like()?, ALL_OVER)?)?;
    let all_over = new.f_sub_scalar(some)?.f_div_scalar(most - some)?.f_clamp(0.0, 1.0)?;
    Ok(alike.f_mul(&all_over)?.f_maximum(seen)?)
}

/// The largest value within 3 x 3 pixels, in each channel.
fn largest(x: &Tensor) -> Result<Tensor, StyleError> {
    Ok(x.f_max_pool2d([3, 3], [1, 1], [1, 1], [1, 1], false)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::StyleError;
    use crate::stylize::tensor::scalar;

    const CPU: (Kind, Device) = (Kind::Float, Device::Cpu);

    fn belief(now: &Tensor, before: &Tensor) -> Result<Tensor, StyleError> {
        super::belief(now, before, &Tensor::ones([1, 1, 48, 64], CPU))
    }

    fn least(belief: &Tensor) -> f64 {
        scalar(&belief.min()).unwrap()
    }

    /// A fine texture, shifted `shift` pixels to the right, and a grey bar two pixels wide at column `bar`.
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
        for levels in [1.0, 2.0, 4.0] {
            let grain = || Tensor::randn([1, 3, 48, 64], CPU) * (levels / 255.0);
            let found = belief(&(&before + grain()), &(&before + grain())).unwrap();
            let held = scalar(&found.ge(0.5).to_kind(Kind::Float).mean(Kind::Float)).unwrap();
            assert!(scalar(&found.mean(Kind::Float)).unwrap() > 0.98 && held > 0.995, "{levels} levels, {held}");
        }
        // Every third block of 8 x 8 is off by a level.
        let off = Tensor::arange(48, CPU).remainder(3.0).le(0.0).to_kind(Kind::Float).view([1, 1, 6, 8]) / 255.0;
        let blocks = &before + off.repeat_interleave_self_int(8, 2, None).repeat_interleave_self_int(8, 3, None);
        assert_eq!(least(&belief(&blocks, &before).unwrap()), 1.0);
    }

    #[test]
    fn noise_is_measured_where_something_is_seen() {
        let before = scene(0.0, None);
        tch::manual_seed(4);
        let noisy = &before + Tensor::randn([1, 3, 48, 64], CPU) * (3.0 / 255.0);
        // Three quarters of the frame are unknown: there the caller makes both contents equal.
        let seen = Tensor::zeros([1, 1, 48, 64], CPU);
        let _ = seen.narrow(3, 48, 16).fill_(1.0);
        let same = noisy.where_self(&seen.le(0.0), &before);
        let found = super::belief(&noisy, &same, &seen).unwrap();
        assert!(scalar(&found.narrow(3, 49, 15).mean(Kind::Float)).unwrap() > 0.98);
        let nowhere = super::belief(&noisy, &noisy, &seen.zeros_like()).unwrap();
        assert_eq!(least(&nowhere), 1.0, "and no NaN");
    }

    #[test]
    fn texture_that_was_resampled_is_believed() {
        // Half a pixel off, as a bilinear warp by half a pixel would give it.
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

    #[test]
    fn glitter_is_the_same_texture_and_a_thing_that_moved_is_not() {
        tch::manual_seed(6);
        // The windows are shares of the long side: the frame is large enough for them to hold several samples.
        let sea = || Tensor::randn([1, 3, 90, 320], CPU) * 0.1 + 0.5;
        let nowhere = Tensor::zeros([1, 1, 90, 320], CPU);
        let mean = |x: &Tensor| scalar(&x.mean(Kind::Float)).unwrap();
        let glitter = super::texture(&sea(), &sea(), &nowhere).unwrap();
        assert!(mean(&glitter) > 0.8, "{}", mean(&glitter));
        // The same sea in different light is a different texture; pixels that are seen count as alike in any case.
        assert!(mean(&super::texture(&sea(), &(sea() + 0.3), &nowhere).unwrap()) < 0.01);
        assert_eq!(least(&super::texture(&sea(), &sea(), &nowhere.ones_like()).unwrap()), 1.0);
        // A bar of the same texture moved; everything around it is seen.
        let around = nowhere.ones_like();
        let _ = around.narrow(3, 30, 6).fill_(0.0);
        let bar = super::texture(&sea(), &sea(), &around).unwrap();
        assert_eq!(scalar(&bar.narrow(3, 30, 6).max()).unwrap(), 0.0);
    }
}
