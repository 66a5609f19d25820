//! The content term: keeps the activations of the painted picture G near those of the content.

use tch::Tensor;

use super::facts::FrameFacts;
use super::measures::{energy, twice_the_gradient};
use super::term::{LossTerm, MaybeTerm, Sums};
use super::view::View;
use crate::settings::Convention;
use crate::stylize::StyleError;
use crate::stylize::frame::faces::in_colours_of;
use crate::stylize::tensor::{Border, box_blur, scalar};

/// A place whose energy is this share of the layer's mean has the largest weight.
const FAINT: f64 = 0.2;
/// What such a place adds to the base weight of 1. Weaker and stronger places add less.
const FAINT_BONUS: f64 = 3.0;
/// Number of blurs of the energy map: together a bell with a standard deviation of 2 positions.
const BLURS: usize = 3;

/// alpha times the mean over the content layers of a squared distance between activations. With F of G, P of the
/// content, C channels and M positions:
///
/// | convention | distance |
/// |---|---|
/// | relative | sum w (F-P)^2 / sum P^2 |
/// | gatys, lecture | 1/2 sum (F-P)^2 |
/// | neural-style | mean (F-P)^2 |
///
/// w is 1 where the content is flat and 4 where its structure is faint (a face, lettering, the far side of a room), and
/// it falls again as the structure gets stronger: 2.7 at the mean energy, 1.4 at five times the mean. A plain sum of
/// squares consists mostly of the strongest edges and leaves everything else to the paint. w = 1 + 12 r / (1 + r)^2
/// with r = e / (0.2 mean e), where e is the energy of P at a place (its mean square over channels, minus the minimum
/// over all places, blurred). Measured in docs/networks.md.
#[derive(Debug)]
pub struct Content {
    targets: Vec<Target>,
}

/// One content layer.
#[derive(Debug)]
struct Target {
    /// Position in the objective's layer list.
    layer: usize,
    /// P, `[1,C,h,w]`.
    features: Tensor,
    /// w times the factor of each place (see [`Content::counted`]), `[1,1,h,w]`.
    weights: Option<Tensor>,
    /// The share of `extra_weights` in that factor, `[1,1,h,w]`. What it contributes is reported apart from the rest of
    /// J.
    apart: Option<Tensor>,
    /// Factor in front of the sum of squares.
    factor: f64,
}

/// A face is compared in the colours that it has at the start of the descent. Otherwise black-and-white film would make
/// faces grey.
pub(super) fn of(frame: &FrameFacts<'_>) -> MaybeTerm {
    let FrameFacts { settings, backbone, shot, scene, start, phase, .. } = *frame;
    let content = match scene.faces.as_ref().filter(|_| scene.is_painted) {
        Some(faces) => in_colours_of(start, &scene.content, faces)?,
        None => scene.content.shallow_clone(),
    };
    let layers = &shot.layers;
    let features = backbone.forward(&phase.apply(&content)?, layers.content())?;
    let positions = layers.style().len()..;
    let targets = positions.zip(features).collect();
    let term = Content::new(targets, settings.loss.convention, settings.loss.alpha)?;
    let seen = |map: Option<Tensor>| map.map(|map| phase.apply(&map)).transpose();
    let counts = seen(scene.content_counts(frame.face_counts())?)?;
    Ok(Some(Box::new(term.counted(counts.as_ref(), seen(scene.moving_counts()?)?.as_ref())?)))
}

impl Content {
    /// Creates the term; `targets` holds positions in the objective's layer list and P `[1,C,h,w]`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(targets: Vec<(usize, Tensor)>, convention: Convention, alpha: f64) -> Result<Self, StyleError> {
        let share = alpha / targets.len().max(1) as f64;
        let targets = targets
            .into_iter()
            .map(|(layer, features)| {
                let factor = match convention {
                    // A picture without any activation (black, say) must not divide by zero.
                    Convention::Relative => 1.0 / scalar(&energy(&features)?)?.max(1e-12),
                    Convention::Gatys | Convention::Lecture => 0.5,
                    Convention::NeuralStyle => 1.0 / features.numel() as f64,
                };
                let relative = convention == Convention::Relative;
                let weights = if relative { Some(weights(&features)?) } else { None };
                Ok(Target { layer, features, weights, apart: None, factor: share * factor })
            })
            .collect::<Result<_, StyleError>>()?;
        Ok(Self { targets })
    }

    /// Multiplies the weight of each place by `counts` (1 if `None`) plus `extra_weights`. What `extra_weights`
    /// contributes is reported apart from the rest of J. Both are `[1,1,H,W]`, on the grid of the picture that the
    /// network sees.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn counted(mut self, counts: Option<&Tensor>, extra_weights: Option<&Tensor>) -> Result<Self, StyleError> {
        for Target { features, weights, apart, .. } in &mut self.targets {
            let (_, _, h, w) = features.size4()?;
            let at = |map: Option<&Tensor>| map.map(|map| map.f_adaptive_avg_pool2d([h, w])).transpose();
            let more = at(extra_weights)?;
            let all = match (at(counts)?, &more) {
                (Some(counts), Some(more)) => counts.f_add(more)?,
                (Some(counts), None) => counts,
                (None, Some(more)) => more.f_add_scalar(1.0)?,
                (None, None) => continue,
            };
            *apart = more.map(|more| more.f_div(&all)).transpose()?;
            *weights = Some(match weights {
                Some(weights) => weights.f_mul(&all)?,
                None => all,
            });
        }
        Ok(self)
    }
}

