//! Feature networks: pictures in, named layers of activations out.

mod convnet;
mod geometry;
mod inspect;
mod patches;
mod project;
mod scatter;
mod scatter_inspect;
mod squeezenet;
mod vgg;

use std::collections::BTreeMap;

use tch::{Device, Tensor};

use super::StyleError;
use crate::settings::{BACKBONES, Padding, Pooling};

pub use convnet::ConvNet;
pub use geometry::{Field, LayerShape};
pub use inspect::{Inspect, Pick, Taker, Wanted};
pub use scatter::Scatter;

/// A fixed network whose activations are compared. Weights never get a gradient; the image does.
pub trait Backbone {
    fn name(&self) -> &str;
    /// Every layer that can be asked for, in the order in which they are computed.
    fn layers(&self) -> Vec<String>;
    /// The five canonical style layers, fine to coarse.
    fn style_layers(&self) -> [&str; 5];
    /// The canonical content layers.
    fn content_layers(&self) -> Vec<&str>;
    /// Activations `[1,C,H',W']` of `wanted` (indices into `layers()`, in any order) for `image` `[1,3,H,W]`, RGB in
    /// 0..=1. Nothing beyond the deepest wanted layer is computed.
    ///
    /// # Errors
    /// What libtorch reports, out of memory above all.
    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError>;

    /// How to look into the network, where that is known (`stylize-video layers`).
    fn inspect(&self) -> Option<&dyn Inspect> {
        None
    }

    /// The index of a layer by its name.
    ///
    /// # Errors
    /// An unknown name; the error lists the known ones.
    fn layer(&self, name: &str) -> Result<usize, StyleError> {
        let known = self.layers();
        known.iter().position(|layer| layer == name).ok_or_else(|| StyleError::UnknownLayer {
            backbone: self.name().to_owned(),
            layer: name.to_owned(),
            known,
        })
    }
}

/// How a convolutional network treats pooling and borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetOptions {
    pub pooling: Pooling,
    pub padding: Padding,
}

/// Tensors of a weights file by torchvision's key (`features.0.weight`).
pub type NamedTensors = BTreeMap<String, Tensor>;

/// The weights file of a network that is built in, where it has one.
pub fn shipped_weights(name: &str) -> Option<&'static [u8]> {
    (name == "patches").then_some(patches::FILE)
}

/// Builds a network by name; `weights` is asked only for networks that have some.
///
/// # Errors
/// An unknown name, weights that are missing or do not fit.
pub fn build(
    name: &str,
    options: NetOptions,
    device: Device,
    weights: impl FnOnce() -> Result<NamedTensors, StyleError>,
) -> Result<Box<dyn Backbone>, StyleError> {
    Ok(match name {
        "vgg19" | "vgg16" => Box::new(vgg::build(name, options, device, &weights()?)?),
        "squeezenet1_0" | "squeezenet1_1" => Box::new(squeezenet::build(name, options, device, &weights()?)?),
        "patches" => Box::new(patches::build(options, device)?),
        "scatter" => Box::new(Scatter::new(device)?),
        _ => {
            return Err(StyleError::UnknownBackbone {
                name: name.to_owned(),
                known: BACKBONES.map(str::to_owned).to_vec(),
            });
        }
    })
}
