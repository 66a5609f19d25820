//! One convolution: its weights, its padding, and the blur that halves a map. Depends on tensors only, not on networks.

use tch::{Device, Kind, Tensor};

use super::NamedTensors;
use crate::settings::Padding;
use crate::stylize::StyleError;
use crate::stylize::tensor::channels_last;

/// A convolution. `padding` is the zero padding that the network was trained with; `border` is the number of pixels by
/// which the picture is extended when the padding option replaces the zeros with its own pixels.
#[derive(Debug)]
pub struct Conv {
    pub(super) weight: Tensor,
    bias: Tensor,
    pub(super) stride: i64,
    pub(super) padding: i64,
    border: i64,
    /// 1, or the number of channels for a depthwise convolution.
    pub(super) groups: i64,
}

/// Shape of a convolution: output and input channels, kernel, stride, trained padding.
#[derive(Debug, Clone, Copy)]
pub struct ConvShape {
    pub out: i64,
    pub inp: i64,
    pub kernel: i64,
    pub stride: i64,
    pub padding: i64,
}

impl ConvShape {
    /// A convolution that keeps the size of its input: `kernel` x `kernel`, stride 1, padded by half of the kernel.
    pub fn same(out: i64, inp: i64, kernel: i64) -> Self {
        Self { out, inp, kernel, stride: 1, padding: kernel / 2 }
    }

    /// Returns the same shape with another stride.
    pub fn stride(self, stride: i64) -> Self {
        Self { stride, ..self }
    }
}

impl Conv {
    /// Takes `{key}.weight` `[out,in,k,k]` and `{key}.bias` `[out]` from `weights`. Double precision is kept for
    /// gradient checks; every other kind becomes 32-bit.
    ///
    /// # Errors
    /// If a tensor is missing, has another shape or cannot be converted; the message names it.
    pub fn load(weights: &NamedTensors, key: &str, shape: ConvShape, device: Device) -> Result<Self, String> {
        Self::grouped(weights, key, shape, 1, device)
    }

    /// Loads a depthwise convolution: each of `channels` maps has its own kernel, `{key}.weight` is `[channels,1,k,k]`.
    ///
    /// # Errors
    /// As [`Conv::load`].
    pub fn depthwise(weights: &NamedTensors, key: &str, shape: ConvShape, device: Device) -> Result<Self, String> {
        Self::grouped(weights, key, shape, shape.out, device)
    }

    fn grouped(
        weights: &NamedTensors,
        key: &str,
        shape: ConvShape,
        groups: i64,
        device: Device,
    ) -> Result<Self, String> {
        let take = |name: String, want: &[i64]| {
            let tensor = weights.get(&name).ok_or_else(|| format!("tensor {name} is missing"))?;
            if tensor.size() != want {
                return Err(format!("tensor {name} has shape {:?}, expected {want:?}", tensor.size()));
            }
            let kind = if tensor.kind() == Kind::Double { Kind::Double } else { Kind::Float };
            tensor.f_to_kind(kind).and_then(|t| t.f_to_device(device)).map_err(|e| format!("tensor {name}: {e}"))
        };
        let weight = take(format!("{key}.weight"), &[shape.out, shape.inp / groups, shape.kernel, shape.kernel])?;
        let bias = take(format!("{key}.bias"), &[shape.out])?;
        let weight = channels_last(&weight).map_err(|e| e.to_string())?;
        Ok(Self { weight, bias, stride: shape.stride, padding: shape.padding, border: shape.kernel / 2, groups })
    }

    /// Returns a convolution that blurs `channels` maps with the binomial `row` (`[1, 2, 1]`, for example) in both
    /// directions and then halves their size. A mean over 2x2 pixels would let through much detail that the coarser
    /// grid cannot represent (Zhang 2019, "Making convolutional networks shift-invariant again"). A descent then
    /// hides a lattice with the pitch of that grid in this detail.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn halving(row: &[f64], channels: i64, kind: Kind, device: Device) -> Result<Self, StyleError> {
        Ok(Self { stride: 2, ..Self::blur(row, channels, kind, device)? })
    }

    /// Returns a convolution that blurs `channels` maps with `row` in both directions. `row` need not sum to 1.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn blur(row: &[f64], channels: i64, kind: Kind, device: Device) -> Result<Self, StyleError> {
        let side = row.len() as i64;
        let sum: f64 = row.iter().sum();
        let kernel: Vec<f64> = row.iter().flat_map(|v| row.iter().map(move |u| u * v / (sum * sum))).collect();
        let weight = Tensor::f_from_slice(&kernel)?.f_to_kind(kind)?.f_view([1, 1, side, side])?;
        let weight = channels_last(&weight.f_repeat([channels, 1, 1, 1])?.f_to_device(device)?)?;
        let bias = Tensor::f_zeros([channels], (kind, device))?;
        Ok(Self { weight, bias, stride: 1, padding: side / 2, border: side / 2, groups: channels })
    }

    /// Returns the same convolution with shared weights.
    pub(super) fn shared(&self) -> Self {
        Self { weight: self.weight.shallow_clone(), bias: self.bias.shallow_clone(), ..*self }
    }

    pub(super) fn forward(&self, x: &Tensor, padding: Padding) -> Result<Tensor, StyleError> {
        let (extended, zeros) = match padding {
            Padding::Zeros => (None, self.padding),
            _ if self.border == 0 => (None, 0),
            Padding::Reflect | Padding::Replicate => (Some(extend(x, self.border, padding)?), 0),
        };
        let x = extended.as_ref().unwrap_or(x);
        let stride = [self.stride, self.stride];
        Ok(x.f_conv2d(&self.weight, Some(&self.bias), stride, [zeros, zeros], [1, 1], self.groups)?)
    }
}

/// Extends a picture by `border` pixels of its own content. Reflection needs a picture larger than the border; where
/// the map of a deep layer is too small, the edge is repeated.
pub fn extend(x: &Tensor, border: i64, padding: Padding) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = x.size4()?;
    let sides = [border; 4];
    Ok(match padding {
        Padding::Reflect if h > border && w > border => x.f_reflection_pad2d(sides)?,
        _ => x.f_replication_pad2d(sides)?,
    })
}
