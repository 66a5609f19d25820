//! Conversions between pixels and tensors, and image operations on tensors: `[1,3,H,W]`, RGB, 0..=1, 32-bit float.

use tch::{Device, Kind, Tensor};

use super::StyleError;
use crate::media::{LUMA, Pixels};

/// Copies the colour planes to `device` as `[1,3,H,W]`, without alpha.
pub fn from_pixels(pixels: &Pixels, device: Device) -> Result<Tensor, StyleError> {
    let (h, w) = (pixels.height as i64, pixels.width as i64);
    Ok(Tensor::f_from_slice(&pixels.rgb)?.f_view([1, 3, h, w])?.f_to_device(device)?)
}

/// Copies consecutive planes to `device` as `[1,channels,height,width]`.
pub fn from_planes(
    planes: &[f32],
    channels: i64,
    height: i64,
    width: i64,
    device: Device,
) -> Result<Tensor, StyleError> {
    Ok(Tensor::f_from_slice(planes)?.f_view([1, channels, height, width])?.f_to_device(device)?)
}

/// Returns the samples of `[1,C,H,W]`, plane after plane.
pub fn to_planes(image: &Tensor) -> Result<Vec<f32>, StyleError> {
    let flat = image.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view(-1)?;
    let mut planes = vec![0.0f32; flat.numel()];
    let count = planes.len();
    flat.f_copy_data(&mut planes, count)?;
    Ok(planes)
}

/// Converts `[1,3,H,W]` to pixels, clamped to 0..=1.
pub fn to_pixels(image: &Tensor) -> Result<Pixels, StyleError> {
    let (_, channels, h, w) = image.size4()?;
    let flat = image.f_detach()?.f_clamp(0.0, 1.0)?.f_to_device(Device::Cpu)?.f_contiguous()?.f_view(-1)?;
    let mut rgb = vec![0.0f32; (channels * h * w) as usize];
    let count = rgb.len();
    flat.f_copy_data(&mut rgb, count)?;
    Ok(Pixels { width: w as usize, height: h as usize, rgb, alpha: None })
}

/// Returns the luminance `[1,1,H,W]` of `[1,3,H,W]`.
pub(super) fn luma(image: &Tensor) -> Result<Tensor, StyleError> {
    let part = |channel: usize| image.f_narrow(1, channel as i64, 1)?.f_mul_scalar(f64::from(LUMA[channel]));
    Ok(part(0)?.f_add(&part(1)?)?.f_add(&part(2)?)?)
}

/// Bicubic resampling with antialiasing (the kernel widens when shrinking), clamped to 0..=1.
pub fn resize(image: &Tensor, height: i64, width: i64) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = image.size4()?;
    if (h, w) == (height, width) {
        return Ok(image.shallow_clone());
    }
    let resized = image.f_internal_upsample_bicubic2d_aa([height, width], false, None, None)?;
    Ok(resized.f_clamp(0.0, 1.0)?)
}

/// Half the width of the Lanczos kernel, in pixels of the coarser grid.
const LOBES: f64 = 3.0;

/// Lanczos resampling with antialiasing, clamped to 0..=1: sharper than [`resize`] where a picture shrinks, so that fine
/// strokes of a painting stay strokes.
pub fn resize_sharply(image: &Tensor, height: i64, width: i64) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = image.size4()?;
    if (h, w) == (height, width) {
        return Ok(image.shallow_clone());
    }
    let rows = lanczos(h, height)?.f_to_kind(image.kind())?.f_to_device(image.device())?;
    let columns = lanczos(w, width)?.f_to_kind(image.kind())?.f_to_device(image.device())?;
    Ok(rows.f_matmul(image)?.f_matmul(&columns.f_tr()?)?.f_clamp(0.0, 1.0)?)
}

/// Returns the weights `[to,from]` that resample a line of `from` samples to `to` samples; each row sums to 1.
fn lanczos(from: i64, to: i64) -> Result<Tensor, StyleError> {
    let scale = from as f64 / to as f64;
    let stretch = scale.max(1.0);
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    let kernel = |x: f64| if x.abs() < LOBES { sinc(x) * sinc(x / LOBES) } else { 0.0 };
    let mut weights = Vec::with_capacity((from * to) as usize);
    for place in 0..to {
        let middle = (place as f64 + 0.5) * scale - 0.5;
        let row: Vec<f64> = (0..from).map(|at| kernel((at as f64 - middle) / stretch)).collect();
        let sum: f64 = row.iter().sum();
        weights.extend(row.iter().map(|weight| (weight / sum) as f32));
    }
    Ok(Tensor::f_from_slice(&weights)?.f_view([to, from])?)
}

/// Smooths each channel of `[1,C,H,W]` with a Gaussian of standard deviation `sigma` pixels, cut off at 2.5 sigma; the
/// outside of the picture counts as zeros.
pub fn blurred(image: &Tensor, sigma: f64) -> Result<Tensor, StyleError> {
    let (_, channels, h, w) = image.size4()?;
    let radius = (2.5 * sigma).ceil() as i64;
    let at = Tensor::f_arange_start(-radius, radius + 1, (image.kind(), image.device()))?;
    let kernel = at.f_square()?.f_mul_scalar(-0.5 / (sigma * sigma))?.f_exp()?;
    let kernel = kernel.f_div(&kernel.f_sum(image.kind())?)?;
    let kernel = kernel.f_view([1, 1, 2 * radius + 1, 1])?;
    // Down the columns: a kernel along the rows takes ten times as long on a CPU.
    let down = |planes: &Tensor| planes.f_conv2d::<Tensor>(&kernel, None, [1, 1], [radius, 0], [1, 1], 1);
    let turned = |planes: &Tensor| planes.f_transpose(2, 3)?.f_contiguous();
    // Channels as separate pictures: twice as fast as a grouped convolution.
    let planes = image.f_reshape([channels, 1, h, w])?;
    let blurred = turned(&down(&turned(&down(&planes)?)?)?)?;
    Ok(blurred.f_reshape([1, channels, h, w])?)
}

