//! Paints a shot's first frame from coarse to fine: the coarse sizes make the large forms, the finest one the fine
//! strokes. At the finest size the networks see the picture in several phases of their strides.

use tch::Tensor;

use super::bleed::Bleed;
use super::effort::Effort;
use super::frame_optimizer::{FrameOptimizer, Painted, Ties};
use super::frame_size::sizes;
use super::init::{Init, Start};
use super::look::Look;
use super::optimizer::{Curvature, Preconditioner};
use super::phase::Phase;
use super::scene::Scene;
use crate::stylize::tensor::resize;
use crate::stylize::{FrameStats, StyleError};

/// Maximum number of iterations in one phase at the finest size. Each phase starts a new descent, which has to learn
/// the curvature again.
const LEG: u32 = 20;
/// Number of legs that paint the finest size after its bleed is cut off: the bleed takes some of the style with it.
const WITHOUT_BLEED: u32 = 2;
/// Factors on `optimizer.iterations`: at the coarsest of several sizes, at those between, and at the finest.
const COARSEST_SHARE: f64 = 1.4;
const MIDDLE_SHARE: f64 = 0.9;
const FINEST_SHARE: f64 = 1.5;
/// Factors on beta at half the finest size and at all coarser ones: forms that drown in paint at a small size do not
/// come back.
const HALF_SIZE: f64 = 2.0 / 3.0;
const COARSE_SIZES: f64 = 1.0 / 3.0;

/// Paints the frame `raw` `[1,3,H,W]`, from which `look` was made. `init` gives the start at the smallest size.
///
/// # Errors
/// Returns what libtorch reports, `NotFinite` or `Cancelled`.
pub fn paint(
    frame_optimizer: &FrameOptimizer,
    look: &Look,
    raw: &Tensor,
    scene: &Scene,
    init: &dyn Init,
) -> Result<Painted, StyleError> {
    let settings = frame_optimizer.settings();
    let sizes = sizes((look.height, look.width), settings.frame.sizes);
    let shares = shares(settings.first_iterations(), sizes.len() as u32);
    let mut painted: Option<Painted> = None;
    for (place, (&(h, w), iterations)) in sizes.iter().zip(shares).enumerate() {
        let own;
        let look = if (h, w) == (look.height, look.width) {
            look
        } else {
            let beta = if place + 2 == sizes.len() { HALF_SIZE } else { COARSE_SIZES };
            own = frame_optimizer.look_at(look, raw, [h, w], beta)?;
            &own
        };
        let mut scene = scene.resized(h, w)?;
        // Noise has no colours that a face could take over.
        scene.is_painted = place > 0 || (sizes.len() == 1 && init.preconditioner() == Preconditioner::Picture);
        let start = match &painted {
            Some(coarse) => enlarged(&coarse.image, &scene.content, settings.detail())?,
            None => {
                let style = frame_optimizer.style_picture();
                init.start(&Start { content: &scene.content, style, previous: None, warped: None })?
            }
        };
        let finest = place + 1 == sizes.len();
        let legs = if finest { iterations.div_ceil(LEG).max(1) } else { 1 };
        let preconditioner = if painted.is_none() { init.preconditioner() } else { Preconditioner::Picture };
        let effort = Effort { iterations, at_least: 0, target: None, phase: Phase::CENTRED, preconditioner };
        let finer = in_legs(frame_optimizer, look, &scene, start, effort, legs)?;
        tracing::debug!(size = ?(h, w), iterations, to = finer.stats.objective, "size painted");
        painted = Some(match painted {
            Some(coarse) => added(coarse.stats, finer),
            None => finer,
        });
    }
    painted.ok_or_else(|| StyleError::NotFinite("no iteration".into()))
}

