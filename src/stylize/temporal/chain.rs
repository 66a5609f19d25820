//! The painted frames that a shot remembers, and how they are carried to the next frame.

use std::borrow::Cow;
use std::collections::VecDeque;

use tch::{Device, Tensor};

use super::belief::{belief, texture};
use super::global_motion::follow;
use super::history::{OneEarlier, WarpedFrame, WarpedHistory};
use super::photometric::change_of_light;
use super::pinned::SubpixelRest;
use crate::motion::{Consistency, FlowField, Reliability, Step, Trail};
use crate::stylize::tensor::{from_planes, to_planes};
use crate::stylize::{Snapshot, StyleError};

/// The state that a frame passes on to later frames, in the optimised size and as floats, so that nothing is rounded to
/// 8 bits between frames.
#[derive(Debug)]
pub struct HistoryFrame {
    /// `[1,3,H,W]`.
    pub painted: Tensor,
    /// `[1,3,H,W]`, as the objective saw it (colours already matched).
    pub content: Tensor,
    /// `[1,1,H,W]`, 0..=1: how much of a face each pixel showed.
    pub faces: Tensor,
    /// `[1,1,H,W]`, 0 (just come into view) to 1 (painted long enough to bind later frames).
    pub maturity: Tensor,
}

impl HistoryFrame {
    /// State of a fully painted frame, as a shot's first one is. `faces`: `[1,1,H,W]`, `None` if there are no faces.
    pub fn first(painted: Tensor, content: Tensor, faces: Option<&Tensor>) -> Result<Self, StyleError> {
        let maturity = painted.f_narrow(1, 0, 1)?.f_ones_like()?;
        let faces = faces.map_or_else(|| maturity.f_zeros_like(), |faces| Ok(faces.shallow_clone()))?;
        Ok(Self { painted, content, faces, maturity })
    }
}

/// The painted frames of a shot and the motion between them.
#[derive(Debug)]
pub struct Chain {
    /// Newest first.
    past: VecDeque<HistoryFrame>,
    trail: Trail,
    /// Directly estimated motion to frames further back, by offset, nearest first.
    far: Vec<(usize, Step)>,
    rest: SubpixelRest,
    rules: Consistency,
    longest: usize,
}

impl Chain {
    /// Creates a chain that remembers as many frames as the longest of `offsets`, at least the last one.
    pub fn new(offsets: &[u32], rules: Consistency) -> Self {
        let longest = Self::longest(offsets);
        Self {
            past: VecDeque::new(),
            trail: Trail::new(longest),
            far: Vec::new(),
            rest: SubpixelRest::default(),
            rules,
            longest,
        }
    }

    /// Returns the number of frames that a chain for `offsets` remembers.
    pub(in crate::stylize) fn longest(offsets: &[u32]) -> usize {
        offsets.iter().copied().max().unwrap_or(1).max(1) as usize
    }

    /// The previous frame.
    pub fn last(&self) -> Option<&HistoryFrame> {
        self.past.front()
    }

