//! Earlier frames, warped onto the grid of a new one: what the new frame starts from and what the temporal term
//! compares it with.

use tch::Tensor;

use crate::stylize::StyleError;

/// A painted earlier frame, warped onto the grid of a new one.
#[derive(Debug)]
pub struct WarpedFrame {
    /// `[1,3,H,W]`: warped along the motion and adjusted to the scene's change of light since then.
    pub painted: Tensor,
    /// `[1,3,H,W]`: the strokes, that is the painted frame minus its content, warped.
    pub strokes: Tensor,
    /// `[1,1,H,W]`, 0..=1: where the earlier frame shows the same object.
    pub seen: Tensor,
    /// `[1,1,H,W]`, 0..=1, at least `seen`: where it shows the same texture, if not the same object. Its paint fits
    /// there.
    pub alike: Tensor,
    /// `[1,1,H,W]`, 0..=1: how reliably it shows exactly the same; weights of the temporal term.
    pub weights: Tensor,
    /// `[1,2,H,W]`: the motion, in pixels.
    pub motion: Tensor,
    /// `[1,1,H,W]`, 0..=1: the earlier frame's maturity, 0 where nothing was seen.
    pub maturity: Tensor,
    /// `[1,1,H,W]`, 0..=1: how much of a face the earlier frame showed.
    pub faces: Tensor,
}

impl WarpedFrame {
    /// A copy that shares the tensors.
    fn same(&self) -> Self {
        Self {
            painted: self.painted.shallow_clone(),
            strokes: self.strokes.shallow_clone(),
            seen: self.seen.shallow_clone(),
            alike: self.alike.shallow_clone(),
            weights: self.weights.shallow_clone(),
            motion: self.motion.shallow_clone(),
            maturity: self.maturity.shallow_clone(),
            faces: self.faces.shallow_clone(),
        }
    }

    /// Returns this frame with its unseen parts filled from `further`.
    fn or(&self, further: &Self) -> Result<Self, StyleError> {
        let share = self.seen.f_neg()?.f_add_scalar(1.0)?.f_mul(&further.seen)?;
        let mix = |near: &Tensor, far: &Tensor| -> Result<Tensor, StyleError> {
            let mixed = near.f_add(&far.f_sub(near)?.f_mul(&share)?)?;
            Ok(near.f_where_self(&share.f_le(0.0)?, &mixed)?)
        };
        Ok(Self {
            painted: mix(&self.painted, &further.painted)?,
            strokes: mix(&self.strokes, &further.strokes)?,
            maturity: mix(&self.maturity, &further.maturity)?,
            faces: mix(&self.faces, &further.faces)?,
            seen: self.seen.f_add(&share)?,
            alike: mix(&self.alike, &further.alike)?,
            ..self.same()
        })
    }
}

/// A target of the temporal term: an earlier painted frame, warped onto the grid of a new one.
#[derive(Debug)]
pub struct Anchor {
    /// `[1,3,H,W]`.
    pub warped: Tensor,
    /// c, `[1,1,H,W]`, 0..=1: how strongly each pixel is tied to the anchor.
    pub weights: Tensor,
}

impl Anchor {
    /// Returns the same anchor; the tensors are shared.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { warped: self.warped.shallow_clone(), weights: self.weights.shallow_clone() }
    }
}

/// One warped earlier frame and its distance in time.
#[derive(Debug)]
pub struct OneEarlier {
    /// How many frames before the new one.
    pub offset: usize,
    /// Whether the motion to it was estimated directly, not composed of steps.
    pub direct: bool,
    pub brought: WarpedFrame,
}

/// All usable earlier frames, warped onto the grid of a new one.
#[derive(Debug)]
pub struct WarpedHistory {
    /// Nearest first.
    frames: Vec<OneEarlier>,
    /// The new frame's best-known past: the previous frame and, where an object was hidden in it, frames further back
    /// that saw the object and have direct motion. `None` if no motion leads to the previous frame.
    pub known: Option<WarpedFrame>,
}

impl WarpedHistory {
    /// Combines `frames`, nearest first.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(frames: Vec<OneEarlier>) -> Result<Self, StyleError> {
        let mut known: Option<WarpedFrame> = None;
        for OneEarlier { offset, direct, brought } in &frames {
            known = match known {
                None if *offset == 1 => Some(brought.same()),
                Some(nearer) if *direct => Some(nearer.or(brought)?),
                known => known,
            };
        }
        Ok(Self { frames, known })
    }

    /// Returns the targets of the temporal term: the earlier painted frames at `offsets`, nearest first. A pixel that a
    /// nearer frame binds is bound that much less by those further back, c_j <- max(c_j - sum of the nearer c, 0), and
    /// each weight is multiplied by the pixel's maturity.
    ///
    /// A path through a frame in which the pixel was hidden is invalid, so composed motion binds next to nothing that
    /// nearer frames do not bind. Only direct motion can recognise an object that was hidden in between.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn anchors(&self, offsets: &[u32]) -> Result<Vec<Anchor>, StyleError> {
        let wanted = self.frames.iter().filter(|frame| offsets.iter().any(|&offset| offset as usize == frame.offset));
        let mut held: Option<Tensor> = None;
        let mut anchors = Vec::new();
        for OneEarlier { brought, .. } in wanted {
            let left = match &held {
                Some(held) => brought.weights.f_sub(held)?.f_clamp_min(0.0)?,
                None => brought.weights.shallow_clone(),
            };
            held = Some(held.map_or_else(|| Ok(brought.weights.shallow_clone()), |held| held.f_add(&brought.weights))?);
            anchors.push(Anchor { warped: brought.painted.shallow_clone(), weights: left.f_mul(&brought.maturity)? });
        }
        Ok(anchors)
    }
}
