//! Several networks at once: one forward pass each, their layers side by side under `network.layer`. One can so make the
//! strokes and another the forms.

use tch::Tensor;

use super::{Backbone, ConvNet, LayerShape};
use crate::stylize::StyleError;

/// A layer of one of the networks.
#[derive(Debug)]
struct SetLayer {
    /// `patches.relu1`.
    name: String,
    network: usize,
    /// Its index in the network.
    layer: usize,
}

/// Networks that are compared together.
#[derive(Debug)]
pub struct NetworkSet {
    name: String,
    networks: Vec<ConvNet>,
    layers: Vec<SetLayer>,
    /// Indices into `layers`, fine to coarse.
    style: Vec<usize>,
    content: Vec<usize>,
}

impl NetworkSet {
    pub(super) fn new(networks: Vec<ConvNet>) -> Self {
        let name = networks.iter().map(Backbone::name).collect::<Vec<_>>().join("+");
        let mut layers = Vec::new();
        let (mut style, mut content) = (Vec::new(), Vec::new());
        for (index, network) in networks.iter().enumerate() {
            let chosen = network.in_set();
            for (layer, LayerShape { name, field, .. }) in network.layer_shapes().into_iter().enumerate() {
                if chosen.style.contains(&name.as_str()) {
                    style.push((field.size, layers.len()));
                }
                if chosen.content.contains(&name.as_str()) {
                    content.push(layers.len());
                }
                layers.push(SetLayer { name: format!("{}.{name}", network.name()), network: index, layer });
            }
        }
        style.sort_unstable();
        let style = style.into_iter().map(|(_, layer)| layer).collect();
        Self { name, networks, layers, style, content }
    }

    fn named(&self, layers: &[usize]) -> Vec<&str> {
        layers.iter().map(|&layer| self.layers[layer].name.as_str()).collect()
    }
}

impl Backbone for NetworkSet {
    fn name(&self) -> &str {
        &self.name
    }

    fn layers(&self) -> Vec<String> {
        self.layers.iter().map(|layer| layer.name.clone()).collect()
    }

    fn style_layers(&self) -> Vec<&str> {
        self.named(&self.style)
    }

    fn content_layers(&self) -> Vec<&str> {
        self.named(&self.content)
    }

    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError> {
        let mut found: Vec<Option<Tensor>> = wanted.iter().map(|_| None).collect();
        for (index, network) in self.networks.iter().enumerate() {
            let own: Vec<usize> =
                (0..wanted.len()).filter(|&place| self.layers[wanted[place]].network == index).collect();
            let layers: Vec<usize> = own.iter().map(|&place| self.layers[wanted[place]].layer).collect();
            if layers.is_empty() {
                continue;
            }
            for (place, features) in own.into_iter().zip(network.forward(image, &layers)?) {
                found[place] = Some(features);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}