/// Iterations at each of `count` sizes, coarse to fine, for a setting of `each`. The coarsest size makes the large
/// forms at little cost, and the finest makes the strokes.
fn shares(each: u32, count: u32) -> Vec<u32> {
    let times = |share: f64| ((f64::from(each) * share).round() as u32).max(each.min(1));
    match count {
        0 | 1 => vec![each],
        _ => (0..count)
            .map(|place| match place {
                0 => times(COARSEST_SHARE),
                _ if place + 1 == count => times(FINEST_SHARE),
                _ => times(MIDDLE_SHARE),
            })
            .collect(),
    }
}

/// Enlarges a coarse picture to the size of `content` `[1,3,H,W]` and adds `detail` times the content's fine detail,
/// which the coarse size could not hold. Without it windows, wires and edges would be lost for good.
fn enlarged(coarse: &Tensor, content: &Tensor, detail: f64) -> Result<Tensor, StyleError> {
    let (_, _, h, w) = content.size4()?;
    let (_, _, coarse_h, coarse_w) = coarse.size4()?;
    let blurred = resize(&resize(content, coarse_h, coarse_w)?, h, w)?;
    let fine = content.f_sub(&blurred)?.f_mul_scalar(detail)?;
    Ok(resize(coarse, h, w)?.f_add(&fine)?.f_clamp(0.0, 1.0)?)
}

/// Runs the descent `whole` in `legs` phases, one leg each. All but the last ones have a bleed.
fn in_legs(
    frame_optimizer: &FrameOptimizer,
    look: &Look,
    scene: &Scene,
    start: Tensor,
    whole: Effort,
    legs: u32,
) -> Result<Painted, StyleError> {
    let bleed = Bleed::around(look.height, look.width);
    let wide = bleed.add_to(scene)?;
    let mut painted: Option<Painted> = None;
    for (leg, phase) in (0..legs).zip(Phase::spread(legs)) {
        let is_wide = leg + WITHOUT_BLEED < legs;
        let first_cut = leg > 0 && leg + WITHOUT_BLEED == legs;
        let (from, learned) = match &painted {
            None if is_wide => (bleed.add(&start)?, None),
            None => (start.shallow_clone(), None),
            Some(Painted { image, learned, .. }) if first_cut => {
                (bleed.cut(image)?, learned.as_ref().map(|learned| bleed.cut_curvature(learned)).transpose()?)
            }
            Some(Painted { image, learned, .. }) => (image.shallow_clone(), learned.as_ref().map(Curvature::shared)),
        };
        let iterations = whole.iterations / legs + u32::from(leg < whole.iterations % legs);
        let (scene, phase) = if is_wide { (&wide, phase.with_bleed()) } else { (scene, phase) };
        let effort = Effort { iterations, phase, ..whole };
        // J in another phase has nearly the same curvature.
        let ties = Ties { curvature: learned.as_ref(), ..Ties::default() };
        let next = frame_optimizer.paint(look, scene, &from, ties, effort)?;
        tracing::debug!(?phase, from = next.stats.initial_objective, to = next.stats.objective, iterations, "leg");
        painted = Some(match painted {
            Some(before) => added(before.stats, next),
            None => next,
        });
    }
    painted.ok_or_else(|| StyleError::NotFinite("no iteration".into()))
}

/// Adds the stats of the earlier descent.
fn added(before: FrameStats, painted: Painted) -> Painted {
    let Painted { image, stats, learned } = painted;
    let iterations = before.iterations + stats.iterations;
    let stats = FrameStats { iterations, initial_objective: before.initial_objective, ..stats };
    Painted { image, stats, learned }
}

#[cfg(test)]
mod tests {
    use super::shares;

    #[test]
    fn the_coarsest_and_the_finest_size_get_most_iterations() {
        assert_eq!(shares(36, 3), [50, 32, 54]);
        assert_eq!(shares(36, 2), [50, 54]);
        assert_eq!(shares(36, 1), [36]);
        assert_eq!(shares(0, 3), [0, 0, 0]);
        assert_eq!(shares(1, 2), [1, 2]);
    }
}
