//! Keeps still pixels unchanged: they are copied instead of resampled, and held to the first painted version.
//!
//! Otherwise a still background slowly darkens, blurs or gains contrast over hundreds of frames, because every frame
//! starts from the previous one and is optimised again.

use tch::{Device, Tensor};

use super::history::WarpedFrame;
use super::photometric::{GRAIN, alike, change_of_light};
use crate::motion::FlowField;
use crate::stylize::tensor::{blurred, from_planes};
use crate::stylize::{Snapshot, StyleError};

/// In pixels of the optimised frame: pixels that moved less than this since they were last warped are copied.
const REST: f32 = 0.1;
/// Decay factor per frame of a pending displacement: noise in the flow must not add up to motion.
const FORGET: f32 = 0.98;

/// Pending displacements that are too small to follow at once.
#[derive(Debug, Default)]
pub struct SubpixelRest {
    /// Displacement since each pixel was last warped, `height * width` values.
    pending: Vec<[f32; 2]>,
}

impl SubpixelRest {
    /// Sets vectors to 0 whose displacement, including earlier suppressed vectors, is below `REST`; others are
    /// extended by the suppressed displacement. A slow pan is thus followed in small steps, and noise not at all.
    pub fn settle(&mut self, back: &mut FlowField) {
        self.pending.resize(back.vectors.len(), [0.0; 2]);
        for (vector, pending) in back.vectors.iter_mut().zip(&mut self.pending) {
            let due = [vector[0] + pending[0], vector[1] + pending[1]];
            // A comparison with an unknown vector (NaN) is false, so the vector stays unknown.
            if due[0].hypot(due[1]) < REST {
                *vector = [0.0; 2];
                *pending = due.map(|d| FORGET * d);
            } else if due[0].is_finite() && due[1].is_finite() {
                *vector = due;
                *pending = [0.0; 2];
            }
        }
    }
}

impl SubpixelRest {
    /// Floats a pixel in a snapshot.
    pub(in crate::stylize) const FLOATS: u64 = 2;

    pub(in crate::stylize) fn keep(&self, snapshot: &mut Snapshot) {
        snapshot.put_floats("rest".into(), self.pending.as_flattened().to_vec());
    }

    pub(in crate::stylize) fn restored(snapshot: &Snapshot) -> Result<Self, StyleError> {
        Ok(Self { pending: snapshot.floats("rest")?.as_chunks::<2>().0.to_vec() })
    }
}

/// Returns `painted` `[1,3,H,W]` with its local mean colour restored to that of `brought`, the warped previous frame,
/// as far as that is reliable and mature. A fully held sample stays unchanged, to the bit.
///
/// The descent of each frame moves its start a little further, and always in the same direction: without this
/// correction the picture gets lighter or darker from frame to frame.
///
/// # Errors
/// Returns what libtorch reports.
pub fn levelled(painted: &Tensor, brought: &WarpedFrame, held: Option<&Pin>) -> Result<Tensor, StyleError> {
    let known = brought.weights.f_mul(&brought.maturity)?;
    let mut levelled = painted.shallow_clone();
    // After one pass the local mean of the remaining shift is not 0, and it adds up from frame to frame.
    for _ in 0..PASSES {
        let mut shift = change_of_light(&levelled, &brought.painted, &known)?.f_mul(&known)?;
        if let Some(held) = held {
            shift = shift.f_mul(&held.weights.f_neg()?.f_add_scalar(1.0)?)?;
        }
        levelled = levelled.f_sub(&shift)?.f_clamp(0.0, 1.0)?;
    }
    Ok(levelled)
}

/// Number of times that the shift is removed.
const PASSES: usize = 2;

/// Smoothed contents (0..=1) that differ from the anchor's by more than this show something else.
const OTHER: f64 = 0.06;
/// Anchors: for each pixel, the painted sample to which it is held while it rests, and its content.
#[derive(Debug)]
pub struct PinnedPixels {
    /// `[1,3,H,W]`: each pixel as it was when it came to rest.
    painted: Tensor,
    content: Tensor,
}

