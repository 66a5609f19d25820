//! The style term: brings G's Gram matrices near those of the painting (Gatys et al. 2015).

use tch::Tensor;

use super::facts::{FrameFacts, ShotFacts};
use super::measures::{energy, twice_the_gradient};
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::View;
use super::window::{Span, Window};
use crate::settings::{Convention, Settings};
use crate::stylize::StyleError;
use crate::stylize::tensor::scalar;

/// Positions along each border of a painting that its Gram matrix leaves out: there a network sees the extension of the
/// painting.
const BORDER: i64 = 2;

/// Where the painting's contrast exceeds the scene's, beta is divided by E to this power. Measured in docs/networks.md.
const STYLE_YIELDS: f64 = 4.0;

/// A style distance D of the scene's large forms above `FAR` divides beta by (D / FAR)^1.25, at most by 2: the further
/// the scene is from the painting, the stronger is the pull of the style from the first iteration on. Where E divides
/// beta by more, D does not count. The coarsest size tells D: what a blurred background lacks in fine detail, strokes
/// may add.
const FAR: f64 = 0.32;
const FAR_YIELDS: f64 = 1.25;
const FAR_YIELDS_AT_MOST: f64 = 2.0;

/// Returns the Gram matrix per position, `[C,C]`: F F^T / M for activations F as a C x M matrix, where the M positions
/// exclude the border. Use it for targets only: just one of its two factors has a gradient.
///
/// # Errors
/// Returns what libtorch reports.
pub fn gram(features: &Tensor) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = features.size4()?;
    let (inner, positions) = inner(features, Window::all([h, w]), BORDER)?;
    Ok(products(features, &inner)?.f_div_scalar(positions as f64)?)
}

/// Returns a detached copy of the activations with zeros where a position does not count: outside the core of `window`,
/// and in `border` positions along each border of the frame. Also returns the number of remaining positions. A frame
/// whose shorter side is at most six times `border` has no border.
///
/// In a product with the activations themselves, the zeros exclude the others from the value and from the gradient, at
/// a third of the cost of cutting them off.
fn inner(features: &Tensor, window: Window, border: i64) -> Result<(Tensor, i64), StyleError> {
    let [h, w] = window.whole;
    let border = if h.min(w) <= 6 * border { 0 } else { border };
    let kept = [0, 1].map(|axis| {
        let Span { from, to } = window.core[axis];
        Span::new(from.max(border), to.min(window.whole[axis] - border))
    });
    let positions = kept[0].length() * kept[1].length();
    if kept == window.shown {
        return Ok((features.f_detach()?, positions));
    }
    // Keeps the memory layout of the activations, which `f_detach_copy` does not.
    let mut inner = features.f_empty_like()?;
    inner.f_copy_(&features.f_detach()?)?;
    for ((dimension, kept), shown) in (2..).zip(kept).zip(window.shown) {
        let (from, to) = (kept.from.min(shown.to), kept.to.min(shown.to));
        for (start, length) in [(0, from - shown.from), (to - shown.from, shown.to - to)] {
            let _ = inner.f_narrow(dimension, start, length)?.f_zero_()?;
        }
    }
    Ok((inner, positions))
}

/// Returns A B^T for activations of the same shape.
fn products(a: &Tensor, b: &Tensor) -> Result<Tensor, StyleError> {
    let (_, channels, _, _) = a.size4()?;
    // Channels-last activations are already an M x C matrix in memory, or can be copied into one row by row.
    if a.stride().get(1) == Some(&1) {
        let flat = |x: &Tensor| x.f_permute([0, 2, 3, 1])?.f_reshape([-1, channels]);
        Ok(flat(a)?.f_tr()?.f_matmul(&flat(b)?)?)
    } else {
        let flat = |x: &Tensor| x.f_reshape([channels, -1]);
        Ok(flat(a)?.f_matmul(&flat(b)?.f_tr()?)?)
    }
}

/// The painting's Gram matrix for one style layer.
#[derive(Debug)]
pub struct GramTarget {
    /// Position in the objective's layer list.
    pub layer: usize,
    /// A per position, `[C,C]`; for several paintings, their weighted blend.
    pub gram: Tensor,
    /// lambda_l.
    pub weight: f64,
}

/// beta times sum_l lambda_l E_l. G and A are Gram matrices per position (so that style pictures of other sizes are
/// comparable), with C channels and M positions in G's layer:
///
/// | convention | E_l |
/// |---|---|
/// | relative | sum (G-A)^2 / sum A^2 |
/// | gatys | 1/(4 C^2 M^2) sum (MG-MA)^2 |
/// | lecture | 1/(2 nH nW nC) sum (MG-MA)^2, nC = C, nH nW = M |
/// | neural-style | 1/C^2 sum (G/C-A/C)^2 |
#[derive(Debug)]
pub struct Style {
    targets: Vec<GramTarget>,
    convention: Convention,
    beta: f64,
    /// 1 / sum A^2 of each target.
    inverse_energy: Vec<f64>,
}

/// The term of a shot's look; beta yields to contrast or distance.
pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    let mut style = of_shot(frame.settings, frame.shot)?;
    style.divide(yields(frame.shot.excess, frame.shot.distance));
    Ok(Some(Box::new(style)))
}

/// Returns the term before beta yields to anything. Layers of weight 0 are left out.
///
/// # Errors
/// Returns what libtorch reports.
pub(in crate::stylize) fn of_shot(settings: &Settings, shot: &ShotFacts) -> Result<Style, StyleError> {
    let targets = shot
        .grams
        .iter()
        .zip(shot.layers.weights.iter().copied())
        .enumerate()
        .filter(|&(_, (_, weight))| weight > 0.0)
        .map(|(layer, (gram, weight))| GramTarget { layer, gram: gram.shallow_clone(), weight })
        .collect();
    Style::new(targets, settings.loss.convention, settings.beta() * shot.beta)
}

