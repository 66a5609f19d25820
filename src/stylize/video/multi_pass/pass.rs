//! A later pass over a shot that has already been painted.

use tch::Tensor;

use super::blend::blend;
use super::store::Store;
use super::traversal::{Direction, Traversal};
use crate::motion::{Consistency, Step};
use crate::stylize::frame::effort::{Effort, gained, low_enough};
use crate::stylize::frame::faces::Search;
use crate::stylize::frame::frame_optimizer::{FrameOptimizer, Painted, Ties};
use crate::stylize::frame::look::Look;
use crate::stylize::frame::optimizer::Preconditioner;
use crate::stylize::frame::scene::Scene;
use crate::stylize::temporal::chain::{Chain, HistoryFrame};
use crate::stylize::temporal::history::{Anchor, WarpedFrame, WarpedHistory};
use crate::stylize::temporal::pinned::{Pin, PinnedPixels};
use crate::stylize::tensor::{from_pixels, scalar};
use crate::stylize::{FrameStats, StyleError};

/// A shot that is painted in several passes.
pub struct Reworked<'a> {
    pub frame_optimizer: &'a FrameOptimizer,
    pub look: &'a Look,
    /// Its frame numbers in the store; each frame is followed by the next.
    pub line: &'a [usize],
    /// Whether the first frame follows the last one.
    pub ring: bool,
    /// Stats of its first frame in the first pass. Its J is the target for all frames: without it the paint would drift
    /// towards the style from pass to pass.
    pub first: FrameStats,
}

impl<'a> Reworked<'a> {
    /// Begins pass number `pass` (2 or higher); `last` marks the final one.
    ///
    /// # Errors
    /// If the disk fails, or what libtorch reports.
    pub fn begin(&'a self, store: &Store, pass: u32, last: bool) -> Result<Pass<'a>, StyleError> {
        let traversal = Traversal::new(self.line.len(), pass, self.ring);
        let mut pass = Pass { shot: self, traversal, chain: self.chain(), lock: None, last };
        if self.ring {
            // A ring has no beginning: the frames before the pass's first one lead up to it.
            let offsets = &self.frame_optimizer.settings().temporal.offsets;
            let longest = offsets.iter().copied().max().unwrap_or(1).max(1) as usize;
            for at in -(longest.min(self.line.len() - 1) as isize)..0 {
                pass.pass_by(store, at)?;
            }
        }
        Ok(pass)
    }

    fn chain(&self) -> Chain {
        Chain::new(&self.frame_optimizer.settings().temporal.offsets, self.rules())
    }

    /// The state that a frame passed on when it was painted last.
    fn carried(&self, store: &Store, frame: usize) -> Result<HistoryFrame, StyleError> {
        let device = self.frame_optimizer.device();
        let raw = from_pixels(&store.raw(frame)?, device)?;
        let content = self.look.content(&raw)?;
        let faces = self.frame_optimizer.faces(self.look, &raw, Search::Quick)?;
        match store.painted(frame, device)? {
            Some((painted, maturity)) => {
                Ok(HistoryFrame { maturity, ..HistoryFrame::first(painted, content, faces.as_ref())? })
            }
            None => HistoryFrame::first(content.shallow_clone(), content, faces.as_ref()),
        }
    }

    /// Returns the motion that warps the frame at position `from` of the order onto the grid of its neighbour at
    /// position `to`; `None` if there is no such neighbour.
    fn between(&self, store: &Store, traversal: Traversal, to: isize, from: isize) -> Result<Option<Step>, StyleError> {
        let (Some(to_place), Some(from_place)) = (traversal.frame(to), traversal.frame(from)) else { return Ok(None) };
        if to_place == from_place {
            return Ok(None);
        }
        let from_before = (from < to) == (traversal.direction() == Direction::Forward);
        if from_before {
            return store.step(self.line[to_place]);
        }
        // Reversed, and judged again: which pixels both frames show depends on the grid.
        let step = store.step(self.line[from_place])?;
        Ok(step.map(|Step { back, forth, .. }| Step::new(forth, back, &self.rules())))
    }

    fn rules(&self) -> Consistency {
        self.frame_optimizer.settings().temporal.consistency
    }
}

/// State of a pass in progress.
pub struct Pass<'a> {
    shot: &'a Reworked<'a>,
    traversal: Traversal,
    chain: Chain,
    /// Anchors of still pixels, as in the first pass; `None` before the first frame.
    lock: Option<PinnedPixels>,
    /// Whether this is the final pass.
    last: bool,
}