/// A target picture, and how strongly each pixel of another picture is held to it.
#[derive(Debug)]
pub struct Pin {
    /// `[1,3,H,W]`.
    pub picture: Tensor,
    /// `[1,1,H,W]`, 0 (free) to 1 (fixed to the target picture).
    pub weights: Tensor,
    /// The same with hard edges: 1 where the pixel keeps its anchor.
    kept: Tensor,
}

impl Pin {
    /// Returns x + s (picture - x): differentiable in x, and exactly the target's sample where s is 1.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor, StyleError> {
        let mixed = x.f_add(&self.picture.f_sub(x)?.f_mul(&self.weights)?)?;
        Ok(self.picture.f_where_self(&self.weights.f_ge(1.0)?, &mixed)?)
    }

    /// Returns the share of the frame that is held, 0..=1.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn share(&self) -> Result<f64, StyleError> {
        crate::stylize::tensor::scalar(&self.weights.f_mean(self.weights.kind())?)
    }
}

impl PinnedPixels {
    /// Creates the anchors from a shot's first frame: every pixel is held to it until it moves.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(painted: &Tensor, content: &Tensor) -> Result<Self, StyleError> {
        Ok(Self { painted: painted.f_contiguous()?, content: content.f_contiguous()? })
    }

    /// Returns the target for a frame with this `content`. `resting` is `height * width`, 1 where a pixel rests;
    /// `strength` is 0..=1; `mature` is the maturity, `[1,1,H,W]`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn hold(&self, content: &Tensor, resting: &[f32], mature: &Tensor, strength: f64) -> Result<Pin, StyleError> {
        let (_, _, h, w) = content.size4()?;
        let resting = from_planes(resting, 1, h, w, content.device())?;
        let kept = resting.f_mul(&alike(content, &self.content, OTHER)?)?;
        let kept = kept.f_mul(&mature.f_ge(0.999)?.f_to_kind(content.kind())?)?;
        // Softer towards moving parts but never beyond them; outside the frame there is nothing to average.
        let around = blurred(&kept, GRAIN)?.f_div(&blurred(&kept.f_ones_like()?, GRAIN)?)?;
        let weights = around.f_mul_scalar(2.0)?.f_sub_scalar(0.998)?.f_clamp(0.0, 1.0)?.f_mul_scalar(strength)?;
        let light = change_of_light(content, &self.content, &kept)?;
        Ok(Pin { picture: self.painted.f_add(&light)?.f_clamp(0.0, 1.0)?, weights: weights.f_mul(&kept)?, kept })
    }

    /// Updates the anchors after a frame: pixels that did not keep their anchor are held to this frame from now on.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn renew(&mut self, held: &Pin, painted: &Tensor, content: &Tensor) -> Result<(), StyleError> {
        let kept = held.kept.f_gt(0.5)?;
        self.painted = self.painted.f_where_self(&kept, painted)?.f_contiguous()?;
        self.content = self.content.f_where_self(&kept, content)?.f_contiguous()?;
        Ok(())
    }

    /// Floats a pixel in a snapshot: two pictures.
    pub(in crate::stylize) const FLOATS: u64 = 6;

    pub(in crate::stylize) fn keep(&self, snapshot: &mut Snapshot) {
        snapshot.put("lock.painted".into(), &self.painted);
        snapshot.put("lock.content".into(), &self.content);
    }

    /// Restores the anchors, of height `h` and width `w`.
    pub(in crate::stylize) fn restored(
        snapshot: &Snapshot,
        (h, w): (i64, i64),
        device: Device,
    ) -> Result<Self, StyleError> {
        let picture = |name| snapshot.picture(name, (3, h, w), device);
        Ok(Self { painted: picture("lock.painted")?, content: picture("lock.content")? })
    }
}
