//! One pass over a shot that has been painted before.

use tch::Tensor;

use super::blend::blend;
use super::order::{Order, Way};
use super::store::Store;
use crate::motion::{Consistency, Step};
use crate::stylize::chain::{Carried, Chain};
use crate::stylize::loss::{Anchor, Temporal};
use crate::stylize::studio::{Effort, Look, Painted, Studio};
use crate::stylize::tensor::{from_pixels, from_planes, to_planes};
use crate::stylize::{FrameStats, StyleError};

/// A shot that is painted in several passes.
pub struct Reworked<'a> {
    pub studio: &'a Studio,
    pub look: &'a Look,
    /// Its frames, by their numbers in the store, each followed by the next.
    pub line: &'a [usize],
    /// Whether the last of them is followed by the first.
    pub ring: bool,
    /// J of its first frame after the first pass: low enough for all, lest paint slide to style from pass to pass.
    pub target: f64,
}

impl<'a> Reworked<'a> {
    /// Begins a pass (from 2).
    ///
    /// # Errors
    /// When the disk fails; what libtorch reports.
    pub fn begin(&'a self, store: &Store, pass: u32) -> Result<Pass<'a>, StyleError> {
        let order = Order::new(self.line.len(), pass, self.ring);
        Ok(Pass { shot: self, order, chain: self.chain(store, order)? })
    }

    /// What comes before a pass's first frame: nothing or, on a ring, the frames that lead to it.
    fn chain(&self, store: &Store, order: Order) -> Result<Chain, StyleError> {
        let offsets = &self.studio.settings().temporal.offsets;
        let mut chain = Chain::new(offsets, self.rules());
        if !self.ring {
            return Ok(chain);
        }
        let longest = offsets.iter().copied().max().unwrap_or(1).max(1) as usize;
        let before = longest.min(self.line.len() - 1) as isize;
        for at in -before..0 {
            let Some(place) = order.frame(at) else { continue };
            let frame = self.line[place];
            let (width, height) = store.grid(frame);
            if at > -before
                && let Some(step) = self.between(store, order, at, at - 1)?
            {
                chain.step(&step, width, height);
            }
            let (painted, content) = self.pictures(store, frame)?;
            chain.remember(Carried { painted, content });
        }
        Ok(chain)
    }

    /// A frame's painted picture and its content.
    fn pictures(&self, store: &Store, frame: usize) -> Result<(Tensor, Tensor), StyleError> {
        let device = self.studio.device();
        let content = self.look.content(&from_pixels(&store.raw(frame)?, device)?)?;
        let painted = store.painted(frame, device)?.unwrap_or_else(|| content.shallow_clone());
        Ok((painted, content))
    }

    /// The motion that brings the frame in the place `from` of the order onto the grid of its neighbour in the place
    /// `to`; `None` where there is no such neighbour.
    fn between(&self, store: &Store, order: Order, to: isize, from: isize) -> Result<Option<Step>, StyleError> {
        let (Some(to_place), Some(from_place)) = (order.frame(to), order.frame(from)) else { return Ok(None) };
        if to_place == from_place {
            return Ok(None);
        }
        let from_before = (from < to) == (order.way() == Way::Forward);
        if from_before {
            return store.step(self.line[to_place]);
        }
        // The other way round, and judged as such: what is seen in both frames differs by whose grid it is told on.
        let step = store.step(self.line[from_place])?;
        Ok(step.map(|Step { back, forth, .. }| Step::new(forth, back, &self.rules())))
    }

    /// The frame in the place `from` of the order, carried onto the grid of its neighbour in the place `to`.
    fn carried(&self, store: &Store, order: Order, to: isize, from: isize) -> Result<Option<Anchor>, StyleError> {
        let (Some(step), Some(place)) = (self.between(store, order, to, from)?, order.frame(from)) else {
            return Ok(None);
        };
        let (frame, device) = (self.line[place], self.studio.device());
        let (width, height) = store.grid(frame);
        let step = step.resized(width, height, &self.rules());
        let warped = step.back.warp(&to_planes(&self.pictures(store, frame)?.0)?);
        let (width, height) = (width as i64, height as i64);
        Ok(Some(Anchor {
            warped: from_planes(&warped, 3, height, width, device)?,
            weights: from_planes(&step.reliability.weights, 1, height, width, device)?,
        }))
    }

    fn rules(&self) -> Consistency {
        self.studio.settings().temporal.consistency
    }
}

/// A pass in progress.
pub struct Pass<'a> {
    shot: &'a Reworked<'a>,
    order: Order,
    chain: Chain,
}