impl Pass<'_> {
    /// Repaints the frame at the next position, `at`. It starts from its picture of the previous pass, blended with its
    /// neighbour of this pass, and the temporal term binds it to that neighbour and those further back. On a ring the
    /// neighbour ahead, as the previous pass left it, joins in with the share that `turned` returns. (Elsewhere it
    /// would only reduce the freedom: measured, E_warp is no lower and J higher.) The first frame of a pass has no
    /// neighbour yet and stays unchanged (`None`); on a ring every frame has one.
    ///
    /// # Errors
    /// Returns what libtorch and the disk report, `NotFinite` or `Cancelled`.
    pub fn next(&mut self, store: &mut Store, at: usize) -> Result<Option<(usize, FrameStats)>, StyleError> {
        let (shot, at) = (self.shot, at as isize);
        let Some(place) = self.traversal.frame(at) else { return Ok(None) };
        let (frame, frame_optimizer) = (shot.line[place], shot.frame_optimizer);
        let Some(step) = shot.between(store, self.traversal, at, at - 1)? else {
            self.chain = shot.chain();
            self.pass_by(store, at)?;
            return Ok(None);
        };
        let HistoryFrame { painted: own, content, faces, maturity } = shot.carried(store, frame)?;
        self.chain.step(&step, &content)?;
        let earlier = self.chain.earlier(frame_optimizer.settings().temporal.reach(), &content)?;
        let ahead = self.ahead(store, at, &content)?;
        let share = if ahead.is_some() { self.turned(at) } else { 0.0 };
        let near = [(&earlier.known, 1.0 - share), (&ahead, share)];
        let near = near.into_iter().filter_map(|(brought, share)| Some((brought.as_ref()?, share))).collect::<Vec<_>>();

        let (start, mature) = mixed(&own, &maturity, &near)?;
        let anchors = self.anchors(&earlier, &near)?;
        let strength = frame_optimizer.settings().temporal.lock();
        let held = match (&self.lock, &earlier.known) {
            (Some(lock), Some(before)) if strength > 0.0 => {
                Some(lock.hold(&content, &self.chain.resting(), &before.maturity, strength)?)
            }
            _ => None,
        };
        let iterations = frame_optimizer.settings().optimizer.iterations[1];
        let fresh = 1.0 - scalar(&mature.f_mean(mature.kind())?)?;
        let share = held.as_ref().map(Pin::share).transpose()?.unwrap_or(0.0);
        let effort = Effort::of_later(iterations, fresh, share, low_enough(&shot.first), Preconditioner::Picture);
        let ties = Ties { anchors: &anchors, held: held.as_ref(), curvature: None };
        let faces = frame_optimizer.looks_for_faces().then_some(faces);
        // Nothing is new: the previous pass has painted it.
        let scene = Scene { content, faces, is_painted: true, moving: None };
        let Painted { image, stats, .. } = frame_optimizer.paint(shot.look, &scene, &start, ties, effort)?;
        let content = &scene.content;
        if let (Some(lock), Some(held)) = (&mut self.lock, &held) {
            lock.renew(held, &image, content)?;
        }
        let maturity = mature.f_add_scalar(gained(stats.iterations, &shot.first))?.f_clamp(0.0, 1.0)?;
        store.paint(frame, &image, &maturity, stats)?;
        let carried = HistoryFrame::first(image, scene.content, scene.faces.as_ref())?;
        self.chain.remember(HistoryFrame { maturity, ..carried })?;
        Ok(Some((frame, stats)))
    }

    /// Adds the frame at position `at` to the chain without repainting it.
    fn pass_by(&mut self, store: &Store, at: isize) -> Result<(), StyleError> {
        let Some(place) = self.traversal.frame(at) else { return Ok(()) };
        let carried = self.shot.carried(store, self.shot.line[place])?;
        if self.chain.last().is_some()
            && let Some(step) = self.shot.between(store, self.traversal, at, at - 1)?
        {
            self.chain.step(&step, &carried.content)?;
        }
        self.lock = Some(PinnedPixels::new(&carried.painted, &carried.content)?);
        self.chain.remember(carried)?;
        Ok(())
    }

    /// On a ring: the frame after position `at`, warped onto the grid of the frame at `at`.
    fn ahead(&self, store: &Store, at: isize, content: &Tensor) -> Result<Option<WarpedFrame>, StyleError> {
        let place = self.traversal.frame(at + 1).filter(|_| self.shot.ring);
        let Some((place, step)) = place.zip(self.shot.between(store, self.traversal, at, at + 1)?) else {
            return Ok(None);
        };
        let mut chain = Chain::new(&[1], self.shot.rules());
        chain.remember(self.shot.carried(store, self.shot.line[place])?)?;
        chain.step(&step, content)?;
        Ok(chain.earlier(&[1], content)?.known)
    }

    /// On a ring, the share of the neighbour ahead (as the previous pass left it) in the weights; the neighbour of this
    /// pass has the rest. The share is 1/(left + 1), where `left` frames of the pass remain, this one included. What
    /// the pass carries around the ring does not fit its beginning. With this share the misfit shrinks by the same
    /// amount in every frame and vanishes at the end (each frame keeps left / (left + 1) of it), instead of leaving one
    /// seam. The final pass binds each frame to both neighbours equally, which smooths the remainder.
    fn turned(&self, at: isize) -> f64 {
        if self.last { 0.5 } else { 1.0 / (self.shot.line.len() as isize - at + 1) as f64 }
    }

    /// The targets of the temporal term: the earlier frames and, from `near`, the frame ahead, each weighted by its
    /// share.
    fn anchors(&self, earlier: &WarpedHistory, near: &[(&WarpedFrame, f64)]) -> Result<Vec<Anchor>, StyleError> {
        let temporal = &self.shot.frame_optimizer.settings().temporal;
        let mut anchors = earlier.anchors(temporal.reach())?;
        if let [(_, before), (ahead, share)] = near {
            for anchor in &mut anchors {
                anchor.weights = anchor.weights.f_mul_scalar(*before)?;
            }
            let weights = ahead.weights.f_mul(&ahead.maturity)?.f_mul_scalar(*share)?;
            anchors.push(Anchor { warped: ahead.painted.shallow_clone(), weights });
        }
        Ok(anchors)
    }
}

/// Blends a picture with its neighbours, and its maturity in the same way. Two equally mature pictures give half each,
/// as in the paper; otherwise the more mature one gives more, since the chain paints uncovered areas bit by bit.
fn mixed(own: &Tensor, maturity: &Tensor, near: &[(&WarpedFrame, f64)]) -> Result<(Tensor, Tensor), StyleError> {
    let (mut pictures, mut maturities) = (Vec::new(), Vec::new());
    for (brought, share) in near {
        let both = brought.maturity.f_add(maturity)?.f_clamp_min(1e-6)?;
        let part = brought.maturity.f_div(&both)?.f_mul_scalar(2.0 * share)?;
        let weights = brought.weights.f_mul(&part)?;
        pictures.push(Anchor { warped: brought.painted.shallow_clone(), weights: weights.shallow_clone() });
        maturities.push(Anchor { warped: brought.maturity.shallow_clone(), weights });
    }
    Ok((blend(own, &pictures)?, blend(maturity, &maturities)?))
}
