//! Start values of the painted picture G.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tch::Tensor;

use super::optimizer::Preconditioner;
use crate::settings::{FirstInit, NextInit};
use crate::stylize::StyleError;
use crate::stylize::temporal::chain::HistoryFrame;
use crate::stylize::temporal::disocclusion_fill::from_beside;
use crate::stylize::temporal::history::WarpedFrame;
use crate::stylize::tensor::resize;

/// Inputs of an initialisation; all pictures are `[1,3,H,W]`, RGB, 0..=1.
#[derive(Debug)]
pub struct Start<'a> {
    /// The content as the objective sees it (colours already matched), in the optimised size.
    pub content: &'a Tensor,
    /// The first style picture, in any size.
    pub style: &'a Tensor,
    /// The previous stylised frame and the content it was made from, as floats, in the optimised size.
    pub previous: Option<&'a HistoryFrame>,
    /// The previous frame warped along the motion, if the motion is known.
    pub warped: Option<&'a WarpedFrame>,
}

/// A rule for G's first value.
pub trait Init {
    /// Returns the start, `[1,3,H,W]` in the content's size.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError>;

    /// The preconditioner for a descent from this start.
    fn preconditioner(&self) -> Preconditioner {
        Preconditioner::Picture
    }
}

/// Starts from the content itself: the fastest way to a picture that shows it.
#[derive(Debug)]
pub struct FromContent;

impl Init for FromContent {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        Ok(from.content.shallow_clone())
    }
}

/// Starts from white noise, uniform in 0..=1 (Gatys et al. 2015). The noise is the same in every frame, so that it does
/// not flicker, and on every device, because it is drawn on the host.
#[derive(Debug)]
pub struct FromNoise {
    pub seed: u64,
}

impl Init for FromNoise {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        let noise: Vec<f32> =
            (0..from.content.numel()).map(|_| (random.next_u32() >> 8) as f32 / 16_777_215.0).collect();
        Ok(Tensor::f_from_slice(&noise)?.f_view(from.content.size().as_slice())?.f_to_device(from.content.device())?)
    }

    /// Noise is fine detail, and the descent has to remove all of it.
    fn preconditioner(&self) -> Preconditioner {
        Preconditioner::Identity
    }
}

/// Starts from the style picture, stretched to the content's size.
#[derive(Debug)]
pub struct FromStyle;

impl Init for FromStyle {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let (_, _, h, w) = from.content.size4()?;
        resize(from.style, h, w)
    }
}

/// Starts from the previous stylised frame plus the change of the content since: G(t-1) + C(t) - C(t-1). Where nothing
/// moved, this is exactly the previous frame; where something moved, it leaves no ghost that the few iterations of a
/// later frame could not paint over. Without a previous frame it is the content.
#[derive(Debug)]
pub struct FromPrevious;

impl Init for FromPrevious {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let Some(HistoryFrame { painted, content, .. }) = from.previous else {
            return Ok(from.content.shallow_clone());
        };
        Ok(painted.f_add(&from.content.f_sub(content)?)?.f_clamp(0.0, 1.0)?)
    }
}

/// Starts from the previous stylised frame, warped along the source's motion. Where the warp is not believed
/// (uncovered, entered from outside, at a motion boundary) it is the content under the strokes of a similar place
/// nearby, never the ghost of the object in front. Without motion it behaves as [`FromPrevious`].
#[derive(Debug)]
pub struct FromWarped;

impl Init for FromWarped {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let Some(WarpedFrame { painted, strokes, seen, alike, motion, .. }) = from.warped else {
            return FromPrevious.start(from);
        };
        let known = seen.f_ge(0.5)?.f_to_kind(seen.kind())?;
        let new = from.content.f_add(&from_beside(strokes, from.content, motion, &known)?)?.f_clamp(0.0, 1.0)?;
        // new + c (painted - new) is not exactly the painted sample where c is 1, hence the choice.
        let blend = new.f_add(&painted.f_sub(&new)?.f_mul(alike)?)?;
        Ok(painted.f_where_self(&alike.f_ge(1.0)?, &blend)?)
    }
}

/// Returns the rule for the first frame of a shot.
pub fn first(init: FirstInit, seed: u64) -> Box<dyn Init> {
    match init {
        FirstInit::Content => Box::new(FromContent),
        FirstInit::Random => Box::new(FromNoise { seed }),
        FirstInit::Style => Box::new(FromStyle),
    }
}

/// Returns the rule for the later frames of a shot.
pub fn next(init: NextInit, seed: u64) -> Box<dyn Init> {
    match init {
        NextInit::Warped => Box::new(FromWarped),
        NextInit::Previous => Box::new(FromPrevious),
        NextInit::Content => Box::new(FromContent),
        NextInit::Random => Box::new(FromNoise { seed }),
    }
}