    /// Adds a painted frame. The earlier ones move to host memory, where they are also warped: forty large frames would
    /// fill a good part of a GPU's memory.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn remember(&mut self, carried: HistoryFrame) -> Result<(), StyleError> {
        if let Some(before) = self.past.front_mut() {
            for tensor in [&mut before.painted, &mut before.content, &mut before.faces, &mut before.maturity] {
                *tensor = tensor.f_to_device(Device::Cpu)?;
            }
        }
        // Contiguous, as after a restore from a snapshot: sums over another memory layout may run in another order.
        let HistoryFrame { painted, content, faces, maturity } = carried;
        self.past.push_front(HistoryFrame {
            painted: painted.f_contiguous()?,
            content: content.f_contiguous()?,
            faces: faces.f_contiguous()?,
            maturity: maturity.f_contiguous()?,
        });
        self.past.truncate(self.longest);
        Ok(())
    }

    /// Adds the motion step to the frame that is painted next, whose content is `content` `[1,3,H,W]`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn step(&mut self, step: &Step, content: &Tensor) -> Result<(), StyleError> {
        let (_, _, h, w) = content.size4()?;
        let mut step = step.resized(w as usize, h as usize, &self.rules);
        if let Some(before) = self.past.front() {
            follow(&mut step, content, &before.content.f_to_device(content.device())?)?;
        }
        self.rest.settle(&mut step.back);
        self.trail.push(step);
        self.far.clear();
        Ok(())
    }

    /// Adds direct motion from the new frame to earlier ones; call it after [`Chain::step`].
    pub fn look_back(&mut self, far: &[(usize, Step)], width: usize, height: usize) {
        self.far = far.iter().map(|(offset, step)| (*offset, step.resized(width, height, &self.rules))).collect();
        self.far.sort_by_key(|(offset, _)| *offset);
    }

    /// For the latest step: 1 where a pixel is seen and does not move, else 0; `height * width` values.
    pub fn resting(&self) -> Vec<f32> {
        self.trail.last().map_or_else(Vec::new, |step| {
            let weights = step.reliability.seen.iter();
            weights.zip(&step.back.vectors).map(|(&c, &w)| if c > 0.5 && w == [0.0; 2] { 1.0 } else { 0.0 }).collect()
        })
    }

    /// Warps the painted frame `offset` frames before the new one onto the new frame's grid; `content` `[1,3,H,W]` is
    /// the new frame's content. `None` if the shot does not reach that far back.
    fn bring(&self, step: &Step, offset: usize, content: &Tensor) -> Result<Option<WarpedFrame>, StyleError> {
        let Some(earlier) = self.past.get(offset.wrapping_sub(1)) else { return Ok(None) };
        let device = content.device();
        let (_, _, h, w) = content.size4()?;
        let planes = Tensor::f_cat(&[&earlier.painted, &earlier.content, &earlier.maturity, &earlier.faces], 1)?;
        let carried = from_planes(&step.back.carry(&to_planes(&planes)?), 8, h, w, device)?;
        let painted = carried.f_narrow(1, 0, 3)?.f_clamp(0.0, 1.0)?;
        let before = carried.f_narrow(1, 3, 3)?.f_clamp(0.0, 1.0)?;
        let seen = from_planes(&step.reliability.seen, 1, h, w, device)?;
        let light = change_of_light(content, &before, &seen)?;
        // Flow reaches beyond the outline of a moving object and still passes the forward-backward check there. The
        // pixels that it fetches do not match, so the residual decides.
        let now = before.f_add(&light)?;
        let belief = belief(content, &content.f_where_self(&seen.f_le(0.0)?, &now)?, &seen)?;
        // Maturity is all or nothing: slight doubt from noise must not reduce it.
        let maturity = carried.f_narrow(1, 6, 1)?.f_clamp(0.0, 1.0)?.f_mul(&seen)?;
        let maturity = maturity.f_mul(&belief.f_ge(0.5)?.f_to_kind(belief.kind())?)?;
        let seen = seen.f_mul(&belief)?;
        let alike = texture(content, &now, &seen)?;
        let faces = carried.f_narrow(1, 7, 1)?.f_clamp(0.0, 1.0)?.f_mul(&seen)?;
        Ok(Some(WarpedFrame {
            strokes: painted.f_sub(&before)?,
            painted: painted.f_add(&light)?.f_clamp(0.0, 1.0)?,
            maturity,
            faces,
            alike,
            motion: motion(step, device)?,
            weights: from_planes(&step.reliability.weights, 1, h, w, device)?.f_mul(&belief)?,
            seen,
        }))
    }

    /// Warps the frames of this shot at `offsets` before the new one, and all frames that direct motion leads to, onto
    /// the grid of the new frame, whose content is `content` `[1,3,H,W]`. Motion to frames further back is direct where
    /// it was estimated, composed otherwise.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn earlier(&self, offsets: &[u32], content: &Tensor) -> Result<WarpedHistory, StyleError> {
        let far = self.far.iter().map(|(offset, _)| *offset);
        let mut all: Vec<usize> = offsets.iter().map(|&offset| offset as usize).chain(far).chain([1]).collect();
        all.sort_unstable();
        all.dedup();
        let mut earlier = Vec::new();
        for offset in all {
            let direct = self.far.iter().find(|(far, _)| *far == offset).map(|(_, step)| Cow::Borrowed(step));
            let known = offset == 1 || direct.is_some();
            let Some(step) = direct.or_else(|| self.trail.to(offset, &self.rules).map(Cow::Owned)) else { continue };
            if let Some(brought) = self.bring(&step, offset, content)? {
                earlier.push(OneEarlier { offset, direct: known, brought });
            }
        }
        WarpedHistory::new(earlier)
    }
}

