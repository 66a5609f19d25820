//! Feature networks: take a picture, return the activations of named layers.

mod conv;
mod field;
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

pub use field::{Field, LayerShape};
pub use graph::ConvNet;
pub use inspect::{Inspect, Pick, Taker, Wanted};
pub use set::NetworkSet;

/// A fixed network whose activations are compared. Gradients flow to the image, never to the weights.
pub trait Backbone: Send {
    fn name(&self) -> &str;
    /// Returns the same network; the weights are shared, not copied.
    fn shared(&self) -> Box<dyn Backbone>;
    /// Returns the names of all layers that can be requested, in the order in which they are computed.
    fn layers(&self) -> Vec<String>;
    /// Returns the style layers that are compared by default, fine to coarse.
    fn style_layers(&self) -> Vec<&str>;
    /// Returns the content layers that are compared by default.
    fn content_layers(&self) -> Vec<&str>;
    /// Returns whether a layer is meaningful for a picture of the given size.
    fn counts(&self, _layer: usize, _height: i64, _width: i64) -> bool {
        true
    }
    /// Returns the activations `[1,C,H',W']` of the `wanted` layers (indices into `layers()`, in any order) for `image`
    /// `[1,3,H,W]`, RGB in 0..=1. Computes nothing beyond the deepest wanted layer.
    ///
    /// # Errors
    /// Returns what libtorch reports, mostly out of memory.
    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError>;

    /// Returns the inspection interface (`stylize-video layers`), if the network has one.
    fn inspect(&self) -> Option<&dyn Inspect> {
        None
    }

    /// Returns the index of a layer by its name.
    ///
    /// # Errors
    /// If the name is unknown; the error lists the known names.
    fn layer(&self, name: &str) -> Result<usize, StyleError> {
        let known = self.layers();
        known.iter().position(|layer| layer == name).ok_or_else(|| StyleError::UnknownLayer {
            backbone: self.name().to_owned(),
            layer: name.to_owned(),
            known,
        })
    }
}

/// Options for a network's pooling, padding and strides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetOptions {
    pub pooling: Pooling,
    pub padding: Padding,
    /// Blur before a stride halves a map, in networks that support it (`efficientnet_lite0`).
    pub antialias: bool,
}

impl From<&NetworkSettings> for NetOptions {
    fn from(settings: &NetworkSettings) -> Self {
        Self { pooling: settings.pooling, padding: settings.padding, antialias: settings.antialias }
    }
}

/// Tensors of a weights file, by torchvision's key (`features.0.weight`).
pub type NamedTensors = BTreeMap<String, Tensor>;

/// A network that settings may name.
struct Known {
    name: &'static str,
    /// Builds the network with this name.
    build: fn(&str, NetOptions, Device, &NamedTensors) -> Result<ConvNet, StyleError>,
    /// Its weights file, if it is compiled in. The weights of the others have a manifest (`weights::known`), and `build`
    /// gets them.
    shipped: Option<&'static [u8]>,
}

/// All networks, in the order of [`BACKBONES`].
const KNOWN: [Known; 6] = [
    Known { name: "vgg19", build: vgg::build, shipped: None },
    Known { name: "vgg16", build: vgg::build, shipped: None },
    Known { name: "squeezenet1_0", build: squeezenet::build, shipped: None },
    Known { name: "squeezenet1_1", build: squeezenet::build, shipped: None },
    Known { name: "efficientnet_lite0", build: lite0::build, shipped: None },
    Known {
        name: "patches",
        build: |_, options, device, _| patches::build(options, device),
        shipped: Some(patches::FILE),
    },
];

fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.name == name)
}

/// Returns the weights file of a built-in network, if `name` is one.
pub fn shipped_weights(name: &str) -> Option<&'static [u8]> {
    known(name)?.shipped
}

/// Builds a network by name, or a set of networks (`patches+efficientnet_lite0`). `weights` returns the weights of a
/// network that is not built in, given its name.
///
/// # Errors
/// If a name is unknown, or weights are missing or do not fit.
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

/// Splits the name of a set into the names of its networks.
pub fn names(set: &str) -> impl Iterator<Item = &str> {
    set.split('+').map(str::trim)
}

fn build_one(
    name: &str,
    options: NetOptions,
    device: Device,
    weights: &dyn Fn(&str) -> Result<NamedTensors, StyleError>,
) -> Result<ConvNet, StyleError> {
    let unknown =
        || StyleError::UnknownBackbone { name: name.to_owned(), known: BACKBONES.map(str::to_owned).to_vec() };
    let Known { build, shipped, .. } = known(name).ok_or_else(unknown)?;
    let weights = if shipped.is_some() { NamedTensors::new() } else { weights(name)? };
    build(name, options, device, &weights)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights;

    #[test]
    fn the_networks_are_those_that_settings_weights_and_docs_know() {
        let names = KNOWN.map(|known| known.name);
        assert_eq!(names, BACKBONES);
        for known in KNOWN {
            assert_ne!(known.shipped.is_some(), weights::known(known.name).is_ok(), "weights of {}", known.name);
        }
        let quoted = names.map(|name| format!("`{name}`")).join(", ");
        let text = include_str!("../../../docs/presets.md");
        assert!(text.contains(&quoted), "docs/presets.md does not list {quoted}");
    }
}
