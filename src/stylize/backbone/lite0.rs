//! EfficientNet-Lite0 (Tan & Le 2019; Google 2020, the variant for mobile devices), features only: inverted residual
//! blocks without squeeze-and-excitation, ReLU6. Trained on ImageNet; 3.4 M parameters up to the last block.

use tch::{Device, Kind};

use super::conv::{Conv, ConvShape};
use super::graph::{Chosen, ConvNet, Defaults, Description, Normalisation, Op, Value};
use super::{NamedTensors, NetOptions};
use crate::stylize::StyleError;

/// The network reads (255 x - 127) / 128 for samples x of 0..=1.
const INPUT: Normalisation = Normalisation { mean: [127.0 / 255.0; 3], deviation: [128.0 / 255.0; 3] };

/// Output channels of the first convolution.
const STEM: i64 = 32;
/// Stages of equal blocks: number of blocks, output channels, depthwise kernel size, stride of the first block.
const STAGES: [(usize, i64, i64, i64); 7] =
    [(1, 16, 3, 1), (2, 24, 3, 2), (2, 40, 5, 2), (3, 80, 3, 2), (3, 112, 5, 1), (4, 192, 5, 2), (1, 320, 3, 1)];
/// Factor by which every block but the first widens its input before the depthwise convolution.
const EXPANSION: i64 = 6;
/// Kernel of the blur before a halving.
const BINOMIAL: [f64; 3] = [1.0, 2.0, 1.0];

/// In a set, this network contributes swirls and forms.
const DEFAULTS: Defaults = Defaults {
    alone: Chosen { style: &["stem", "1.exp", "2.exp", "4.exp", "6.exp"], halved: &[], content: &["4.exp"] },
    in_set: Chosen {
        style: &["2.exp", "4.exp", "5.exp", "6.exp", "8.exp", "10.exp"],
        halved: &["2.exp", "4.exp", "5.exp", "6.exp"],
        content: &["4.exp"],
    },
};

/// Builds `efficientnet_lite0`. Layers: `stem`, and for each block N `N.exp` (after the expansion), `N.dw` (after the
/// depthwise convolution, halved where the block halves) and `N.out` (after the projection, plus the block's input
/// where the shapes match). Batch norm is folded into the weights.
///
/// With `options.antialias`, a convolution with stride 2 becomes one with stride 1 followed by a 3x3 binomial blur with
/// stride 2. With plain strides a descent draws thin dark wrinkles, because the network cannot see shifts of one pixel.
pub fn build(name: &str, options: NetOptions, device: Device, weights: &NamedTensors) -> Result<ConvNet, StyleError> {
    let bad = |problem| StyleError::Weights { backbone: name.to_owned(), problem };
    let kind = match weights.get("stem.weight").map(tch::Tensor::kind) {
        Some(Kind::Double) => Kind::Double,
        _ => Kind::Float,
    };
    let mut net = Description::default();
    // Adds a convolution and its rectifier, and with antialiasing the blur that halves where `stride` is 2.
    let filter = |net: &mut Description, key: &str, shape: ConvShape, depthwise, input| {
        let halves = shape.stride == 2 && options.antialias;
        let shape = if halves { shape.stride(1) } else { shape };
        let conv = if depthwise {
            Conv::depthwise(weights, key, shape, device)
        } else {
            Conv::load(weights, key, shape, device)
        };
        let x = net.node(Op::Conv(conv.map_err(bad)?), &[input]);
        let x = net.node(Op::Relu6, &[x]);
        if !halves {
            return Ok::<Value, StyleError>(x);
        }
        Ok(net.node(Op::Conv(Conv::halving(&BINOMIAL, shape.out, kind, device)?), &[x]))
    };
    let stem = filter(&mut net, "stem", ConvShape::same(STEM, 3, 3).stride(2), false, Value::PICTURE)?;
    let (mut x, mut inp, mut block) = (net.name("stem", stem), STEM, 0);
    for (count, out, kernel, stride) in STAGES {
        for place in 0..count {
            let stride = if place == 0 { stride } else { 1 };
            let (mut wide, mut maps) = (x, inp);
            if block > 0 {
                maps = EXPANSION * inp;
                let key = format!("blocks.{block}.expand");
                wide = filter(&mut net, &key, ConvShape::same(maps, inp, 1), false, x)?;
                net.name(format!("{block}.exp"), wide);
            }
            let shape = ConvShape::same(maps, maps, kernel).stride(stride);
            let filtered = filter(&mut net, &format!("blocks.{block}.depthwise"), shape, true, wide)?;
            net.name(format!("{block}.dw"), filtered);
            let key = format!("blocks.{block}.project");
            let project = Conv::load(weights, &key, ConvShape::same(out, maps, 1), device).map_err(bad)?;
            let narrow = net.node(Op::Conv(project), &[filtered]);
            let residual = stride == 1 && inp == out;
            let end = if residual { net.node(Op::Add, &[narrow, x]) } else { narrow };
            x = net.name(format!("{block}.out"), end);
            (inp, block) = (out, block + 1);
        }
    }
    ConvNet::new(name, net, DEFAULTS, options, INPUT, device)
}
