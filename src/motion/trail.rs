//! The way that a shot has come.

use std::collections::VecDeque;

use super::field::UNKNOWN;
use super::{Consistency, FlowField, Reliability};

/// Motion between a frame and the one before it.
#[derive(Debug, Clone)]
pub struct Step {
    /// From the frame to the one before it, on the frame's own grid: what a warp of the earlier picture needs.
    pub back: FlowField,
    /// From the one before it to the frame.
    pub forth: FlowField,
    /// Where `back` can be believed.
    pub reliability: Reliability,
}

impl Step {
    pub fn new(back: FlowField, forth: FlowField, rules: &Consistency) -> Self {
        let reliability = rules.judge(&back, &forth);
        Self { back, forth, reliability }
    }

    /// The same on a grid of another size, judged anew: thresholds are in pixels.
    pub fn resized(&self, width: usize, height: usize, rules: &Consistency) -> Self {
        if (width, height) == (self.back.width, self.back.height) {
            return self.clone();
        }
        Self::new(self.back.resized(width, height), self.forth.resized(width, height), rules)
    }
}

/// The last steps of a shot, which lead from its newest frame back to earlier ones.
#[derive(Debug, Default)]
pub struct Trail {
    /// Newest first.
    steps: VecDeque<Step>,
    longest: usize,
}

impl Trail {
    /// Remembers so many steps.
    pub fn new(longest: usize) -> Self {
        Self { steps: VecDeque::new(), longest }
    }

    pub fn push(&mut self, step: Step) {
        self.steps.push_front(step);
        self.steps.truncate(self.longest);
    }

    /// All of them, newest first.
    pub fn steps(&self) -> impl ExactSizeIterator<Item = &Step> {
        self.steps.iter()
    }

    /// The newest step.
    pub fn last(&self) -> Option<&Step> {
        self.steps.front()
    }

    /// From the newest frame to the one `offset` before it: the flows between, composed, and judged as a whole. `None`
    /// when the trail does not reach so far.
    pub fn to(&self, offset: usize, rules: &Consistency) -> Option<Step> {
        if offset == 0 || offset > self.steps.len() {
            return None;
        }
        // A way through a frame in which the point is hidden would go on with what hides it.
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