/// Returns what beta is divided by for a contrast ratio E of `excess` and a scene at `distance` from the style.
fn yields(excess: f64, distance: f64) -> f64 {
    (distance / FAR).powf(FAR_YIELDS).min(FAR_YIELDS_AT_MOST).max(excess.powf(STYLE_YIELDS))
}

impl Style {
    /// Creates the term from the targets of the style layers.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(targets: Vec<GramTarget>, convention: Convention, beta: f64) -> Result<Self, StyleError> {
        let inverse_energy = targets
            .iter()
            .map(|target| Ok(1.0 / scalar(&energy(&target.gram)?)?.max(1e-24)))
            .collect::<Result<_, StyleError>>()?;
        Ok(Self { targets, convention, beta, inverse_energy })
    }

    /// Returns sum_l lambda_l E_l / sum_l lambda_l for the picture in `view`: its distance from the style, whatever beta
    /// and the scale of the weights are. 0 without targets.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn distance(&self, view: &View<'_>) -> Result<f64, StyleError> {
        let weights: f64 = self.targets.iter().map(|target| target.weight).sum();
        if self.beta * weights <= 0.0 {
            return Ok(0.0);
        }
        Ok(scalar(&self.evaluate(view)?)? / (self.beta * weights))
    }

    /// Divides beta.
    pub fn divide(&mut self, by: f64) {
        self.beta /= by;
    }

    /// Returns the factor in front of the sum of squared differences of Gram matrices per position, for C `channels` and
    /// M `positions`.
    fn factor(&self, target: usize, channels: i64, positions: i64) -> f64 {
        let (c, m) = (channels as f64, positions as f64);
        match self.convention {
            Convention::Relative => self.inverse_energy[target],
            Convention::Gatys => 1.0 / (4.0 * c * c),
            Convention::Lecture => m / (2.0 * c),
            Convention::NeuralStyle => 1.0 / c.powi(4),
        }
    }
}

impl LossTerm for Style {
    fn name(&self) -> &'static str {
        "style"
    }

    /// For each target F F^T and the number of positions in it, then the number of all positions. F F^T has half of its
    /// gradient, which `value` doubles.
    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let mut sums = Sums::new(view)?;
        for GramTarget { layer, .. } in &self.targets {
            let (features, window) = (&view.features[*layer], view.window_of(*layer)?);
            let (inner, positions) = inner(features, window, view.border(*layer)?)?;
            sums = sums.with(products(features, &inner)?, positions);
            sums.counts.push(window.core[0].length() * window.core[1].length());
        }
        Ok(sums)
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        let mut value = sums.zero.shallow_clone();
        let counts = sums.counts.chunks(2);
        for (index, ((target, products), counts)) in self.targets.iter().zip(&sums.values).zip(counts).enumerate() {
            let difference = products.f_div_scalar(counts[0] as f64)?.f_sub(&target.gram)?;
            // G and A are symmetric, so both factors of F F^T have the same gradient: this saves a third of the products.
            let distance = twice_the_gradient(&energy(&difference)?)?;
            let factor = self.beta * target.weight * self.factor(index, products.size2()?.0, counts[1]);
            value = value.f_add(&distance.f_mul_scalar(factor)?)?;
        }
        Ok(value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind};

    use super::*;

    #[test]
    fn style_yields_to_contrast_or_to_distance_whichever_asks_for_more() {
        for (excess, distance, expected) in [
            (1.0, 0.0, 1.0),
            (1.0, 0.32, 1.0),
            (1.0, 0.48, 1.5f64.powf(1.25)),
            (1.0, 10.0, 2.0),
            (1.2, 0.3, 1.2f64.powi(4)),
            (1.7, 10.0, 1.7f64.powi(4)),
        ] {
            let found = yields(excess, distance);
            assert!((found - expected).abs() < 1e-12, "E {excess}, D {distance}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_distance_does_not_depend_on_beta_or_on_the_scale_of_the_weights() {
        tch::manual_seed(3);
        let random = |sides: [i64; 4]| Tensor::rand(sides, (Kind::Double, Device::Cpu));
        let (image, features) = (random([1, 3, 20, 24]), [random([1, 4, 20, 24]), random([1, 6, 20, 24])]);
        let paintings = [random([1, 4, 20, 24]), random([1, 6, 20, 24])];
        let view = View::new(&image, &features);
        let style = |beta: f64, weights: [f64; 2]| {
            let target =
                |layer: usize| GramTarget { layer, gram: gram(&paintings[layer]).unwrap(), weight: weights[layer] };
            Style::new(vec![target(0), target(1)], Convention::Relative, beta).unwrap()
        };
        let expected = {
            let one = |weights| scalar(&style(1.0, weights).evaluate(&view).unwrap()).unwrap();
            (one([1.0, 0.0]) + 3.0 * one([0.0, 1.0])) / 4.0
        };
        assert!(expected > 0.0);
        for (beta, scale) in [(1.0, 1.0), (470.0, 0.1), (3.0, 20.0)] {
            let found = style(beta, [scale, 3.0 * scale]).distance(&view).unwrap();
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        }
        let mut divided = style(470.0, [1.0, 3.0]);
        divided.divide(4.0);
        let value = |style: &Style| scalar(&style.evaluate(&view).unwrap()).unwrap();
        assert!((value(&divided) * 4.0 / value(&style(470.0, [1.0, 3.0])) - 1.0).abs() < 1e-9);
        assert!(style(0.0, [1.0, 1.0]).distance(&view).unwrap().abs() < f64::EPSILON, "no style wanted");
    }
}
