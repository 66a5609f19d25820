//! A network of two smooth layers in double precision, small enough to differentiate by hand.

use stylize_video::stylize::StyleError;
use stylize_video::stylize::backbone::Backbone;
use tch::{Kind, Tensor};

use crate::stylize::formula;

pub struct Tiny {
    fine: Tensor,
    coarse: Tensor,
}

impl Tiny {
    pub fn new() -> Self {
        let double = |name, shape: [i64; 4]| formula::uniform(name, &shape, 0.6).to_kind(Kind::Double);
        Self { fine: double("fine", [4, 3, 3, 3]), coarse: double("coarse", [5, 4, 3, 3]) }
    }
}

impl Backbone for Tiny {
    fn name(&self) -> &'static str {
        "tiny"
    }

    fn shared(&self) -> Box<dyn Backbone> {
        Box::new(Self { fine: self.fine.shallow_clone(), coarse: self.coarse.shallow_clone() })
    }

    fn layers(&self) -> Vec<String> {
        vec!["fine".into(), "coarse".into()]
    }

    fn style_layers(&self) -> Vec<&str> {
        vec!["fine", "coarse", "fine", "coarse", "fine"]
    }

    fn content_layers(&self) -> Vec<&str> {
        vec!["coarse"]
    }

    fn forward(&self, image: &Tensor, wanted: &[usize]) -> Result<Vec<Tensor>, StyleError> {
        let conv = |x: &Tensor, weight| x.conv2d(weight, None::<&Tensor>, [1, 1], [1, 1], [1, 1], 1).tanh();
        let fine = conv(image, &self.fine);
        let coarse = conv(&fine.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None), &self.coarse);
        let layers = [fine, coarse];
        Ok(wanted.iter().map(|&layer| layers[layer].shallow_clone()).collect())
    }
}
