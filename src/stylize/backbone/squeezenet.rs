//! SqueezeNet 1.0 and 1.1 (Iandola et al. 2016), features only: 0.7 M parameters, the network for a CPU.

use tch::Device;

use super::convnet::{Conv, ConvNet, ConvShape, Layer, Op};
use super::{NamedTensors, NetOptions};
use crate::stylize::StyleError;

/// What follows the first convolution: poolings, and fire modules as (input, squeeze, each expand) channels.
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

/// `squeezenet1_0` or `squeezenet1_1` with torchvision's numbering of `features.N`. Layers: `conv1`, `relu1`, `pool1`,
/// `fire2` ... `fire9`, as in the paper.
pub fn build(name: &str, options: NetOptions, device: Device, weights: &NamedTensors) -> Result<ConvNet, StyleError> {
    let bad = |problem| StyleError::Weights { backbone: name.to_owned(), problem };
    let (parts, channels, kernel) = if name == "squeezenet1_0" { (&V1_0, 96, 7) } else { (&V1_1, 64, 3) };
    let first = ConvShape { out: channels, inp: 3, kernel, stride: 2, padding: 0 };
    let mut layers = vec![
        Layer { name: "conv1".into(), op: Op::Conv(Conv::load(weights, "features.0", first, device).map_err(bad)?) },
        Layer { name: "relu1".into(), op: Op::Relu },
    ];
    let mut module = 1;
    for part in parts {
        let key = format!("features.{}", layers.len());
        layers.push(match *part {
            Pool => Layer { name: format!("pool{module}"), op: Op::Pool { kernel: 3, stride: 2, ceil: true } },
            Fire(inp, squeeze, expand) => {
                module += 1;
                let conv = |part: &str, out, inp, kernel: i64| {
                    let shape = ConvShape { out, inp, kernel, stride: 1, padding: kernel / 2 };
                    Conv::load(weights, &format!("{key}.{part}"), shape, device).map_err(bad)
                };
                let op = Op::Fire {
                    squeeze: conv("squeeze", squeeze, inp, 1)?,
                    expand1: conv("expand1x1", expand, squeeze, 1)?,
                    expand3: conv("expand3x3", expand, squeeze, 3)?,
                };
                Layer { name: format!("fire{module}"), op }
            }
        });
    }
    let style = ["relu1", "fire2", "fire3", "fire5", "fire7"];
    ConvNet::new(name, layers, style, "fire2", options, device)
}
