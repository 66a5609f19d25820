//! Feature networks: pictures in, named layers of activations out.

mod conv;
mod geometry;
mod graph;
mod inspect;
mod lite0;
mod patches;
mod project;
mod set;
mod squeezenet;
mod vgg;

use std::collections::BTreeMap;

use tch::{Device, Tensor};

use super::StyleError;
use crate::settings::{BACKBONES, NetworkSettings, Padding, Pooling};

pub use geometry::{Field, LayerShape};
pub use graph::ConvNet;
pub use inspect::{Inspect, Pick, Taker, Wanted};
pub use set::NetworkSet;

/// A fixed network whose activations are compared. Weights never get a gradient; the image does.
pub trait Backbone {
    fn name(&self) -> &str;
    /// Every layer that can be asked for, in the order in which they are computed.
    fn layers(&self) -> Vec<String>;
    /// The style layers that are compared unless the settings name others, fine to coarse.
    fn style_layers(&self) -> Vec<&str>;
    /// The canonical content layers.
    fn content_layers(&self) -> Vec<&str>;
    /// Whether a layer says anything of a picture of that size.
    fn counts(&self, _layer: usize, _height: i64, _width: i64) -> bool {
        true
    }
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

/// How a network treats pooling, borders and strides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetOptions {
    pub pooling: Pooling,
    pub padding: Padding,
    /// Blur before a stride halves a map, where the network is made for it (`efficientnet_lite0`).
    pub antialias: bool,
}

impl From<&NetworkSettings> for NetOptions {
    fn from(settings: &NetworkSettings) -> Self {
        Self { pooling: settings.pooling, padding: settings.padding, antialias: settings.antialias }
    }
}

/// Tensors of a weights file by torchvision's key (`features.0.weight`).
pub type NamedTensors = BTreeMap<String, Tensor>;

/// The weights file of a network that is built in, where it has one.
pub fn shipped_weights(name: &str) -> Option<&'static [u8]> {
    (name == "patches").then_some(patches::FILE)
}

/// Builds a network by name, or a set of networks (`patches+efficientnet_lite0`); `weights` is asked for the weights of
/// each network that is not built in, by its name.
///
/// # Errors
/// An unknown name, weights that are missing or do not fit.
pub fn build(
    name: &str,
    options: NetOptions,
    device: Device,
    weights: impl Fn(&str) -> Result<NamedTensors, StyleError>,
) -> Result<Box<dyn Backbone>, StyleError> {
    let mut networks: Vec<ConvNet> =
        names(name).map(|name| build_one(name, options, device, &weights)).collect::<Result<_, _>>()?;
    Ok(if networks.len() == 1 {
        Box::new(networks.swap_remove(0))
    } else {
        Box::new(NetworkSet::new(networks, device)?)
    })
}

/// The networks of a set, by name.
pub fn names(set: &str) -> impl Iterator<Item = &str> {
    set.split('+').map(str::trim)
}

fn build_one(
    name: &str,
    options: NetOptions,
    device: Device,
    weights: &dyn Fn(&str) -> Result<NamedTensors, StyleError>,
) -> Result<ConvNet, StyleError> {
    match name {
        "vgg19" | "vgg16" => vgg::build(name, options, device, &weights(name)?),
        "squeezenet1_0" | "squeezenet1_1" => squeezenet::build(name, options, device, &weights(name)?),
        "efficientnet_lite0" => lite0::build(options, device, &weights(name)?),
        "patches" => patches::build(options, device),
        _ => Err(StyleError::UnknownBackbone { name: name.to_owned(), known: BACKBONES.map(str::to_owned).to_vec() }),
    }
}
