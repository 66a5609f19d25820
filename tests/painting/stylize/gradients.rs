//! Compares gradients with finite differences.

use stylize_video::settings::{Convention, Padding, Pooling};
use stylize_video::stylize::backbone::{Backbone, NetOptions};
use stylize_video::stylize::frame::loss::{
    Chroma, Content, Flatness, GramTarget, LossTerm, Luminance, Style, Variation, gram,
};
use stylize_video::stylize::frame::objective::{Objective, PictureObjective};
use tch::{Kind, Tensor, no_grad};

use crate::stylize::tiny::Tiny;
use crate::stylize::{formula, network, number};

/// A network, its layers, and pictures. All of `layers` are style layers; the last one is also the content layer.
struct Case<'a> {
    network: &'a dyn Backbone,
    layers: Vec<usize>,
    content: Tensor,
    style: Tensor,
    x: Tensor,
}

impl<'a> Case<'a> {
    fn new(network: &'a dyn Backbone, layers: Vec<usize>, kind: Kind, [h, w]: [usize; 2]) -> Self {
        let picture = |which, h, w| formula::picture(which, h, w).to_kind(kind);
        let (content, style, x) = (picture(1, h, w), picture(2, h + 3, w + 5), picture(3, h, w));
        Self { network, layers, content, style, x }
    }

    fn content_term(&self, convention: Convention) -> Content {
        let target = no_grad(|| self.network.forward(&self.content, &self.layers)).unwrap().pop().unwrap();
        Content::new(vec![(self.layers.len() - 1, target)], convention, 1.0).unwrap()
    }

    fn style_term(&self, convention: Convention) -> Style {
        let features = no_grad(|| self.network.forward(&self.style, &self.layers)).unwrap();
        let targets = features.iter().enumerate().map(|(place, features)| {
            let gram = gram(features).unwrap();
            GramTarget { layer: place, gram, weight: 0.5 + place as f64 }
        });
        Style::new(targets.collect(), convention, 2.0).unwrap()
    }

    /// Compares central differences of step `h` along several directions with the gradient and returns the worst
    /// relative error.
    fn error(&self, terms: Vec<&dyn LossTerm>, h: f64) -> f64 {
        let objective = PictureObjective::new(self.network, &self.layers, terms);
        let gradient = objective.evaluate(&self.x).unwrap().gradient;
        assert_eq!((gradient.size(), gradient.kind()), (self.x.size(), self.x.kind()));
        let at = |x: Tensor| number(&objective.evaluate(&x).unwrap().j.to_kind(Kind::Double));
        let scale = number(&gradient.norm()) / (gradient.numel() as f64).sqrt();
        assert!(scale > 0.0, "a gradient of zero proves nothing");
        let along = ["a", "b", "c", "d", "e", "f"].map(|name| {
            let direction = formula::uniform(name, &self.x.size(), 1.0).to_kind(self.x.kind());
            let difference = (at(&self.x + &direction * h) - at(&self.x - &direction * h)) / (2.0 * h);
            let slope = number(&(&gradient * &direction).sum(Kind::Double));
            (difference - slope).abs() / (scale * number(&direction.norm()))
        });
        along.into_iter().fold(0.0, f64::max)
    }
}

const CONVENTIONS: [Convention; 4] =
    [Convention::Relative, Convention::Gatys, Convention::Lecture, Convention::NeuralStyle];

#[test]
fn every_term_in_every_convention() {
    let tiny = Tiny::new();
    let case = Case::new(&tiny, vec![0, 1], Kind::Double, [10, 12]);
    for convention in CONVENTIONS {
        let (content, style) = (case.content_term(convention), case.style_term(convention));
        let variation = Variation::new(0.5);
        let luminance = Luminance::new(&case.content, 3.0).unwrap();
        let chroma = Chroma::new(&case.content, 2.0).unwrap();
        let counts = formula::uniform("counts", &[1, 1, 10, 12], 1.0).to_kind(Kind::Double) + 2.0;
        let counted = case.content_term(convention).counted(Some(&counts), Some(&counts)).unwrap();
        let lit = Luminance::new(&case.content, 3.0).unwrap().counted(&counts).unwrap();
        for term in [&content as &dyn LossTerm, &style, &variation, &luminance, &chroma, &counted, &lit] {
            let error = case.error(vec![term], 1e-5);
            assert!(error < 1e-7, "{} {convention:?}: {error:e}", term.name());
        }
        let error = case.error(vec![&content, &style, &variation, &luminance, &chroma], 1e-5);
        assert!(error < 1e-7, "{convention:?}: {error:e}");
    }
}

/// The term bends within 2/255, so its step must be smaller.
#[test]
fn flatness_above_its_target_and_below() {
    let tiny = Tiny::new();
    let case = Case::new(&tiny, vec![0, 1], Kind::Double, [10, 12]);
    for (target, weight) in [(0.1, 50.0), (0.999, 50.0)] {
        let (flatness, variation) = (Flatness::new(weight, target), Variation::new(0.5));
        let error = case.error(vec![&flatness, &variation], 1e-7);
        assert!(error < 1e-7, "{target}: {error:e}");
    }
}

/// ReLU and max pooling have kinks, so the step must be small, which requires double precision.
#[test]
fn through_a_convolutional_network_with_every_padding_and_pooling() {
    for name in ["squeezenet1_1", "vgg16"] {
        let weights = formula::doubled(formula::weights(name));
        for padding in [Padding::Reflect, Padding::Replicate, Padding::Zeros] {
            for pooling in [Pooling::Max, Pooling::Avg] {
                let copies = formula::copies(&weights);
                let network = network(name, NetOptions { pooling, padding, antialias: true }, copies);
                // In-place ReLUs after layers that are compared and after layers that are not.
                let layers = if name == "vgg16" { vec![0, 1, 6] } else { vec![0, 1, 3, 6] };
                let case = Case::new(network.as_ref(), layers, Kind::Double, [20, 24]);
                let (content, style) = (case.content_term(Convention::Relative), case.style_term(Convention::Relative));
                let error = case.error(vec![&content, &style, &Variation::new(0.05)], 1e-8);
                eprintln!("{name} {padding:?} {pooling:?}: {error:.1e}");
                assert!(error < 1e-5, "{name} {padding:?} {pooling:?}: {error:e}");
            }
        }
    }
}

/// In 32 bits, a difference is only as accurate as J's rounding; the network is smooth except for its ReLUs.
#[test]
fn through_the_network_that_is_built_in() {
    let network = network("patches", crate::stylize::PLAIN, Default::default());
    let mut layers: Vec<usize> =
        network.style_layers().into_iter().map(|layer| network.layer(layer).unwrap()).collect();
    layers.push(network.layers().len() - 1);
    layers.dedup();
    let case = Case::new(network.as_ref(), layers, Kind::Float, [64, 72]);
    let (content, style) = (case.content_term(Convention::Relative), case.style_term(Convention::Relative));
    let error = case.error(vec![&content, &style, &Variation::new(0.05)], 2e-3);
    eprintln!("patches: {error:.1e}");
    assert!(error < 2e-2, "{error:e}");
}
