//! The chain painter: paints one frame after another, each starting from the result of the previous one.

use tch::Tensor;

use crate::media::Pixels;
use crate::motion::{Shot, Transition};
use crate::settings::{LongFlow, Method, Settings};
use crate::stylize::frame::effort::{Effort, gained, low_enough};
use crate::stylize::frame::faces::{Search, remembered};
use crate::stylize::frame::first_frame;
use crate::stylize::frame::frame_optimizer::{FrameOptimizer, Painted, Ties};
use crate::stylize::frame::init::{self, Init, Start};
use crate::stylize::frame::look::Look;
use crate::stylize::frame::optimizer::Curvature;
use crate::stylize::frame::scene::{Scene, moving_outlines};
use crate::stylize::temporal::boil::stirred;
use crate::stylize::temporal::chain::{Chain, HistoryFrame, kept_floats};
use crate::stylize::temporal::history::WarpedFrame;
use crate::stylize::temporal::pinned::{Pin, PinnedPixels, levelled};
use crate::stylize::tensor::scalar;
use crate::stylize::{Done, FrameStats, Snapshot, StyleError, Stylized, Stylizer, TermValues};

/// Faces are searched for in every third later frame.
const SEARCH_EVERY: u64 = 3;

/// State of the shot in progress.
struct ShotState {
    look: Look,
    /// The shot's first frame, `[1,3,H,W]`, from which the look is made.
    opening: Tensor,
    /// Stats of the shot's first frame. Later frames need no lower J: descending further would trade a little more
    /// content for style in every frame, until the last ones show nothing of it.
    first: FrameStats,
    /// J of the previous frame: where most pixels are held, no iteration restores what a frame has lost to occlusion.
    last_objective: f64,
    /// J's curvature as the previous descent learned it; a later frame has too few iterations to learn it again.
    curvature: Option<Curvature>,
    /// Number of frames after the first.
    count: u64,
    chain: Chain,
    lock: PinnedPixels,
}

/// Paints frames by gradient descent on their pixels.
pub struct SinglePass {
    frame_optimizer: FrameOptimizer,
    first: Box<dyn Init>,
    next: Box<dyn Init>,
    shot: Option<ShotState>,
}

impl SinglePass {
    pub fn new(frame_optimizer: FrameOptimizer) -> Self {
        let settings = frame_optimizer.settings();
        let first = init::first(settings.init.first, settings.seed);
        let next = init::next(settings.init.next, settings.seed);
        Self { frame_optimizer, first, next, shot: None }
    }

    /// Paints the next picture; `transition` describes how it follows from the previous one.
    ///
    /// # Errors
    /// If the frame cannot be painted or the job was cancelled.
    pub fn stylize(&mut self, pixels: &Pixels, transition: &Transition) -> Result<Stylized, StyleError> {
        let Painted { image, stats, .. } = self.advance(pixels, transition)?;
        Ok(Stylized { pixels: self.frame_optimizer.frame(&image, pixels)?, stats })
    }

    pub fn frame_optimizer(&self) -> &FrameOptimizer {
        &self.frame_optimizer
    }

    /// The state that the newest frame of the shot in progress passes on to later frames.
    pub fn carried(&self) -> Option<&HistoryFrame> {
        self.shot.as_ref().and_then(|shot| shot.chain.last())
    }

    /// The look (style targets, colour map, size) of the shot in progress.
    pub fn look(&self) -> Option<&Look> {
        self.shot.as_ref().map(|shot| &shot.look)
    }

    /// As [`SinglePass::stylize`], but returns the picture in the optimised size.
    ///
    /// # Errors
    /// As [`SinglePass::stylize`].
    pub fn advance(&mut self, pixels: &Pixels, transition: &Transition) -> Result<Painted, StyleError> {
        let raw = self.frame_optimizer.raw(pixels)?;
        let (_, _, h, w) = raw.size4()?;
        if transition.shot == Shot::Flash {
            // A flash: painted on its own; the shot continues from the frame before it.
            return Ok(self.begun(&raw)?.0);
        }
        let shot = self.shot.take();
        let shot =
            shot.filter(|shot| transition.shot == Shot::Continues && (shot.look.height, shot.look.width) == (h, w));
        let (painted, shot) = match shot {
            Some(shot) => self.continued(shot, &raw, transition)?,
            None => self.begun(&raw)?,
        };
        self.shot = Some(shot);
        Ok(painted)
    }

