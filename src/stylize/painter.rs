//! The chain: one frame after another, each starting from what the one before became.

use tch::Device;

use super::backbone::Backbone;
use super::chain::{Carried, Chain};
use super::init::{self, Init, Start};
use super::loss::Temporal;
use super::studio::{Effort, Look, Painted, Studio};
use super::{Done, StyleError, Stylized, Stylizer};
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::motion::{Arrival, Shot};
use crate::settings::Settings;

pub use super::studio::StylePicture;

/// A shot in progress.
struct ShotState {
    look: Look,
    /// J of the shot's first frame: later frames need no lower one. Going on would trade a little more content for
    /// style in every frame, until the last ones show nothing of it.
    first_objective: Option<f64>,
    chain: Chain,
}

/// Paints frames by gradient descent on their pixels.
pub struct Painter {
    studio: Studio,
    first: Box<dyn Init>,
    next: Box<dyn Init>,
    shot: Option<ShotState>,
}

impl Painter {
    /// # Errors
    /// Unknown layer names, no style picture, not as many style layers as weights.
    pub fn new(
        backbone: Box<dyn Backbone>,
        styles: Vec<StylePicture>,
        settings: Settings,
        device: Device,
        cancel: CancelToken,
    ) -> Result<Self, StyleError> {
        let studio = Studio::new(backbone, styles, settings, device, cancel)?;
        let settings = studio.settings();
        let first = init::first(settings.init.first, settings.seed);
        let next = init::next(settings.init.next, settings.seed);
        Ok(Self { studio, first, next, shot: None })
    }

    /// The distance to the shot's earlier frames; `None` where no motion leads to them.
    fn temporal_term(&self, chain: &Chain, moves: bool) -> Result<Option<Temporal>, StyleError> {
        let temporal = &self.studio.settings().temporal;
        if temporal.weight == 0.0 || !moves {
            return Ok(None);
        }
        let anchors = chain.anchors(&temporal.offsets, self.studio.device())?;
        Ok((!anchors.is_empty()).then(|| Temporal::new(anchors, temporal.weight, temporal.distance)))
    }

    /// The next picture, painted; `arrival` says how it follows from the one before it.
    ///
    /// # Errors
    /// When it cannot be painted, or the job was cancelled.
    pub fn stylize(&mut self, pixels: &Pixels, arrival: &Arrival) -> Result<Stylized, StyleError> {
        let Painted { image, stats } = self.advance(pixels, arrival)?;
        Ok(Stylized { pixels: self.studio.frame(&image, pixels)?, stats })
    }

    pub fn studio(&self) -> &Studio {
        &self.studio
    }

    /// What the shot in progress has in common.
    pub fn look(&self) -> Option<&Look> {
        self.shot.as_ref().map(|shot| &shot.look)
    }

    /// As [`Painter::stylize`], in the optimised size.
    ///
    /// # Errors
    /// As there.
    pub fn advance(&mut self, pixels: &Pixels, arrival: &Arrival) -> Result<Painted, StyleError> {
        let device = self.studio.device();
        let raw = self.studio.raw(pixels)?;
        let (_, _, h, w) = raw.size4()?;
        let mut state = match self.shot.take() {
            Some(state) if arrival.shot == Shot::Continues && (state.look.height, state.look.width) == (h, w) => state,
            _ => self.begin_shot(self.studio.look(&raw)?),
        };
        let content = state.look.content(&raw)?;
        let continues = state.chain.last().is_some();
        let motion = arrival.step.as_ref().filter(|_| continues);
        if let Some(step) = motion {
            state.chain.step(step, w as usize, h as usize);
        }
        let warped = motion.map(|_| state.chain.carried_along(device)).transpose()?.flatten();
        let start = Start {
            content: &content,
            style: self.studio.style_picture(),
            previous: state.chain.last(),
            warped: warped.as_ref(),
        };
        let start = if continues { self.next.start(&start)? } else { self.first.start(&start)? };
        let temporal = self.temporal_term(&state.chain, motion.is_some())?;
        let effort = Effort {
            iterations: self.studio.settings().optimizer.iterations[usize::from(continues)],
            at_least: 0,
            target: state.first_objective,
        };
        let painted = self.studio.paint(&state.look, &content, &start, temporal.as_ref(), effort)?;
        let stats = painted.stats;
        tracing::debug!(
            size = ?(h, w),
            new_shot = !continues,
            iterations = stats.iterations,
            from = stats.initial_objective,
            to = stats.objective,
            "frame painted"
        );
        let first_objective = state.first_objective.or(Some(stats.objective));
        state.chain.remember(Carried { painted: painted.image.shallow_clone(), content });
        self.shot = Some(ShotState { first_objective, ..state });
        Ok(painted)
    }

    fn begin_shot(&self, look: Look) -> ShotState {
        let temporal = &self.studio.settings().temporal;
        ShotState { look, first_objective: None, chain: Chain::new(&temporal.offsets, temporal.consistency) }
    }
}

impl Stylizer for Painter {
    fn push(&mut self, content: &Pixels, arrival: &Arrival, done: &mut Done<'_>) -> Result<(), StyleError> {
        done(self.stylize(content, arrival)?)
    }
}
