//! The motion along the recent frames of a shot.

use std::collections::VecDeque;

use super::field::UNKNOWN;
use super::{Consistency, FlowField, Reliability};

/// The motion between a frame and the previous one.
#[derive(Debug, Clone)]
pub struct Step {
    /// Flow from the frame to the previous one, on the frame's own grid: the flow that a warp of the earlier picture
    /// needs.
    pub back: FlowField,
    /// Flow from the previous frame to this one.
    pub forth: FlowField,
    /// Where `back` is reliable.
    pub reliability: Reliability,
}

impl Step {
    pub fn new(back: FlowField, forth: FlowField, rules: &Consistency) -> Self {
        let reliability = rules.judge(&back, &forth);
        Self { back, forth, reliability }
    }

    /// Returns the same motion on a grid of another size. Its reliability is computed again, since the thresholds are
    /// in pixels.
    pub fn resized(&self, width: usize, height: usize, rules: &Consistency) -> Self {
        if (width, height) == (self.back.width, self.back.height) {
            return self.clone();
        }
        Self::new(self.back.resized(width, height), self.forth.resized(width, height), rules)
    }
}

/// The motion of the last frames of a shot, one step per frame, which together lead from its newest frame to earlier
/// ones.
#[derive(Debug, Default)]
pub struct Trail {
    /// The steps, newest first.
    steps: VecDeque<Step>,
    longest: usize,
}

impl Trail {
    /// Creates a trail that keeps the last `longest` steps.
    pub fn new(longest: usize) -> Self {
        Self { steps: VecDeque::new(), longest }
    }

    pub fn push(&mut self, step: Step) {
        self.steps.push_front(step);
        self.steps.truncate(self.longest);
    }

    /// Returns all steps, newest first.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &Step> {
        self.steps.iter()
    }

    /// Returns the newest step.
    pub fn last(&self) -> Option<&Step> {
        self.steps.front()
    }

    /// Returns the motion from the newest frame to the one `offset` frames before it: the flows in between are
    /// composed, and their reliability is judged as a whole. `None` if `offset` is 0 or the trail is not that long.
    pub fn to(&self, offset: usize, rules: &Consistency) -> Option<Step> {
        if offset == 0 || offset > self.steps.len() {
            return None;
        }
        // A path through a frame in which the point is occluded would continue with the occluding object.
        let hidden = |flow: &FlowField, seen: &[f32]| {
            let vectors = flow.vectors.iter().zip(seen).map(|(&v, &seen)| if seen > 0.5 { v } else { UNKNOWN });
            FlowField { vectors: vectors.collect(), ..*flow }
        };
        let steps = || self.steps.iter().take(offset);
        if offset == 1 {
            return steps().next().cloned();
        }
        let back =
            steps().map(|step| hidden(&step.back, &step.reliability.seen)).reduce(|path, step| path.then(&step))?;
        let forth = steps().rev().map(|step| step.forth.clone()).reduce(|path, step| path.then(&step))?;
        Some(Step::new(back, forth, rules))
    }
}