    /// Paints a shot's first frame.
    fn begun(&self, raw: &Tensor) -> Result<(Painted, ShotState), StyleError> {
        let look = self.frame_optimizer.look(raw)?;
        let scene = Scene {
            content: look.content(raw)?,
            faces: self.frame_optimizer.faces(&look, raw, Search::Thorough)?,
            is_painted: true,
            moving: None,
        };
        let mut painted = first_frame::paint(&self.frame_optimizer, &look, raw, &scene, self.first.as_ref())?;
        let settings = self.frame_optimizer.settings();
        let temporal = &settings.temporal;
        let mut chain = Chain::new(&temporal.offsets, temporal.consistency);
        let Scene { content, faces, .. } = scene;
        let lock = PinnedPixels::new(&painted.image, &content)?;
        chain.remember(HistoryFrame::first(painted.image.shallow_clone(), content, faces.as_ref())?)?;
        let (first, opening, curvature) = (painted.stats, raw.shallow_clone(), painted.learned.take());
        let last_objective = first.objective;
        Ok((painted, ShotState { look, opening, first, last_objective, curvature, count: 0, chain, lock }))
    }

    /// Paints a frame that continues from the previous one.
    fn continued(
        &self,
        mut shot: ShotState,
        raw: &Tensor,
        transition: &Transition,
    ) -> Result<(Painted, ShotState), StyleError> {
        let (_, _, h, w) = raw.size4()?;
        let step = transition.step.as_ref();
        let content = shot.look.content(raw)?;
        // Faces do not come and go from frame to frame, and a search takes a tenth of a frame's time.
        let searches = step.is_none() || shot.count.is_multiple_of(SEARCH_EVERY);
        let found = if searches { self.frame_optimizer.faces(&shot.look, raw, Search::Quick)? } else { None };
        if let Some(step) = step {
            shot.chain.step(step, &content)?;
            shot.chain.look_back(&transition.far, w as usize, h as usize);
        }
        let Settings { seed, temporal, .. } = self.frame_optimizer.settings();
        let earlier = step.map(|_| shot.chain.earlier(temporal.reach(), &content)).transpose()?;
        let brought = earlier.as_ref().and_then(|earlier| earlier.known.as_ref());
        let before = brought.filter(|_| self.frame_optimizer.looks_for_faces());
        let faces = remembered(found, before)?;
        let style = self.frame_optimizer.style_picture();
        let previous = shot.chain.last();
        let start = self.next.start(&Start { content: &content, style, previous, warped: brought })?;
        shot.count += 1;
        let (start, lock) = (stirred(&start, temporal.boil, *seed, shot.count)?, temporal.lock());
        let anchors =
            earlier.as_ref().map(|earlier| earlier.anchors(temporal.reach())).transpose()?.unwrap_or_default();
        let held = match brought {
            Some(brought) if lock > 0.0 => {
                Some(shot.lock.hold(&content, &shot.chain.resting(), &brought.maturity, lock)?)
            }
            _ => None,
        };
        let share = held.as_ref().map(Pin::share).transpose()?.unwrap_or(0.0);
        let all = self.frame_optimizer.settings().optimizer.iterations[1];
        let fresh = match brought {
            Some(brought) => 1.0 - scalar(&brought.maturity.f_mean(content.kind())?)?,
            None => 0.0,
        };
        let target = low_enough(&shot.first).max(shot.last_objective);
        let effort = Effort::of_later(all, fresh, share, target, self.next.preconditioner());
        let curvature = match (&shot.curvature, brought) {
            (Some(curvature), Some(WarpedFrame { motion, alike, .. })) => Some(curvature.carried(motion, alike)?),
            _ => shot.curvature.take(),
        };
        let ties = Ties { anchors: &anchors, held: held.as_ref(), curvature: curvature.as_ref() };
        let moving = brought.map(|brought| moving_outlines(&content, brought)).transpose()?;
        let scene = Scene { content, faces, is_painted: true, moving };
        let mut painted = self.frame_optimizer.paint(&shot.look, &scene, &start, ties, effort)?;
        let Scene { content, faces, .. } = scene;
        if let Some(brought) = brought {
            painted.image = levelled(&painted.image, brought, held.as_ref())?;
        }
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
        shot.curvature = painted.learned.take();
        if let Some(held) = &held {
            shot.lock.renew(held, &painted.image, &content)?;
        }
        let carried = HistoryFrame::first(painted.image.shallow_clone(), content, faces.as_ref())?;
        let maturity = match brought {
            Some(brought) => {
                brought.maturity.f_add_scalar(gained(painted.stats.iterations, &shot.first))?.f_clamp_max(1.0)?
            }
            None => carried.maturity,
        };
        shot.chain.remember(HistoryFrame { maturity, ..carried })?;
        Ok((painted, shot))
    }
}

