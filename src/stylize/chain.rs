//! What a shot remembers of its painted frames, and how it is carried to the next one.

use std::collections::VecDeque;

use tch::{Device, Tensor};

use super::StyleError;
use super::loss::Anchor;
use super::tensor::{from_planes, to_planes};
use crate::motion::{Consistency, Step, Trail};

/// What a frame leaves to later ones; both `[1,3,H,W]` in the optimised size, float: no 8-bit rounding between frames.
#[derive(Debug)]
pub struct Carried {
    pub painted: Tensor,
    /// As the objective saw it (colours already matched).
    pub content: Tensor,
}

/// The painted frames of a shot and the motion between them.
#[derive(Debug)]
pub struct Chain {
    /// Newest first.
    past: VecDeque<Carried>,
    trail: Trail,
    rules: Consistency,
    longest: usize,
}

impl Chain {
    /// Remembers as many frames as the longest of `offsets` (and at least the last one).
    pub fn new(offsets: &[u32], rules: Consistency) -> Self {
        let longest = offsets.iter().copied().max().unwrap_or(1).max(1) as usize;
        Self { past: VecDeque::new(), trail: Trail::new(longest), rules, longest }
    }

    /// The frame before.
    pub fn last(&self) -> Option<&Carried> {
        self.past.front()
    }

    pub fn remember(&mut self, carried: Carried) {
        self.past.push_front(carried);
        self.past.truncate(self.longest);
    }

    /// Takes the step to the frame that is painted next, on its `width` x `height` grid.
    pub fn step(&mut self, step: &Step, width: usize, height: usize) {
        self.trail.push(step.resized(width, height, &self.rules));
    }

    /// The earlier painted frames at `offsets` on the new frame's grid, nearest first. A pixel that a nearer one holds is
    /// held that much less by those further back: c_j <- max(c_j - sum of the nearer c, 0).
    pub fn anchors(&self, offsets: &[u32], device: Device) -> Result<Vec<Anchor>, StyleError> {
        let mut offsets: Vec<usize> = offsets.iter().map(|&offset| offset as usize).collect();
        offsets.sort_unstable();
        offsets.dedup();
        let mut held: Vec<f32> = Vec::new();
        let mut anchors = Vec::new();
        for offset in offsets {
            let (Some(step), Some(carried)) =
                (self.trail.to(offset, &self.rules), self.past.get(offset.wrapping_sub(1)))
            else {
                continue;
            };
            held.resize(step.reliability.weights.len(), 0.0);
            let mut left = step.reliability.weights;
            for (left, held) in left.iter_mut().zip(&mut held) {
                let own = *left;
                *left = (own - *held).max(0.0);
                *held += own;
            }
            let (h, w) = (step.back.height as i64, step.back.width as i64);
            let warped = step.back.warp(&to_planes(&carried.painted)?);
            anchors.push(Anchor {
                warped: from_planes(&warped, 3, h, w, device)?,
                weights: from_planes(&left, 1, h, w, device)?,
            });
        }
        Ok(anchors)
    }

    /// The frame before, carried along the motion, and where it is to be believed.
    pub fn carried_along(&self, device: Device) -> Result<Option<Anchor>, StyleError> {
        Ok(self.anchors(&[1], device)?.pop())
    }
}
