//! Several networks at once: one forward pass each, their layers listed together as `network.layer`. This way one
//! network can shape the strokes and another the forms. Each also sees the picture at half its size: `network/2.layer`.

use tch::{Device, Kind, Tensor};

use super::conv::Conv;
use super::{Backbone, ConvNet, LayerShape};
use crate::settings::Padding;
use crate::stylize::StyleError;

/// Kernel of the blur before a picture is halved.
const BINOMIAL: [f64; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
/// Pictures with a shorter side than this are not evaluated at half size: too little would be left of them.
const LEAST_SIDE: i64 = 88;

/// A layer of one of the networks.
#[derive(Debug, Clone)]
struct SetLayer {
    /// `patches.relu1`, or `patches/2.relu1` for the halved picture.
    name: String,
    network: usize,
    /// Index of the layer within its network.
    layer: usize,
    halved: bool,
}

/// Networks whose activations are compared together.
#[derive(Debug)]
pub struct NetworkSet {
    name: String,
    networks: Vec<ConvNet>,
    layers: Vec<SetLayer>,
    /// Indices into `layers`, fine to coarse.
    style: Vec<usize>,
    /// Indices into `layers`, ordered by network and then as the network's defaults list them.
    content: Vec<usize>,
    halving: Conv,
}

impl NetworkSet {
    pub(super) fn new(networks: Vec<ConvNet>, device: Device) -> Result<Self, StyleError> {
        let name = networks.iter().map(Backbone::name).collect::<Vec<_>>().join("+");
        let mut layers = Vec::new();
        let (mut style, mut content) = (Vec::new(), Vec::new());
        let views = (0..networks.len()).flat_map(|network| [(network, false), (network, true)]);
        for (index, halved) in views {
            let network = &networks[index];
            let chosen = network.in_set();
            let of_style = if halved { chosen.halved } else { chosen.style };
            let label = if halved { format!("{}/2", network.name()) } else { network.name().to_owned() };
            for (layer, LayerShape { name, field, .. }) in network.layer_shapes().into_iter().enumerate() {
                if of_style.contains(&name.as_str()) {
                    style.push((if halved { 2 * field.size } else { field.size }, layers.len()));
                }
                if let Some(place) = chosen.content.iter().position(|wanted| *wanted == name && !halved) {
                    content.push((index, place, layers.len()));
                }
                layers.push(SetLayer { name: format!("{label}.{name}"), network: index, layer, halved });
            }
        }
        style.sort_unstable();
        content.sort_unstable();
        let style = style.into_iter().map(|(_, layer)| layer).collect();
        let content = content.into_iter().map(|(_, _, layer)| layer).collect();
        let kind = networks.first().map_or(Kind::Float, ConvNet::kind);
        let halving = Conv::halving(&BINOMIAL, 3, kind, device)?;
        Ok(Self { name, networks, layers, style, content, halving })
    }

    fn named(&self, layers: &[usize]) -> Vec<&str> {
        layers.iter().map(|&layer| self.layers[layer].name.as_str()).collect()
    }
}

impl Backbone for NetworkSet {
    fn name(&self) -> &str {
        &self.name
    }

    fn shared(&self) -> Box<dyn Backbone> {
        Box::new(Self {
            name: self.name.clone(),
            networks: self.networks.iter().map(ConvNet::share).collect(),
            layers: self.layers.clone(),
            style: self.style.clone(),
            content: self.content.clone(),
            halving: self.halving.shared(),
        })
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

    fn counts(&self, layer: usize, height: i64, width: i64) -> bool {
        !self.layers[layer].halved || height.min(width) >= LEAST_SIDE
    }

    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError> {
        let mut found: Vec<Option<Tensor>> = wanted.iter().map(|_| None).collect();
        for halved in [false, true] {
            let mut picture = None;
            for (index, network) in self.networks.iter().enumerate() {
                let own = |place: &usize| {
                    let layer = &self.layers[wanted[*place]];
                    (layer.network, layer.halved) == (index, halved)
                };
                let places: Vec<usize> = (0..wanted.len()).filter(own).collect();
                if places.is_empty() {
                    continue;
                }
                let picture = match &picture {
                    Some(picture) => picture,
                    None if halved => picture.insert(self.halving.forward(image, Padding::Reflect)?),
                    None => picture.insert(image.shallow_clone()),
                };
                let layers: Vec<usize> = places.iter().map(|&place| self.layers[wanted[place]].layer).collect();
                for (place, features) in places.into_iter().zip(network.forward(picture, &layers)?) {
                    found[place] = Some(features);
                }
            }
        }
        Ok(found.into_iter().flatten().collect())
    }
}