/// Planes of a shot's first frame in a snapshot.
const OPENING: u64 = 3;

/// Returns the largest size in bytes of a [`Snapshot`] within a shot of `frames` frames, each optimised at `height` x
/// `width` pixels: that of what `ShotState::keep` stores.
pub fn snapshot_bytes(settings: &Settings, [height, width]: [i64; 2], frames: u64) -> u64 {
    let Settings { temporal, optimizer, .. } = settings;
    let remembered = Chain::longest(&temporal.offsets) as u64;
    let steps = if keeps_trail(settings) { remembered.min(frames.saturating_sub(1)) } else { 0 };
    let chain = kept_floats(remembered.min(frames), steps);
    let curvature = if optimizer.method == Method::Lbfgs { Curvature::kept_floats(optimizer.history) } else { 0 };
    size_of::<f32>() as u64 * (height * width) as u64 * (OPENING + PinnedPixels::FLOATS + chain + curvature)
}

/// Whether later frames need the steps of motion. Otherwise motion to earlier frames is estimated directly.
fn keeps_trail(settings: &Settings) -> bool {
    settings.motion.long == LongFlow::Composed || !settings.motion.flow.is_empty()
}

impl ShotState {
    fn keep(&self, trail: bool) -> Result<Snapshot, StyleError> {
        let mut snapshot = Snapshot::default();
        let FrameStats { iterations, initial_objective, objective, temporal, .. } = self.first;
        let [frames, steps] = self.chain.lengths(trail);
        let pairs = self.curvature.as_ref().map_or(0, Curvature::len);
        let whole = [u64::from(iterations), self.count, frames as u64, steps as u64, pairs as u64];
        let whole = whole.map(|number| number as f64);
        let size = [self.look.height, self.look.width].map(|side| side as f64);
        let exact = [initial_objective, objective, temporal, self.last_objective];
        snapshot.set_numbers([whole.as_slice(), &size, &exact].concat());
        snapshot.put("opening".into(), &self.opening);
        self.chain.keep(&mut snapshot, trail);
        self.lock.keep(&mut snapshot);
        if let Some(curvature) = &self.curvature {
            curvature.keep(&mut snapshot)?;
        }
        Ok(snapshot)
    }

    fn restored(snapshot: &Snapshot, frame_optimizer: &FrameOptimizer) -> Result<Self, StyleError> {
        let [iterations, count, frames, steps, pairs, h, w, initial_objective, objective, temporal, last_objective] =
            *snapshot.numbers()
        else {
            return Err(StyleError::Snapshot { name: "numbers".into() });
        };
        let (size, device) = ((h as i64, w as i64), frame_optimizer.device());
        let opening = snapshot.picture("opening", (3, size.0, size.1), device)?;
        let rules = &frame_optimizer.settings().temporal;
        let mut chain = Chain::new(&rules.offsets, rules.consistency);
        chain.restore(snapshot, [frames as usize, steps as usize], size, device)?;
        Ok(Self {
            look: frame_optimizer.look(&opening)?,
            opening,
            // Later frames do not depend on the first one's terms.
            first: FrameStats {
                iterations: iterations as u32,
                initial_objective,
                objective,
                temporal,
                terms: TermValues::default(),
            },
            last_objective,
            curvature: Curvature::restored(snapshot, pairs as usize, size, device)?,
            count: count as u64,
            chain,
            lock: PinnedPixels::restored(snapshot, size, device)?,
        })
    }
}

impl Stylizer for SinglePass {
    fn push(&mut self, content: &Pixels, transition: &Transition, done: &mut Done<'_>) -> Result<(), StyleError> {
        done(self.stylize(content, transition)?)
    }

    fn end_shot(&mut self, _done: &mut Done<'_>) -> Result<(), StyleError> {
        self.shot = None;
        Ok(())
    }

    fn snapshot(&self) -> Result<Option<Snapshot>, StyleError> {
        let trail = keeps_trail(self.frame_optimizer.settings());
        Ok(Some(self.shot.as_ref().map(|shot| shot.keep(trail)).transpose()?.unwrap_or_default()))
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<(), StyleError> {
        self.shot =
            if snapshot.is_empty() { None } else { Some(ShotState::restored(snapshot, &self.frame_optimizer)?) };
        Ok(())
    }
}
