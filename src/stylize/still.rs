//! What stands still stays as it is: copied instead of resampled, and held to where it was first painted.
//!
//! Without this a still background slowly darkens, blurs or gains contrast over hundreds of frames, for every frame
//! starts from the one before and is pulled again.

use tch::{Device, Tensor};

use super::chain::change_of_light;
use super::earlier::Brought;
use super::tensor::{blurred, from_planes};
use super::{Snapshot, StyleError};
use crate::motion::FlowField;

/// In pixels of the optimised frame: what has moved less since it was last carried is copied.
const REST: f32 = 0.1;
/// What a displacement loses from frame to frame while it rests: noise in the flow must not add up to a motion.
const FORGET: f32 = 0.98;

/// Displacements too small to follow at once.
#[derive(Debug, Default)]
pub struct Rest {
    /// Since each pixel was last carried, `height * width`.
    pending: Vec<[f32; 2]>,
}

impl Rest {
    /// Makes vectors 0 that lead less than [`REST`] away, those before them that were made 0 counted in; others take with
    /// them what was pending. A slow pan is followed in small steps, and noise not at all.
    pub fn settle(&mut self, back: &mut FlowField) {
        self.pending.resize(back.vectors.len(), [0.0; 2]);
        for (vector, pending) in back.vectors.iter_mut().zip(&mut self.pending) {
            let due = [vector[0] + pending[0], vector[1] + pending[1]];
            // An unknown vector compares false and stays unknown.
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

impl Rest {
    pub(super) fn keep(&self, snapshot: &mut Snapshot) {
        snapshot.put_floats("rest".into(), self.pending.as_flattened().to_vec());
    }

    pub(super) fn restored(snapshot: &Snapshot) -> Result<Self, StyleError> {
        Ok(Self { pending: snapshot.floats("rest")?.as_chunks::<2>().0.to_vec() })
    }
}

/// `painted` `[1,3,H,W]` at the level that it had as far as it is `brought` from the frame before: as light and as colourful,
/// over some pixels. A sample that is wholly held stays as it is, to the bit.
///
/// The descent of each frame moves what it goes on with a little further, and always the same way: without this the picture
/// gets lighter or darker from frame to frame.
///
/// # Errors
/// What libtorch reports.
pub fn levelled(painted: &Tensor, brought: &Brought, held: Option<&Held>) -> Result<Tensor, StyleError> {
    let known = brought.weights.f_mul(&brought.maturity)?;
    let mut levelled = painted.shallow_clone();
    // The mean over some pixels of what a first pass leaves is not 0, and adds up from frame to frame.
    for _ in 0..PASSES {
        let mut shift = change_of_light(&levelled, &brought.painted, &known)?.f_mul(&known)?;
        if let Some(held) = held {
            shift = shift.f_mul(&held.weights.f_neg()?.f_add_scalar(1.0)?)?;
        }
        levelled = levelled.f_sub(&shift)?.f_clamp(0.0, 1.0)?;
    }
    Ok(levelled)
}

/// How often the level is taken back.
const PASSES: usize = 2;

/// Smoothed content (0..=1) that differs more from the anchor's shows another thing.
const OTHER: f64 = 0.06;
/// Standard deviation in pixels of that smoothing: noise is no difference.
const GRAIN: f64 = 2.0;

/// `[1,1,H,W]`, 1 where two contents `[1,3,H,W]` on one grid differ, smoothed, by less than
/// `tolerance`, else 0.
///
/// # Errors
/// What libtorch reports.
pub fn alike(one: &Tensor, other: &Tensor, tolerance: f64) -> Result<Tensor, StyleError> {
    let difference = blurred(&one.f_sub(other)?, GRAIN)?.f_abs()?.f_amax([1], true)?;
    Ok(difference.f_lt(tolerance)?.f_to_kind(one.kind())?)
}

/// Where pixels rest, the frame that they are held to.
#[derive(Debug)]
pub struct Lock {
    /// `[1,3,H,W]`: each pixel as it was when it came to rest.
    painted: Tensor,
    content: Tensor,
}

/// A picture and how strongly each pixel of another one is held to it.
#[derive(Debug)]
pub struct Held {
    /// `[1,3,H,W]`.
    pub picture: Tensor,
    /// `[1,1,H,W]`, 0 (free) to 1 (the picture's own).
    pub weights: Tensor,
    /// The same with sharp edges: 1 where the pixel's anchor stays what it is.
    kept: Tensor,
}

impl Held {
    /// x + s (picture - x): differentiable in x, and the picture's own sample to the bit where s is 1.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn apply(&self, x: &Tensor) -> Result<Tensor, StyleError> {
        let mixed = x.f_add(&self.picture.f_sub(x)?.f_mul(&self.weights)?)?;
        Ok(self.picture.f_where_self(&self.weights.f_ge(1.0)?, &mixed)?)
    }

    /// Share of the frame that is held, 0..=1.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn share(&self) -> Result<f64, StyleError> {
        super::tensor::scalar(&self.weights.f_mean(self.weights.kind())?)
    }
}

impl Lock {
    /// A shot's first frame: everything is held to it until it moves.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(painted: &Tensor, content: &Tensor) -> Result<Self, StyleError> {
        Ok(Self { painted: painted.f_contiguous()?, content: content.f_contiguous()? })
    }

    /// What a frame with this `content` is held to. `resting` is `height * width`, 1 where a pixel rests; `strength`
    /// 0..=1; `mature` `[1,1,H,W]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn hold(&self, content: &Tensor, resting: &[f32], mature: &Tensor, strength: f64) -> Result<Held, StyleError> {
        let (_, _, h, w) = content.size4()?;
        let resting = from_planes(resting, 1, h, w, content.device())?;
        let kept = resting.f_mul(&alike(content, &self.content, OTHER)?)?;
        let kept = kept.f_mul(&mature.f_ge(0.999)?.f_to_kind(content.kind())?)?;
        // Softer towards what moves, never beyond it; at the frame's edge there is nothing beyond.
        let around = blurred(&kept, GRAIN)?.f_div(&blurred(&kept.f_ones_like()?, GRAIN)?)?;
        let weights = around.f_mul_scalar(2.0)?.f_sub_scalar(0.998)?.f_clamp(0.0, 1.0)?.f_mul_scalar(strength)?;
        let light = change_of_light(content, &self.content, &kept)?;
        Ok(Held { picture: self.painted.f_add(&light)?.f_clamp(0.0, 1.0)?, weights: weights.f_mul(&kept)?, kept })
    }

    /// After a frame: what was not at rest in it is held to it from now on.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn renew(&mut self, held: &Held, painted: &Tensor, content: &Tensor) -> Result<(), StyleError> {
        let kept = held.kept.f_gt(0.5)?;
        self.painted = self.painted.f_where_self(&kept, painted)?.f_contiguous()?;
        self.content = self.content.f_where_self(&kept, content)?.f_contiguous()?;
        Ok(())
    }

    pub(super) fn keep(&self, snapshot: &mut Snapshot) {
        snapshot.put("lock.painted".into(), &self.painted);
        snapshot.put("lock.content".into(), &self.content);
    }

    /// Of height `h` and width `w`.
    pub(super) fn restored(snapshot: &Snapshot, (h, w): (i64, i64), device: Device) -> Result<Self, StyleError> {
        let picture = |name| snapshot.picture(name, (3, h, w), device);
        Ok(Self { painted: picture("lock.painted")?, content: picture("lock.content")? })
    }
}