/// The planes of a remembered frame in a snapshot, and their channels.
const CARRIED: [(&str, i64); 4] = [("painted", 3), ("content", 3), ("faces", 1), ("maturity", 1)];
/// The planes of a remembered step, and their channels.
const STEP: [(&str, i64); 4] = [("back", 2), ("forth", 2), ("weights", 1), ("seen", 1)];

/// Returns the floats a pixel that [`Chain::keep`] stores for this many remembered frames and steps.
pub(in crate::stylize) fn kept_floats(frames: u64, steps: u64) -> u64 {
    let sum = |planes: &[(&str, i64)]| planes.iter().map(|(_, channels)| *channels as u64).sum::<u64>();
    SubpixelRest::FLOATS + frames * sum(&CARRIED) + steps * sum(&STEP)
}

/// Snapshot and restore, so that another process can continue the chain.
impl Chain {
    /// Stores everything that later frames may need; `trail` adds the motion steps, needed only where motion is
    /// composed of them.
    pub(in crate::stylize) fn keep(&self, snapshot: &mut Snapshot, trail: bool) {
        for (place, carried) in self.past.iter().enumerate() {
            let HistoryFrame { painted, content, faces, maturity } = carried;
            for ((name, _), plane) in CARRIED.iter().zip([painted, content, faces, maturity]) {
                snapshot.put(format!("past{place}.{name}"), plane);
            }
        }
        for (place, step) in self.trail.steps().enumerate().filter(|_| trail) {
            let mut put =
                |name: &str, floats: &[f32]| snapshot.put_floats(format!("step{place}.{name}"), floats.to_vec());
            let Step { back, forth, reliability: Reliability { weights, seen, inconsistent, .. } } = step;
            let planes = [back.vectors.as_flattened(), forth.vectors.as_flattened(), weights, seen];
            STEP.iter().zip(planes).for_each(|((name, _), plane)| put(name, plane));
            put("inconsistent", &[*inconsistent]);
        }
        self.rest.keep(snapshot);
    }

    /// Number of remembered frames and, with `trail`, of remembered steps.
    pub(in crate::stylize) fn lengths(&self, trail: bool) -> [usize; 2] {
        [self.past.len(), if trail { self.trail.steps().len() } else { 0 }]
    }

    /// Restores what [`Chain::keep`] stored, of height `h` and width `w`.
    ///
    /// # Errors
    /// If something is missing, or what libtorch reports.
    pub(in crate::stylize) fn restore(
        &mut self,
        snapshot: &Snapshot,
        [frames, steps]: [usize; 2],
        (h, w): (i64, i64),
        device: Device,
    ) -> Result<(), StyleError> {
        for place in 0..frames {
            // Older frames stay in host memory.
            let device = if place == 0 { device } else { Device::Cpu };
            let picture = |(name, channels)| snapshot.picture(&format!("past{place}.{name}"), (channels, h, w), device);
            let [painted, content, faces, maturity] = CARRIED.map(picture);
            let (painted, content, faces, maturity) = (painted?, content?, faces?, maturity?);
            self.past.push_back(HistoryFrame { painted, content, faces, maturity });
        }
        let (width, height) = (w as usize, h as usize);
        for place in (0..steps).rev() {
            let floats = |name: &str| snapshot.floats(&format!("step{place}.{name}"));
            let field = |name: &str| -> Result<FlowField, StyleError> {
                Ok(FlowField { width, height, vectors: floats(name)?.as_chunks::<2>().0.to_vec() })
            };
            let (weights, seen) = (floats("weights")?, floats("seen")?);
            let inconsistent = floats("inconsistent")?.first().copied().unwrap_or(0.0);
            let reliability = Reliability { width, height, weights, seen, inconsistent };
            self.trail.push(Step { back: field("back")?, forth: field("forth")?, reliability });
        }
        self.rest = SubpixelRest::restored(snapshot)?;
        Ok(())
    }
}

/// A step's backward flow as `[1,2,H,W]`; 0 where it is unknown.
fn motion(step: &Step, device: Device) -> Result<Tensor, StyleError> {
    let (h, w) = (step.back.height as i64, step.back.width as i64);
    let known = |value: f32| if value.is_finite() { value } else { 0.0 };
    let planes: Vec<f32> = (0..2).flat_map(|axis| step.back.vectors.iter().map(move |v| known(v[axis]))).collect();
    from_planes(&planes, 2, h, w, device)
}