impl Pass<'_> {
    /// Paints the frame in the next place, `at`, once more. It starts from its picture of the pass before, blended with
    /// its neighbour of this one, and is held to that neighbour and those further back. (To hold it to the neighbour ahead
    /// as well, as the pass before left it, leaves less room: measured, E_warp is no lower and J higher.) A pass's first
    /// frame, which has no neighbour yet, stays as it is (`None`); on a ring there is none such.
    ///
    /// # Errors
    /// What libtorch and the disk report; `NotFinite`; `Cancelled`.
    pub fn next(&mut self, store: &mut Store, at: usize) -> Result<Option<(usize, FrameStats)>, StyleError> {
        let (shot, at) = (self.shot, at as isize);
        let Some(place) = self.order.frame(at) else { return Ok(None) };
        let frame = shot.line[place];
        let (own, content) = shot.pictures(store, frame)?;
        let Some(step) = shot.between(store, self.order, at, at - 1)? else {
            self.chain = Chain::new(&shot.studio.settings().temporal.offsets, shot.rules());
            self.chain.remember(Carried { painted: own, content });
            return Ok(None);
        };
        let (width, height) = store.grid(frame);
        self.chain.step(&step, width, height);
        let near = self.near(store, at)?;
        let start = blend(&own, &near)?;
        let term = self.temporal_term(store, at)?;
        let iterations = shot.studio.settings().optimizer.iterations[1];
        let effort = Effort { iterations, at_least: iterations.div_ceil(2), target: Some(shot.target) };
        let Painted { image, stats } = shot.studio.paint(shot.look, &content, &start, term.as_ref(), effort)?;
        store.paint(frame, &image, stats)?;
        self.chain.remember(Carried { painted: image, content });
        Ok(Some((frame, stats)))
    }

    /// What the frame in the place `at` is blended with.
    fn near(&self, store: &Store, at: isize) -> Result<Vec<Anchor>, StyleError> {
        let before = self.chain.carried_along(self.shot.studio.device())?;
        self.turned(store, at, before.into_iter().collect())
    }

    /// What it is held to.
    fn temporal_term(&self, store: &Store, at: isize) -> Result<Option<Temporal>, StyleError> {
        let temporal = &self.shot.studio.settings().temporal;
        if temporal.weight == 0.0 {
            return Ok(None);
        }
        let anchors = self.chain.anchors(&temporal.offsets, self.shot.studio.device())?;
        let anchors = self.turned(store, at, anchors)?;
        Ok((!anchors.is_empty()).then(|| Temporal::new(anchors, temporal.weight, temporal.distance)))
    }

    /// On a ring, the hold goes over from the neighbours of this pass, `before`, to the other one as the pass before left
    /// it: to 1/(left + 1) of it, where `left` frames of the pass are left with this one. What the pass carries around
    /// does not fit to what it began with, and so the misfit shrinks by the same amount from frame to frame until there
    /// is none at the end (each keeps left / (left + 1) of it) in place of one seam.
    fn turned(&self, store: &Store, at: isize, before: Vec<Anchor>) -> Result<Vec<Anchor>, StyleError> {
        if !self.shot.ring {
            return Ok(before);
        }
        let left = self.shot.line.len() as isize - at;
        let share = 1.0 / (left + 1) as f64;
        let scaled = |Anchor { warped, weights }, by: f64| {
            Ok::<_, StyleError>(Anchor { warped, weights: weights.f_mul_scalar(by)? })
        };
        let after = self.shot.carried(store, self.order, at, at + 1)?;
        let before = before.into_iter().map(|anchor| scaled(anchor, 1.0 - share));
        before.chain(after.into_iter().map(|anchor| scaled(anchor, share))).collect()
    }
}
