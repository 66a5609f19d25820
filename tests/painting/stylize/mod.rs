//! Compares the painting core with independent references.

mod chain;
pub mod formula;
mod forward;
mod golden;
mod gradients;
mod losses;
#[cfg(feature = "opencv")]
mod moving;
mod optimizers;
mod painter;
mod parts;
mod pictures;
mod real_weights;
mod reuse;
#[cfg(feature = "opencv")]
mod scenes;
mod sweeps;
mod temporal;
mod tiny;
#[cfg(feature = "opencv")]
mod traces;

use stylize_video::settings::{Padding, Pooling};
use stylize_video::stylize::backbone::{self, Backbone, NamedTensors, NetOptions};
use tch::{Device, Tensor};

pub const PLAIN: NetOptions = NetOptions { pooling: Pooling::Max, padding: Padding::Zeros, antialias: true };

pub fn network(name: &str, options: NetOptions, weights: NamedTensors) -> Box<dyn Backbone> {
    backbone::build(name, options, Device::Cpu, |_| Ok(formula::copies(&weights))).unwrap()
}

/// Returns the number in a 0-d tensor.
fn number(tensor: &Tensor) -> f64 {
    tensor.double_value(&[])
}

/// Returns the largest difference of two tensors of the same shape.
fn gap(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    number(&(a - b).abs().max())
}

/// Returns all numbers of a tensor, row-major.
pub fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(tch::Kind::Double).contiguous().view(-1)).unwrap()
}