/// Warps planes `[1,C,H,W]` along the motion w `[1,2,H,W]`, in pixels (right, down). The result at p is the bilinear
/// sample at p + w(p), 0 beyond the edges.
pub fn moved(planes: &Tensor, motion: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = planes.size4()?;
    let line = |length: i64| Tensor::f_arange(length, (motion.kind(), motion.device()));
    // -1 and 1 are the centres of the outermost pixels.
    let across = motion.f_narrow(1, 0, 1)?.f_add(&line(w)?.f_view([1, 1, 1, w])?)?;
    let down = motion.f_narrow(1, 1, 1)?.f_add(&line(h)?.f_view([1, 1, h, 1])?)?;
    let to = |at: Tensor, length: i64| at.f_mul_scalar(2.0 / (length - 1).max(1) as f64)?.f_sub_scalar(1.0);
    let grid = Tensor::f_cat(&[to(across, w)?, to(down, h)?], 1)?.f_permute([0, 2, 3, 1])?;
    Ok(planes.f_grid_sampler(&grid, 0, 0, true)?)
}

/// Returns the Gaussian mean (standard deviation `sigma` pixels) of `values` `[1,C,H,W]` around each pixel, over the
/// places where `mask` `[1,1,H,W]` is 1. It fades to 0 where no masked place is near.
pub fn mean_where(values: &Tensor, mask: &Tensor, sigma: f64) -> Result<Tensor, StyleError> {
    Ok(blurred(&values.f_mul(mask)?, sigma)?.f_div(&blurred(mask, sigma)?.f_clamp_min(1e-2)?)?)
}

/// What a blur assumes beyond a picture's edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Border {
    /// Zeros: the blur is then a symmetric operator.
    Black,
    /// Nothing: the mean covers fewer pixels, and a flat picture stays unchanged.
    Nothing,
}

/// Averages each channel of `[1,C,H,W]` twice over 3 x 3 pixels, which gives a bell 5 pixels wide. Computed from sums
/// of shifted pictures: three times as fast as libtorch's pooling.
pub fn box_blur(image: &Tensor, border: Border) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = image.size4()?;
    let share = match border {
        Border::Black => Tensor::f_full([1, 1], 1.0 / 9.0, (image.kind(), image.device()))?,
        Border::Nothing => shares(h, image)?.f_view([h, 1])?.f_mul(&shares(w, image)?)?,
    };
    let average = |x: &Tensor| -> Result<Tensor, StyleError> {
        let padded = x.f_constant_pad_nd([1; 4])?;
        let three = |x: &Tensor, axis: i64, length: i64| {
            let part = |from: i64| x.f_narrow(axis, from, length);
            part(0)?.f_add(&part(1)?)?.f_add(&part(2)?)
        };
        Ok(three(&three(&padded, 3, w)?, 2, h)?.f_mul(&share)?)
    };
    average(&average(image)?)
}

/// For each pixel of a line of `length`: one over the number of existing pixels among itself and its two neighbours,
/// `[length]`, on the device of `like`.
fn shares(length: i64, like: &Tensor) -> Result<Tensor, StyleError> {
    let shares = Tensor::f_full([length], 1.0 / 3.0, (like.kind(), like.device()))?;
    let at_ends = if length > 1 { 1.0 / 2.0 } else { 1.0 };
    for end in [0, length - 1] {
        let _ = shares.f_narrow(0, end, 1)?.f_fill_(at_ends)?;
    }
    Ok(shares)
}

/// Returns `[1,C,H,W]` minus the mean over its channels: the deviation from grey.
pub fn without_grey(image: &Tensor) -> Result<Tensor, StyleError> {
    Ok(image.f_sub(&image.f_mean_dim([1i64].as_slice(), true, image.kind())?)?)
}

/// Returns the same values with the channels innermost in memory ("channels last"), which CPU convolutions and tensor
/// cores prefer.
pub fn channels_last(image: &Tensor) -> Result<Tensor, StyleError> {
    Ok(image.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// Reads one number back to the host.
pub fn scalar(value: &Tensor) -> Result<f64, StyleError> {
    Ok(value.f_to_kind(Kind::Double)?.f_double_value(&[])?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn sharp_resampling_keeps_flat_pictures_and_slow_waves() {
        let flat = Tensor::full([1, 3, 40, 50], 0.25, (Kind::Float, Device::Cpu));
        let small = resize_sharply(&flat, 13, 17).unwrap();
        assert!(scalar(&(small - 0.25).abs().max()).unwrap() < 1e-6);
        // A wave with a period of 20 samples, shrunk to half: the same wave, away from its borders.
        let wave = |length: i64, period: f64| {
            let at = (Tensor::arange(length, (Kind::Float, Device::Cpu)) + 0.5) * (std::f64::consts::TAU / period);
            (at.sin() * 0.4 + 0.5).view([1, 1, 1, length])
        };
        let halved = resize_sharply(&wave(200, 20.0).expand([1, 1, 8, 200], false), 8, 100).unwrap();
        let gap = (halved.narrow(3, 5, 90) - wave(100, 10.0).narrow(3, 5, 90)).abs().max();
        assert!(scalar(&gap).unwrap() < 5e-3, "{gap:?}");
    }
}
