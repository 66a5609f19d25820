//! SqueezeNet 1.0 and 1.1 (Iandola et al. 2016), features only: 0.7 M parameters, suited to a CPU.

use tch::Device;

use super::conv::{Conv, ConvShape};
use super::graph::{ConvNet, Defaults, Description, IMAGENET, Op, Value};
use super::{NamedTensors, NetOptions};
use crate::stylize::StyleError;

/// A part after the first convolution: a pooling, or a fire module as (input, squeeze, each expand) channels.
enum Part {
    Pool,
    Fire(i64, i64, i64),
}
use Part::{Fire, Pool};

const V1_0: [Part; 11] = [
    Pool,
    Fire(96, 16, 64),
    Fire(128, 16, 64),
    Fire(128, 32, 128),
    Pool,
    Fire(256, 32, 128),
    Fire(256, 48, 192),
    Fire(384, 48, 192),
    Fire(384, 64, 256),
    Pool,
    Fire(512, 64, 256),
];

const V1_1: [Part; 11] = [
    Pool,
    Fire(64, 16, 64),
    Fire(128, 16, 64),
    Pool,
    Fire(128, 32, 128),
    Fire(256, 32, 128),
    Pool,
    Fire(256, 48, 192),
    Fire(384, 48, 192),
    Fire(384, 64, 256),
    Fire(512, 64, 256),
];

const DEFAULTS: Defaults = Defaults::same(&["relu1", "fire2", "fire3", "fire5", "fire7"], &["fire2"]);

/// Builds `squeezenet1_0` or `squeezenet1_1` with torchvision's numbering of `features.N`. Layers: `conv1`, `relu1`,
/// `pool1`, `fire2` ... `fire9`, as in the paper.
pub fn build(name: &str, options: NetOptions, device: Device, weights: &NamedTensors) -> Result<ConvNet, StyleError> {
    let load = |key: &str, shape| {
        Conv::load(weights, key, shape, device)
            .map_err(|problem| StyleError::Weights { backbone: name.to_owned(), problem })
    };
    let (parts, channels, kernel) = if name == "squeezenet1_0" { (&V1_0, 96, 7) } else { (&V1_1, 64, 3) };
    let first = ConvShape { out: channels, inp: 3, kernel, stride: 2, padding: 0 };
    let mut net = Description::default();
    let mut x = net.layer("conv1", Op::Conv(load("features.0", first)?), Value::PICTURE);
    x = net.layer("relu1", Op::Relu, x);
    let mut module = 1;
    for part in parts {
        let key = format!("features.{}", net.len());
        x = match *part {
            Pool => net.layer(format!("pool{module}"), Op::Pool { kernel: 3, stride: 2, ceil: true }, x),
            Fire(inp, squeeze, expand) => {
                module += 1;
                let conv = |part: &str, out, inp, kernel| {
                    load(&format!("{key}.{part}"), ConvShape::same(out, inp, kernel)).map(Op::Conv)
                };
                let narrow = net.node(conv("squeeze", squeeze, inp, 1)?, &[x]);
                let narrow = net.node(Op::Relu, &[narrow]);
                let one = net.node(conv("expand1x1", expand, squeeze, 1)?, &[narrow]);
                let three = net.node(conv("expand3x3", expand, squeeze, 3)?, &[narrow]);
                let wide = net.node(Op::Concat, &[one, three]);
                net.layer(format!("fire{module}"), Op::Relu, wide)
            }
        };
    }
    ConvNet::new(name, net, DEFAULTS, options, IMAGENET, device)
}
