//! Earlier frames on the grid of a new one: what it starts from and what it is held to.

use tch::Tensor;

use super::StyleError;
use super::loss::Anchor;

/// An earlier painted frame on the grid of a new one.
#[derive(Debug)]
pub struct Brought {
    /// `[1,3,H,W]`: carried along the motion, and lighter or darker by what the scene has become since.
    pub painted: Tensor,
    /// `[1,3,H,W]`: painted less content, carried: the strokes.
    pub strokes: Tensor,
    /// `[1,1,H,W]`, 0..=1: where the earlier frame shows the same thing.
    pub seen: Tensor,
    /// `[1,1,H,W]`, 0..=1, at least `seen`: where it shows the same texture, if not the same thing. Its paint fits there.
    pub alike: Tensor,
    /// `[1,1,H,W]`, 0..=1: where it does exactly.
    pub weights: Tensor,
    /// `[1,2,H,W]`: the motion, in pixels.
    pub motion: Tensor,
    /// `[1,1,H,W]`, 0..=1: of the earlier frame, 0 where nothing was seen.
    pub maturity: Tensor,
    /// `[1,1,H,W]`, 0..=1: how much of a face the earlier frame showed there.
    pub faces: Tensor,
}

impl Brought {
    /// The same tensors.
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

    /// This, and where it saw nothing, `further`.
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

/// One of them.
#[derive(Debug)]
pub struct OneEarlier {
    /// How many frames before the new one.
    pub offset: usize,
    /// Whether motion leads to it without a stop.
    pub direct: bool,
    pub brought: Brought,
}

/// Earlier frames on the grid of a new one.
#[derive(Debug)]
pub struct Earlier {
    /// Nearest first.
    frames: Vec<OneEarlier>,
    /// What is known of the new frame from the one before and, where that one did not see a thing, from those further
    /// back (of direct motion) that did, before it was hidden. `None` where nothing leads to the frame before.
    pub known: Option<Brought>,
}

impl Earlier {
    /// Of `frames`, nearest first.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(frames: Vec<OneEarlier>) -> Result<Self, StyleError> {
        let mut known: Option<Brought> = None;
        for OneEarlier { offset, direct, brought } in &frames {
            known = match known {
                None if *offset == 1 => Some(brought.same()),
                Some(nearer) if *direct => Some(nearer.or(brought)?),
                known => known,
            };
        }
        Ok(Self { frames, known })
    }

    /// What the temporal term holds the new frame to: the earlier painted frames at `offsets`, nearest first. A pixel
    /// that a nearer one holds is held that much less by those further back, c_j <- max(c_j - sum of the nearer c, 0),
    /// and as much as it is mature.
    ///
    /// A way through a frame in which the pixel was hidden is none, so that composed motion holds next to nothing that
    /// nearer frames do not hold: to know a thing again that was hidden, motion must be direct.
    ///
    /// # Errors
    /// What libtorch reports.
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