/// Returns w for activations `[1,C,h,w]`, as `[1,1,h,w]`.
fn weights(features: &Tensor) -> Result<Tensor, StyleError> {
    let mut local = features.f_square()?.f_mean_dim([1i64].as_slice(), true, features.kind())?;
    // Some filters respond to a flat picture too.
    local = local.f_sub(&local.f_min()?)?;
    for _ in 0..BLURS {
        local = box_blur(&local, Border::Nothing)?;
    }
    let faint = local.f_mean(local.kind())?.f_mul_scalar(FAINT)?.f_clamp_min(1e-12)?;
    let ratio = local.f_div(&faint)?;
    let share = ratio.f_div(&ratio.f_add_scalar(1.0)?.f_square()?)?;
    Ok(share.f_mul_scalar(4.0 * FAINT_BONUS)?.f_add_scalar(1.0)?)
}

impl LossTerm for Content {
    fn name(&self) -> &'static str {
        "content"
    }

    /// The sums of all layers, then those of the shares that are reported separately.
    fn statistics(&self, view: &View<'_>) -> Result<Sums, StyleError> {
        let (mut sums, mut shares) = (Sums::new(view)?, Vec::new());
        for Target { layer, features, weights, apart, .. } in &self.targets {
            let window = view.window_of(*layer)?;
            let difference = window.counted(&view.features[*layer])?.f_sub(&window.of_whole(features)?)?;
            let mut weighted = difference.f_detach()?;
            if let Some(weights) = weights {
                weighted = weighted.f_mul(&window.of_whole(weights)?)?;
            }
            // Sum over channels first: the share is a map with one channel.
            let places = difference.f_mul(&weighted)?.f_sum_dim_intlist([1i64].as_slice(), true, difference.kind())?;
            let count = places.numel() as i64;
            sums = sums.with(twice_the_gradient(&places.f_sum(places.kind())?)?, count);
            if let Some(share) = apart {
                let share = places.f_detach()?.f_mul(&window.of_whole(share)?)?;
                shares.push((share.f_sum(places.kind())?, count));
            }
        }
        Ok(shares.into_iter().fold(sums, |sums, (share, count)| sums.with(share, count)))
    }

    fn value(&self, sums: &Sums) -> Result<Tensor, StyleError> {
        let mut value = sums.zero.shallow_clone();
        for (sum, Target { factor, .. }) in sums.values.iter().zip(&self.targets) {
            value = value.f_add(&sum.f_mul_scalar(*factor)?)?;
        }
        Ok(value)
    }

    fn value_apart(&self, sums: &Sums) -> Result<Option<Tensor>, StyleError> {
        let shares = &sums.values[self.targets.len()..];
        let factors = self.targets.iter().filter(|target| target.apart.is_some()).map(|target| target.factor);
        let mut value: Option<Tensor> = None;
        for (share, factor) in shares.iter().zip(factors) {
            let own = share.f_mul_scalar(factor)?;
            value = Some(match value {
                Some(value) => value.f_add(&own)?,
                None => own,
            });
        }
        Ok(value)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::{Content, Convention, LossTerm, View, scalar};

    #[test]
    fn what_counts_beyond_is_a_term_of_its_own_in_one_pass() {
        tch::manual_seed(5);
        let random = |channels: i64, h: i64, w: i64| Tensor::rand([1, channels, h, w], (Kind::Double, Device::Cpu));
        let (image, counts, extra_weights) =
            (random(3, 12, 16), random(1, 12, 16) * 5.0 + 1.0, random(1, 12, 16) * 40.0);
        let (wanted, found) = (random(7, 6, 8), [random(7, 6, 8)]);
        let term = || Content::new(vec![(0, wanted.shallow_clone())], Convention::Relative, 2.0).unwrap();
        let view = View::new(&image, &found);
        let value = |term: &Content| scalar(&term.evaluate(&view).unwrap()).unwrap();
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12 * b.abs(), "{a} and {b}");
        let (once, faces) = (value(&term()), value(&term().counted(Some(&counts), None).unwrap()));
        let more = value(&term().counted(Some(&extra_weights), None).unwrap());
        for (own, counts) in [(once, None), (faces, Some(&counts))] {
            let term = term().counted(counts, Some(&extra_weights)).unwrap();
            let sums = term.statistics(&view).unwrap();
            near(scalar(&term.value(&sums).unwrap()).unwrap(), own + more);
            near(scalar(&term.value_apart(&sums).unwrap().unwrap()).unwrap(), more);
        }
        assert!(term().value_apart(&term().statistics(&view).unwrap()).unwrap().is_none());
    }
}
