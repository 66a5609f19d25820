//! Selects the network layers to compare and the weight of each style layer. Does not depend on pictures.

use crate::settings::Settings;
use crate::stylize::StyleError;
use crate::stylize::backbone::Backbone;

/// The selected layers of the backbone.
#[derive(Debug, Clone)]
pub(in crate::stylize) struct LayerPlan {
    /// Indices into the backbone's layers: style layers, then content layers.
    pub wanted: Vec<usize>,
    /// lambda of each style layer.
    pub weights: Vec<f64>,
}

impl LayerPlan {
    /// Selects the layers that the settings name, or the network's defaults.
    ///
    /// # Errors
    /// If a layer name is unknown.
    pub fn new(backbone: &dyn Backbone, settings: &Settings) -> Result<Self, StyleError> {
        let network = &settings.network;
        let names = |chosen: &[String], own: Vec<&str>| -> Vec<String> {
            if chosen.is_empty() { own.into_iter().map(str::to_owned).collect() } else { chosen.to_vec() }
        };
        let style = names(&network.style_layers, backbone.style_layers());
        let mut content = names(&network.content_layers, backbone.content_layers());
        if let Some(finest) = style.first().filter(|finest| settings.content.finest && !content.contains(finest)) {
            content.push(finest.clone());
        }
        let wanted = style.iter().chain(&content).map(|name| backbone.layer(name)).collect::<Result<_, _>>()?;
        Ok(Self { wanted, weights: spread(settings.loss.style_weights, style.len()) })
    }

    pub fn style(&self) -> &[usize] {
        &self.wanted[..self.weights.len()]
    }

    pub fn content(&self) -> &[usize] {
        &self.wanted[self.weights.len()..]
    }

    /// Returns the plan for a picture of the given size: style layers that see nothing at that size are dropped, and
    /// the weights keep their sum.
    pub fn at(&self, backbone: &dyn Backbone, height: i64, width: i64) -> Self {
        let counts = |layer: &usize| backbone.counts(*layer, height, width);
        let kept: Vec<(usize, f64)> =
            self.style().iter().copied().zip(self.weights.iter().copied()).filter(|(layer, _)| counts(layer)).collect();
        let (sum, left): (f64, f64) = (self.weights.iter().sum(), kept.iter().map(|(_, weight)| weight).sum());
        let share = if left > 0.0 && kept.len() < self.weights.len() { sum / left } else { 1.0 };
        let wanted = kept.iter().map(|(layer, _)| *layer).chain(self.content().iter().copied()).collect();
        Self { wanted, weights: kept.iter().map(|(_, weight)| weight * share).collect() }
    }
}

/// Maps five weights, fine to coarse, onto `count` layers: interpolated linearly, with the same sum.
fn spread(five: [f64; 5], count: usize) -> Vec<f64> {
    if count == five.len() {
        return five.to_vec();
    }
    let at = |place: usize| {
        let at = if count > 1 { 4.0 * place as f64 / (count - 1) as f64 } else { 2.0 };
        let below = (at.floor() as usize).min(3);
        five[below] + (five[below + 1] - five[below]) * (at - below as f64)
    };
    let weights: Vec<f64> = (0..count).map(at).collect();
    let (sum, whole): (f64, f64) = (weights.iter().sum(), five.iter().sum());
    if sum > 0.0 {
        weights.iter().map(|weight| weight * whole / sum).collect()
    } else {
        vec![whole / count as f64; count]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::stylize::backbone;

    #[test]
    fn the_finest_style_layer_may_be_a_content_layer_as_well() {
        let patches = backbone::build("patches", (&Settings::default().network).into(), tch::Device::Cpu, |_| {
            panic!("its weights are built in")
        });
        let patches = patches.unwrap();
        let mut settings = Settings::default();
        settings.network.content_layers = vec!["half2".into()];
        let content = |settings: &Settings| {
            let plan = LayerPlan::new(patches.as_ref(), settings).unwrap();
            plan.content().iter().map(|&layer| patches.layers()[layer].clone()).collect::<Vec<_>>()
        };
        assert_eq!(content(&settings), ["half2", "relu1"]);
        settings.content.finest = false;
        assert_eq!(content(&settings), ["half2"]);
        settings.content.finest = true;
        settings.network.content_layers = vec!["relu1".into()];
        assert_eq!(content(&settings), ["relu1"], "once");
    }

    #[test]
    fn five_weights_are_mapped_onto_any_number_of_layers() {
        let five = [0.3, 0.25, 0.2, 0.15, 0.1];
        assert_eq!(spread(five, 5), five);
        for count in [1, 2, 3, 4, 7, 12] {
            let weights = spread(five, count);
            assert_eq!(weights.len(), count);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            assert!(weights.is_sorted_by(|a, b| a >= b), "fine layers count most: {weights:?}");
        }
        // Only the middle weight is left, and it is 0.
        assert_eq!(spread([1.0, 0.0, 0.0, 0.0, 1.0], 1), [2.0]);
    }
}
