//! Network visualisation, compared with independent references and with networks whose weights are set by hand.
#![allow(clippy::unwrap_used)]

mod browser;
mod command;
mod fields;
#[path = "../stylize/formula.rs"]
mod formula;
mod golden;
mod known;
mod nine;

use std::path::Path;

use stylize_video::settings::{Padding, Pooling};
use stylize_video::stylize::backbone::{self, Backbone, NamedTensors, NetOptions};
use tch::Device;

const PLAIN: NetOptions = NetOptions { pooling: Pooling::Max, padding: Padding::Zeros, antialias: true };

fn network(name: &str, options: NetOptions, weights: NamedTensors) -> Box<dyn Backbone> {
    backbone::build(name, options, Device::Cpu, |_| Ok(formula::copies(&weights))).unwrap()
}

/// Returns all numbers of a tensor, row-major.
fn numbers(tensor: &tch::Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(tch::Kind::Double).contiguous().view(-1)).unwrap()
}

/// Writes an 8-bit picture.
fn save(path: &Path, width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) {
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb(pixel(x, y))).save(path).unwrap();
}
