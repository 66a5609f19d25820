//! Between pixels and tensors: `[1,3,H,W]`, RGB, 0..=1, 32-bit float.

use tch::{Device, Kind, Tensor};

use super::StyleError;
use crate::media::Pixels;

/// The colour planes as `[1,3,H,W]` on `device`. Alpha stays behind.
pub fn from_pixels(pixels: &Pixels, device: Device) -> Result<Tensor, StyleError> {
    let (h, w) = (pixels.height as i64, pixels.width as i64);
    Ok(Tensor::f_from_slice(&pixels.rgb)?.f_view([1, 3, h, w])?.f_to_device(device)?)
}

/// Planes, one after another, as `[1,channels,height,width]`.
pub fn from_planes(
    planes: &[f32],
    channels: i64,
    height: i64,
    width: i64,
    device: Device,
) -> Result<Tensor, StyleError> {
    Ok(Tensor::f_from_slice(planes)?.f_view([1, channels, height, width])?.f_to_device(device)?)
}

/// The samples of `[1,C,H,W]`, plane after plane.
pub fn to_planes(image: &Tensor) -> Result<Vec<f32>, StyleError> {
    let flat = image.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(Kind::Float)?.f_contiguous()?.f_view(-1)?;
    let mut planes = vec![0.0f32; flat.numel()];
    let count = planes.len();
    flat.f_copy_data(&mut planes, count)?;
    Ok(planes)
}

/// `[1,3,H,W]` as pixels, clamped to 0..=1.
pub fn to_pixels(image: &Tensor) -> Result<Pixels, StyleError> {
    let (_, channels, h, w) = image.size4()?;
    let flat = image.f_detach()?.f_clamp(0.0, 1.0)?.f_to_device(Device::Cpu)?.f_contiguous()?.f_view(-1)?;
    let mut rgb = vec![0.0f32; (channels * h * w) as usize];
    let count = rgb.len();
    flat.f_copy_data(&mut rgb, count)?;
    Ok(Pixels { width: w as usize, height: h as usize, rgb, alpha: None })
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

/// Each channel of `[1,C,H,W]` smoothed by a Gaussian of standard deviation `sigma` pixels, cut off at 2.5 sigma; beyond
/// the edges are zeros.
pub fn blurred(image: &Tensor, sigma: f64) -> Result<Tensor, StyleError> {
    let (_, channels, _, _) = image.size4()?;
    let radius = (2.5 * sigma).ceil() as i64;
    let at = Tensor::f_arange_start(-radius, radius + 1, (image.kind(), image.device()))?;
    let kernel = at.f_square()?.f_mul_scalar(-0.5 / (sigma * sigma))?.f_exp()?;
    let kernel = kernel.f_div(&kernel.f_sum(image.kind())?)?;
    let side = 2 * radius + 1;
    let pass = |image: &Tensor, shape: [i64; 2], padding: [i64; 2]| -> Result<Tensor, StyleError> {
        let kernel = kernel.f_view([1, 1, shape[0], shape[1]])?.f_repeat([channels, 1, 1, 1])?;
        Ok(image.f_conv2d::<Tensor>(&kernel, None, [1, 1], padding, [1, 1], channels)?)
    };
    pass(&pass(image, [1, side], [0, radius])?, [side, 1], [radius, 0])
}

/// The same values with the channels innermost in memory ("channels last"), which convolutions on a CPU and tensor
/// cores prefer.
pub fn channels_last(image: &Tensor) -> Result<Tensor, StyleError> {
    Ok(image.f_permute([0, 2, 3, 1])?.f_contiguous()?.f_permute([0, 3, 1, 2])?)
}

/// One number read back to the host.
pub fn scalar(value: &Tensor) -> Result<f64, StyleError> {
    Ok(value.f_to_kind(Kind::Double)?.f_double_value(&[])?)
}
