//! What G starts from.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tch::Tensor;

use super::StyleError;
use super::chain::Carried;
use super::earlier::Brought;
use super::fill::from_beside;
use super::optimizer::Preconditioner;
use super::tensor::resize;
use crate::settings::{FirstInit, NextInit};

/// What an initialisation may use; all pictures `[1,3,H,W]`, RGB, 0..=1.
#[derive(Debug)]
pub struct Start<'a> {
    /// The content as the objective sees it (colours already matched), in the optimised size.
    pub content: &'a Tensor,
    /// The first style picture, in any size.
    pub style: &'a Tensor,
    /// The previous stylised frame and the content it was made from, float, in the optimised size.
    pub previous: Option<&'a Carried>,
    /// The same carried along the motion, where motion is known.
    pub warped: Option<&'a Brought>,
}

/// A rule for G's first value.
pub trait Init {
    /// `[1,3,H,W]` in the content's size.
    ///
    /// # Errors
    /// What libtorch reports.
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError>;

    /// The preconditioner for a descent from this start.
    fn preconditioner(&self) -> Preconditioner {
        Preconditioner::Picture
    }
}

/// The content itself: the fastest way to a picture that shows it.
#[derive(Debug)]
pub struct FromContent;

impl Init for FromContent {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        Ok(from.content.shallow_clone())
    }
}

/// White noise, uniform in 0..=1 (Gatys et al. 2015). The same field in every frame, so that it does not flicker, and
/// on every device, because it is drawn on the host.
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

    /// Noise is fine detail, and all of it has to go.
    fn preconditioner(&self) -> Preconditioner {
        Preconditioner::Identity
    }
}

/// The style picture, stretched to the content's size.
#[derive(Debug)]
pub struct FromStyle;

impl Init for FromStyle {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let (_, _, h, w) = from.content.size4()?;
        resize(from.style, h, w)
    }
}

/// The previous stylised frame plus what has changed in the content since: G(t-1) + C(t) - C(t-1). Where nothing
/// moved, that is the previous frame to the bit; where something moved, it does not leave a ghost that the few
/// iterations of a later frame cannot paint over. The content where there is no previous frame.
#[derive(Debug)]
pub struct FromPrevious;

impl Init for FromPrevious {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let Some(Carried { painted, content, .. }) = from.previous else {
            return Ok(from.content.shallow_clone());
        };
        Ok(painted.f_add(&from.content.f_sub(content)?)?.f_clamp(0.0, 1.0)?)
    }
}

/// The previous stylised frame carried along the source's motion. What cannot be believed of it (uncovered, come in from
/// outside, at a motion boundary) is the content, never the ghost of what was in front, under the strokes of what lies
/// beside it. Without motion as [`FromPrevious`].
#[derive(Debug)]
pub struct FromWarped;

impl Init for FromWarped {
    fn start(&self, from: &Start<'_>) -> Result<Tensor, StyleError> {
        let Some(Brought { painted, strokes, seen, alike, motion, .. }) = from.warped else {
            return FromPrevious.start(from);
        };
        let known = seen.f_ge(0.5)?.f_to_kind(seen.kind())?;
        let new = from.content.f_add(&from_beside(strokes, from.content, motion, &known)?)?.f_clamp(0.0, 1.0)?;
        // new + c (painted - new): where c is 1 not exactly the painted sample, hence the choice.
        let blend = new.f_add(&painted.f_sub(&new)?.f_mul(alike)?)?;
        Ok(painted.f_where_self(&alike.f_ge(1.0)?, &blend)?)
    }
}

/// The rule for the first frame of a shot.
pub fn first(init: FirstInit, seed: u64) -> Box<dyn Init> {
    match init {
        FirstInit::Content => Box::new(FromContent),
        FirstInit::Random => Box::new(FromNoise { seed }),
        FirstInit::Style => Box::new(FromStyle),
    }
}

/// The rule for the frames after it.
pub fn next(init: NextInit, seed: u64) -> Box<dyn Init> {
    match init {
        NextInit::Warped => Box::new(FromWarped),
        NextInit::Previous => Box::new(FromPrevious),
        NextInit::Content => Box::new(FromContent),
        NextInit::Random => Box::new(FromNoise { seed }),
    }
}
