//! The chain: one frame after another, each starting from what the one before became.

use tch::{Device, Tensor};

use super::backbone::Backbone;
use super::boil::stirred;
use super::chain::{Carried, Chain};
use super::init::{self, Init, Start};
use super::loss::Temporal;
use super::objective::Phase;
use super::still::{Held, Lock};
use super::studio::{Effort, Look, Painted, Studio, Ties};
use super::tensor::scalar;
use super::{Done, FrameStats, StyleError, Stylized, Stylizer};
use crate::interrupt::CancelToken;
use crate::media::Pixels;
use crate::motion::{Arrival, Shot};
use crate::settings::Settings;

pub use super::studio::StylePicture;

/// A place that came into view is mature, and what later frames are held to, after this share of the iterations that
/// the shot's first frame took.
pub const MATURE: f64 = 0.5;
/// All iterations of a later frame are used when so much of it is fresh: a tenth of it.
pub const FRESH: f64 = 10.0;
/// A later frame's J is low enough at this much of the first one's: samples beyond 0..=1, which J has seen and the picture
/// that is carried has lost, make up to 2 %.
pub const LOW_ENOUGH: f64 = 1.02;
/// Where more than 1 / 4 of a frame is free all iterations may be used, else that much fewer: what little is free would
/// be painted over and over to make up for the rest. Where all is held, one look tells J and nothing moves.
const FREE: f64 = 4.0;
/// Iterations in one phase.
const LEG: u32 = 30;

