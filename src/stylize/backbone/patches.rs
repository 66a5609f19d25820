//! The built-in network: a chain of four convolutions whose filters are clusters of small patches, learned by this
//! project from pictures that a program paints (`scripts/train-backbone`; Coates & Ng 2011). No third-party pictures or
//! networks went into it.
//!
//! The filters of each layer are the centres of clusters of whitened patches of the previous layer, found by spherical
//! k-means. Between scales the maps are blurred and halved. See weights/patches.md for the training data and the
//! results.

use std::collections::BTreeMap;

use safetensors::SafeTensors;
use tch::{Device, Kind, Tensor};

use super::conv::{Conv, ConvShape};
use super::graph::{Chosen, ConvNet, Defaults, Description, IMAGENET, Op, Value};
use super::{NamedTensors, NetOptions};
use crate::stylize::StyleError;

/// The weights, as 16-bit floats.
pub static FILE: &[u8] = include_bytes!("../../../weights/patches.safetensors");

/// Output channels and kernel size of each convolution; a halving follows all but the last.
const CONVOLUTIONS: [(i64, i64); 4] = [(48, 5), (96, 3), (128, 3), (128, 3)];

/// Kernel of the blur before a halving.
const BINOMIAL: [f64; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];

/// Kernel of the blur that the picture gets first. Filters of whitened patches respond most to the finest frequencies;
/// without the blur a descent weaves a mesh of lines two to three pixels apart into plain skies.
const SOFTER: [f64; 3] = [0.1, 0.8, 0.1];

/// In a set, this network contributes the strokes and keeps edges in place.
const DEFAULTS: Defaults = Defaults {
    alone: Chosen { style: &["relu1", "half1", "relu2", "relu3", "relu4"], halved: &[], content: &["half2", "relu1"] },
    in_set: Chosen {
        style: &["relu1", "cross2", "cross3"],
        halved: &["relu1", "relu2", "relu3"],
        content: &["half2", "half1"],
    },
};

/// Builds `patches`. Layers: `conv1`, `relu1`, `half1`, `conv2` ... `relu4`, and two that join others on one grid:
/// `cross2` has the maps of `half1` and `relu2`; `cross3` has those of `half1`, halved once more, and `relu3`. A Gram
/// matrix of joined maps also records which fine strokes lie in which coarse ones (cross-layer Gram matrices: Novak &
/// Nikulin 2016, "Improving the neural algorithm of artistic style"). `options.pooling` has no effect, because the
/// network has no pooling.
pub fn build(options: NetOptions, device: Device) -> Result<ConvNet, StyleError> {
    let bad = |problem| StyleError::Weights { backbone: "patches".to_owned(), problem };
    let weights = shipped().map_err(bad)?;
    let mut net = Description::default();
    let softer = Conv::blur(&SOFTER, 3, Kind::Float, device)?;
    let (mut x, mut inp) = (net.node(Op::Conv(softer), &[Value::PICTURE]), 3);
    // The maps of the first convolution, halved to the size of the current layer.
    let mut finest = None;
    for (index, (out, kernel)) in CONVOLUTIONS.into_iter().enumerate() {
        let number = index + 1;
        let conv = Conv::load(&weights, &format!("conv{number}"), ConvShape::same(out, inp, kernel), device);
        x = net.layer(format!("conv{number}"), Op::Conv(conv.map_err(bad)?), x);
        x = net.layer(format!("relu{number}"), Op::Relu, x);
        let last = number == CONVOLUTIONS.len();
        let halved = |maps| Ok::<_, StyleError>(Op::Conv(Conv::halving(&BINOMIAL, maps, Kind::Float, device)?));
        if let Some(fine) = finest.filter(|_| !last) {
            let joined = net.node(Op::Concat, &[fine, x]);
            net.name(format!("cross{number}"), joined);
            finest = Some(net.node(halved(CONVOLUTIONS[0].0)?, &[fine]));
        }
        if !last {
            x = net.layer(format!("half{number}"), halved(out)?, x);
            finest = finest.or(Some(x));
        }
        inp = out;
    }
    ConvNet::new("patches", net, DEFAULTS, options, IMAGENET, device)
}

/// Reads the tensors of the embedded file as 32-bit floats.
fn shipped() -> Result<NamedTensors, String> {
    let file = SafeTensors::deserialize(FILE).map_err(|error| error.to_string())?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.tensors() {
        let (pairs, _) = view.data().as_chunks::<2>();
        let values: Vec<f32> = pairs.iter().map(|pair| half::f16::from_le_bytes(*pair).to_f32()).collect();
        let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        let tensor = Tensor::f_from_slice(&values).and_then(|t| t.f_view(shape.as_slice()));
        tensors.insert(name, tensor.map_err(|error| error.to_string())?);
    }
    Ok(tensors)
}
