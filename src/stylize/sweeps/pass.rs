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

    fn temporal(&self, store: &Store, chain: &Chain, order: Order, at: isize) -> Result<Option<Temporal>, StyleError> {
        let settings = &self.studio.settings().temporal;
        if settings.weight == 0.0 {
            return Ok(None);
        }
        let device = self.studio.device();
        let mut anchors = chain.anchors(&settings.offsets, device)?;
        if let (Some(step), Some(place)) = (self.between(store, order, at, at + 1)?, order.frame(at + 1)) {
            let frame = self.line[place];
            let (width, height) = store.grid(frame);
            let step = step.resized(width, height, &self.rules());
            let warped = step.back.warp(&to_planes(&self.pictures(store, frame)?.0)?);
            let (width, height) = (width as i64, height as i64);
            anchors.push(Anchor {
                warped: from_planes(&warped, 3, height, width, device)?,
                weights: from_planes(&step.reliability.weights, 1, height, width, device)?,
            });
        }
        Ok((!anchors.is_empty()).then(|| Temporal::new(anchors, settings.weight, settings.distance)))
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
    /// its neighbour of this one, and is held to both its neighbours: to that one, and to the other as the pass before
    /// left it. A pass's first frame, which has no neighbour yet, stays as it is (`None`); on a ring there is none such.
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
        let start = match self.chain.carried_along(shot.studio.device())? {
            Some(Anchor { warped, weights }) => blend(&own, &warped, &weights)?,
            None => own,
        };
        let temporal = shot.temporal(store, &self.chain, self.order, at)?;
        let iterations = shot.studio.settings().optimizer.iterations[1];
        let effort = Effort { iterations, at_least: 0, target: Some(shot.target) };
        let Painted { image, stats } = shot.studio.paint(shot.look, &content, &start, temporal.as_ref(), effort)?;
        store.paint(frame, &image, stats)?;
        self.chain.remember(Carried { painted: image, content });
        Ok(Some((frame, stats)))
    }
}