/// A shot in progress.
struct ShotState {
    look: Look,
    /// J of the shot's first frame: later frames need no lower one. Going on would trade a little more content for
    /// style in every frame, until the last ones show nothing of it.
    objective: f64,
    /// J of the frame before: where most is held, no iteration brings back what a frame has lost to what is in the way.
    last_objective: f64,
    /// What the first frame took.
    iterations: u32,
    /// Frames after the first.
    count: u64,
    chain: Chain,
    lock: Lock,
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
    fn temporal_term(&self, chain: &Chain, content: &Tensor) -> Result<Option<Temporal>, StyleError> {
        let temporal = &self.studio.settings().temporal;
        let weight = temporal.effective_weight();
        if weight == 0.0 {
            return Ok(None);
        }
        let anchors = chain.anchors(&temporal.offsets, content)?;
        Ok((!anchors.is_empty()).then(|| Temporal::new(anchors, weight, temporal.distance)))
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

    /// What the newest frame of the shot in progress leaves to later ones.
    pub fn carried(&self) -> Option<&Carried> {
        self.shot.as_ref().and_then(|shot| shot.chain.last())
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
        let raw = self.studio.raw(pixels)?;
        let (_, _, h, w) = raw.size4()?;
        if arrival.shot == Shot::Aside {
            // A flash: painted on its own, and the shot goes on from the frame before it.
            return Ok(self.begun(&raw)?.0);
        }
        let shot = self.shot.take();
        let shot = shot.filter(|shot| arrival.shot == Shot::Continues && (shot.look.height, shot.look.width) == (h, w));
        let (painted, shot) = match shot {
            Some(shot) => self.continued(shot, &raw, arrival)?,
            None => self.begun(&raw)?,
        };
        self.shot = Some(shot);
        Ok(painted)
    }

    /// A shot's first frame.
    fn begun(&self, raw: &Tensor) -> Result<(Painted, ShotState), StyleError> {
        let look = self.studio.look(raw)?;
        let content = look.content(raw)?;
        let style = self.studio.style_picture();
        let start = self.first.start(&Start { content: &content, style, previous: None, warped: None })?;
        let settings = self.studio.settings();
        let painted = self.in_legs(&look, &content, start)?;
        let temporal = &settings.temporal;
        let mut chain = Chain::new(&temporal.offsets, temporal.consistency);
        chain.remember(Carried::first(painted.image.shallow_clone(), content.shallow_clone())?)?;
        let lock = Lock::new(&painted.image, &content);
        let Painted { stats, .. } = painted;
        Ok((
            painted,
            ShotState {
                look,
                objective: stats.objective,
                last_objective: stats.objective,
                iterations: stats.iterations,
                count: 0,
                chain,
                lock,
            },
        ))
    }

    /// A descent in several phases.
    fn in_legs(&self, look: &Look, content: &Tensor, start: Tensor) -> Result<Painted, StyleError> {
        let all = self.studio.settings().optimizer.iterations[0];
        let legs = (all / LEG).max(1);
        let mut painted = Painted { image: start, stats: FrameStats::default() };
        for (leg, phase) in Phase::spread(legs).enumerate() {
            let iterations = all / legs + u32::from((leg as u32) < all % legs);
            let effort = Effort { iterations, at_least: 0, target: None, phase };
            let Painted { image, stats } = self.studio.paint(look, content, &painted.image, Ties::default(), effort)?;
            let initial_objective = if leg == 0 { stats.initial_objective } else { painted.stats.initial_objective };
            let iterations = painted.stats.iterations + stats.iterations;
            tracing::debug!(?phase, from = stats.initial_objective, to = stats.objective, iterations, "leg");
            painted = Painted { image, stats: FrameStats { iterations, initial_objective, ..stats } };
        }
        Ok(painted)
    }

    /// A frame that goes on from the one before it.
    fn continued(
        &self,
        mut shot: ShotState,
        raw: &Tensor,
        arrival: &Arrival,
    ) -> Result<(Painted, ShotState), StyleError> {
        let (_, _, h, w) = raw.size4()?;
        let step = arrival.step.as_ref();
        let content = shot.look.content(raw)?;
        if let Some(step) = step {
            shot.chain.step(step, &content)?;
            shot.chain.look_back(&arrival.far, w as usize, h as usize);
        }
        let brought = step.map(|_| shot.chain.before(&content)).transpose()?.flatten();
        let style = self.studio.style_picture();
        let previous = shot.chain.last();
        let start = self.next.start(&Start { content: &content, style, previous, warped: brought.as_ref() })?;
        let Settings { seed, temporal, .. } = self.studio.settings();
        shot.count += 1;
        let (start, lock) = (stirred(&start, temporal.boil, *seed, shot.count)?, temporal.lock());
        let temporal = step.map(|_| self.temporal_term(&shot.chain, &content)).transpose()?.flatten();
        let held = match &brought {
            Some(brought) if lock > 0.0 => {
                Some(shot.lock.hold(&content, &shot.chain.resting(), &brought.maturity, lock)?)
            }
            _ => None,
        };
        let share = held.as_ref().map(Held::share).transpose()?.unwrap_or(0.0);
        let all = self.studio.settings().optimizer.iterations[1];
        let fresh = match &brought {
            Some(brought) => 1.0 - scalar(&brought.maturity.f_mean(content.kind())?)?,
            None => 0.0,
        };
        let part = |share: f64| (f64::from(all) * share.min(1.0)).ceil() as u32;
        let at_least = part(fresh * FRESH);
        let most = part((1.0 - share) * FREE).max(at_least).max(all.min(1));
        let target = Some((shot.objective * LOW_ENOUGH).max(shot.last_objective));
        let effort = Effort { iterations: most, at_least, target, phase: Phase::default() };
        let ties = Ties { temporal: temporal.as_ref(), held: held.as_ref() };
        let painted = self.studio.paint(&shot.look, &content, &start, ties, effort)?;
        tracing::debug!(
            size = ?(h, w),
            iterations = painted.stats.iterations,
            from = painted.stats.initial_objective,
            to = painted.stats.objective,
            temporal = painted.stats.temporal,
            fresh,
            held = share,
            "frame painted"
        );
        shot.last_objective = painted.stats.objective;
        if let Some(held) = &held {
            shot.lock.renew(held, &painted.image, &content)?;
        }
        let image = painted.image.shallow_clone();
        let maturity = match brought {
            Some(brought) => {
                let gained = f64::from(painted.stats.iterations) / (MATURE * f64::from(shot.iterations.max(1)));
                brought.maturity.f_add_scalar(gained)?.f_clamp_max(1.0)?
            }
            None => Carried::first(image.shallow_clone(), content.shallow_clone())?.maturity,
        };
        shot.chain.remember(Carried { painted: image, content, maturity })?;
        Ok((painted, shot))
    }
}

impl Stylizer for Painter {
    fn push(&mut self, content: &Pixels, arrival: &Arrival, done: &mut Done<'_>) -> Result<(), StyleError> {
        done(self.stylize(content, arrival)?)
    }
}
