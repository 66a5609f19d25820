//! A chain of convolutions, ReLUs, poolings and fire modules, run to the deepest layer asked for.

use tch::{Device, Kind, Tensor};

use super::{Backbone, Inspect, NamedTensors, NetOptions};
use crate::settings::{Padding, Pooling};
use crate::stylize::StyleError;
use crate::stylize::tensor::channels_last;

/// ImageNet statistics that torchvision's networks were trained with (RGB, 0..=1).
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// One convolution. `padding` is the trained network's (zeros); `border` is what the picture is extended by when the
/// padding option replaces the zeros by its own pixels.
#[derive(Debug)]
pub struct Conv {
    pub(super) weight: Tensor,
    bias: Tensor,
    pub(super) stride: i64,
    pub(super) padding: i64,
    border: i64,
    /// 1, or as many as there are channels: each by itself.
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

impl Conv {
    /// Takes `{key}.weight` `[out,in,k,k]` and `{key}.bias` `[out]` from `weights`. Double precision stays, for a check
    /// of gradients; all else becomes 32-bit.
    pub fn load(weights: &NamedTensors, key: &str, shape: ConvShape, device: Device) -> Result<Self, String> {
        let take = |name: String, want: &[i64]| {
            let tensor = weights.get(&name).ok_or_else(|| format!("tensor {name} is missing"))?;
            if tensor.size() != want {
                return Err(format!("tensor {name} has shape {:?}, expected {want:?}", tensor.size()));
            }
            let kind = if tensor.kind() == Kind::Double { Kind::Double } else { Kind::Float };
            tensor.f_to_kind(kind).and_then(|t| t.f_to_device(device)).map_err(|e| format!("tensor {name}: {e}"))
        };
        let weight = take(format!("{key}.weight"), &[shape.out, shape.inp, shape.kernel, shape.kernel])?;
        let bias = take(format!("{key}.bias"), &[shape.out])?;
        let weight = channels_last(&weight).map_err(|e| e.to_string())?;
        Ok(Self { weight, bias, stride: shape.stride, padding: shape.padding, border: shape.kernel / 2, groups: 1 })
    }

    /// Halves the size of `channels` maps, blurred by the 5x5 binomial first: a mean of 2x2 lets through much of what
    /// the coarser grid cannot hold, and a descent hides a lattice of that grid's pitch there.
    pub fn halving(channels: i64, device: Device) -> Result<Self, StyleError> {
        let binomial = [1.0f32, 4.0, 6.0, 4.0, 1.0];
        let kernel: Vec<f32> = binomial.iter().flat_map(|v| binomial.map(|u| u * v / 256.0)).collect();
        let weight = Tensor::f_from_slice(&kernel)?.f_view([1, 1, 5, 5])?.f_repeat([channels, 1, 1, 1])?;
        let bias = Tensor::f_zeros([channels], (Kind::Float, Device::Cpu))?;
        let (weight, bias) = (channels_last(&weight.f_to_device(device)?)?, bias.f_to_device(device)?);
        Ok(Self { weight, bias, stride: 2, padding: 2, border: 2, groups: channels })
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

/// Extends a picture by `border` pixels of its own. Reflection needs more pixels than it adds; where a deep layer is
/// too small for that, the edge is repeated.
pub fn extend(x: &Tensor, border: i64, padding: Padding) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = x.size4()?;
    let sides = [border; 4];
    Ok(match padding {
        Padding::Reflect if h > border && w > border => x.f_reflection_pad2d(sides)?,
        _ => x.f_replication_pad2d(sides)?,
    })
}

/// What a layer does.
#[derive(Debug)]
pub enum Op {
    Conv(Conv),
    Relu,
    Pool { kernel: i64, stride: i64, ceil: bool },
    Fire { squeeze: Conv, expand1: Conv, expand3: Conv },
}

/// A layer with its name in the literature.
#[derive(Debug)]
pub struct Layer {
    pub name: String,
    pub op: Op,
}

/// A chain of layers with torchvision's weights and input normalisation.
#[derive(Debug)]
pub struct ConvNet {
    pub(super) name: String,
    pub(super) layers: Vec<Layer>,
    pub(super) style: [&'static str; 5],
    pub(super) content: &'static str,
    pub(super) options: NetOptions,
    pub(super) mean: Tensor,
    pub(super) deviation: Tensor,
}

impl ConvNet {
    pub(super) fn new(
        name: &str,
        layers: Vec<Layer>,
        style: [&'static str; 5],
        content: &'static str,
        options: NetOptions,
        device: Device,
    ) -> Result<Self, StyleError> {
        let constant = |values: &[f32]| -> Result<Tensor, StyleError> {
            Ok(Tensor::f_from_slice(values)?.f_view([1, 3, 1, 1])?.f_to_device(device)?)
        };
        let (mean, deviation) = (constant(&MEAN)?, constant(&STD)?);
        Ok(Self { name: name.to_owned(), layers, style, content, options, mean, deviation })
    }

    fn pool(&self, x: &Tensor, kernel: i64, stride: i64, ceil: bool) -> Result<Tensor, StyleError> {
        let (kernel, stride) = ([kernel; 2], [stride; 2]);
        Ok(match self.options.pooling {
            Pooling::Max => x.f_max_pool2d(kernel, stride, [0, 0], [1, 1], ceil)?,
            // An average is about half of a maximum of rectified activations; the factor keeps the magnitudes the
            // later layers were trained with.
            Pooling::Avg => x.f_avg_pool2d(kernel, stride, [0, 0], ceil, true, None)?.f_mul_scalar(2.0)?,
        })
    }

    /// `keep_input`: the input was asked for as a layer of its own, so it must not be overwritten.
    pub(super) fn run(&self, op: &Op, mut x: Tensor, keep_input: bool) -> Result<Tensor, StyleError> {
        let padding = self.options.padding;
        Ok(match op {
            Op::Conv(conv) => conv.forward(&x, padding)?,
            Op::Relu if keep_input => x.f_relu()?,
            Op::Relu => x.f_relu_()?,
            Op::Pool { kernel, stride, ceil } => self.pool(&x, *kernel, *stride, *ceil)?,
            Op::Fire { squeeze, expand1, expand3 } => {
                let narrow = squeeze.forward(&x, padding)?.f_relu_()?;
                let one = expand1.forward(&narrow, padding)?;
                let three = expand3.forward(&narrow, padding)?;
                Tensor::f_cat(&[one, three], 1)?.f_relu_()?
            }
        })
    }
}

impl Backbone for ConvNet {
    fn name(&self) -> &str {
        &self.name
    }

    fn layers(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }

    fn style_layers(&self) -> [&str; 5] {
        self.style
    }

    fn content_layers(&self) -> Vec<&str> {
        vec![self.content]
    }

    fn inspect(&self) -> Option<&dyn Inspect> {
        Some(self)
    }

    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError> {
        let deepest = wanted.iter().copied().max().map_or(0, |deepest| deepest + 1);
        let mut found: Vec<Option<Tensor>> = wanted.iter().map(|_| None).collect();
        let mut x = channels_last(&image.f_sub(&self.mean)?.f_div(&self.deviation)?)?;
        for (index, layer) in self.layers.iter().take(deepest).enumerate() {
            let keep_input = index > 0 && wanted.contains(&(index - 1));
            x = self.run(&layer.op, x, keep_input)?;
            for (slot, _) in found.iter_mut().zip(wanted).filter(|&(_, &want)| want == index) {
                *slot = Some(x.shallow_clone());
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}
