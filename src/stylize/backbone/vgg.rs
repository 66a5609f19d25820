//! VGG-16 and VGG-19 (Simonyan & Zisserman 2014), convolutional part only: the 124 M parameters of the classifier have
//! no effect on style.

use tch::Device;

use super::conv::{Conv, ConvShape};
use super::graph::{ConvNet, Defaults, Description, IMAGENET, Op, Value};
use super::{NamedTensors, NetOptions};
use crate::stylize::StyleError;

/// Channels of each block of 3x3 convolutions; a 2x2 pooling follows each block.
const CHANNELS: [i64; 5] = [64, 128, 256, 512, 512];

const DEFAULTS: Defaults = Defaults::same(&["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"], &["relu4_2"]);

/// Builds `vgg16` or `vgg19` with torchvision's numbering of `features.N`. A layer is named after its block and its
/// place in it: `conv3_1`, `relu3_1`, `pool3`.
pub fn build(name: &str, options: NetOptions, device: Device, weights: &NamedTensors) -> Result<ConvNet, StyleError> {
    let depths: [usize; 5] = if name == "vgg16" { [2, 2, 3, 3, 3] } else { [2, 2, 4, 4, 4] };
    let mut net = Description::default();
    let (mut x, mut inp) = (Value::PICTURE, 3);
    for (block, (&out, &depth)) in CHANNELS.iter().zip(&depths).enumerate() {
        let block = block + 1;
        for place in 1..=depth {
            let key = format!("features.{}", net.len());
            let conv = Conv::load(weights, &key, ConvShape::same(out, inp, 3), device)
                .map_err(|problem| StyleError::Weights { backbone: name.to_owned(), problem })?;
            x = net.layer(format!("conv{block}_{place}"), Op::Conv(conv), x);
            x = net.layer(format!("relu{block}_{place}"), Op::Relu, x);
            inp = out;
        }
        x = net.layer(format!("pool{block}"), Op::Pool { kernel: 2, stride: 2, ceil: false }, x);
    }
    ConvNet::new(name, net, DEFAULTS, options, IMAGENET, device)
}
