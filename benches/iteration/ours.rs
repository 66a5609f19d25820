//! This project's side: the objective and the optimiser as the painter uses them.

use std::time::Instant;

use stylize_video::settings::{LossSettings, Padding, Pooling};
use stylize_video::stylize::backbone::{self, Backbone, NetOptions};
use stylize_video::stylize::frame::loss::{Content, GramTarget, LossTerm, Style, Variation, gram};
use stylize_video::stylize::frame::objective::{Objective, PictureObjective};
use stylize_video::stylize::frame::optimizer::{Lbfgs, Optimizer, Preconditioner};
use stylize_video::stylize::tensor::scalar;
use tch::{Device, Tensor, no_grad};

use crate::{Contestant, HEIGHT, WIDTH, formula};

pub struct Ours {
    network: Box<dyn Backbone>,
    layers: Vec<usize>,
    content: Content,
    style: Style,
    variation: Variation,
    start: Tensor,
    optimizer: Lbfgs,
}

impl Ours {
    pub fn new(name: &str, padding: Padding) -> Self {
        let options = NetOptions { pooling: Pooling::Max, padding, antialias: true };
        let network = backbone::build(name, options, Device::Cpu, |name| Ok(formula::weights(name))).unwrap();
        let place = |name: &str| network.layer(name).unwrap();
        let style: Vec<usize> = network.style_layers().into_iter().map(place).collect();
        let content: Vec<usize> = network.content_layers().into_iter().map(place).collect();
        let loss = LossSettings::default();
        let [photo, painting, start] = [1, 2, 3].map(|kind| formula::picture(kind, HEIGHT, WIDTH));
        let features = |image: &Tensor, wanted: &[usize]| no_grad(|| network.forward(image, wanted)).unwrap();
        let targets = features(&painting, &style).iter().map(gram).collect::<Result<Vec<_>, _>>().unwrap();
        let targets = targets.into_iter().enumerate().map(|(layer, gram)| GramTarget { layer, gram, weight: 0.2 });
        let style_term = Style::new(targets.collect(), loss.convention, 150.0).unwrap();
        let targets = features(&photo, &content).into_iter().enumerate();
        let targets = targets.map(|(place, target)| (style.len() + place, target)).collect();
        let content_term = Content::new(targets, loss.convention, 1.0).unwrap();
        Self {
            layers: [style, content].concat(),
            content: content_term,
            style: style_term,
            variation: Variation::new(0.05),
            optimizer: Lbfgs::new(&start, 10, Preconditioner::Picture).unwrap(),
            start,
            network,
        }
    }

    fn objective(&self) -> PictureObjective<'_> {
        let terms: Vec<&dyn LossTerm> = vec![&self.content, &self.style, &self.variation];
        PictureObjective::new(self.network.as_ref(), &self.layers, terms)
    }

    /// Returns J before the first step.
    pub fn start(&self) -> f64 {
        scalar(&self.objective().evaluate(&self.start).unwrap().j).unwrap()
    }
}

impl Contestant for Ours {
    fn run(&mut self, count: u32) -> f64 {
        let terms: Vec<&dyn LossTerm> = vec![&self.content, &self.style, &self.variation];
        let objective = PictureObjective::new(self.network.as_ref(), &self.layers, terms);
        let begin = Instant::now();
        for _ in 0..count {
            self.optimizer.step(&objective).unwrap();
        }
        let seconds = begin.elapsed().as_secs_f64();
        assert!(scalar(self.optimizer.current().1).unwrap().is_finite());
        seconds / f64::from(count)
    }
}
