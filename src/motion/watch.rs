//! Looks at frames as they are decoded: where shots begin, and what moves within them.

use super::cut::{CutDetector, Shot};
use super::trail::Step;
use super::{Consistency, FlowError, FlowEstimator, Luma, View};
use crate::media::Pixels;

/// Long side in pixels of the picture that flow is estimated on.
const FLOW_SIZE: usize = 480;

/// More of a frame than this that is not seen in the one before it is a cut.
const CUT: f32 = 0.88;

/// How a frame follows from the one before it.
#[derive(Debug, Clone)]
pub struct Arrival {
    pub shot: Shot,
    /// What moved since the frame before (the last that was no [`Shot::Aside`]); `None` where nobody asked, for a shot's
    /// first frame, and for asides.
    pub step: Option<Step>,
    /// Motion over longer distances that was estimated directly, by the number of frames of the chain between; empty
    /// where it is to be composed from steps.
    pub far: Vec<(usize, Step)>,
}

impl From<Shot> for Arrival {
    fn from(shot: Shot) -> Self {
        Self { shot, step: None, far: Vec::new() }
    }
}

/// Sees every frame of the source once, in display order.
pub struct Watcher {
    estimator: Option<Box<dyn FlowEstimator>>,
    rules: Consistency,
    cuts: CutDetector,
    previous: Option<Luma>,
    /// Whether the clip is a ring.
    ring: bool,
    first: Option<Luma>,
    count: u64,
}

impl Watcher {
    /// Without an estimator only cuts are found.
    pub fn new(estimator: Option<Box<dyn FlowEstimator>>, rules: Consistency) -> Self {
        Self { estimator, rules, cuts: CutDetector::default(), previous: None, ring: false, first: None, count: 0 }
    }

    /// Whether the last frame is to be followed by the first.
    #[must_use]
    pub fn of_ring(self, ring: bool) -> Self {
        Self { ring, ..self }
    }

    /// # Errors
    /// When the estimator has no flow for a pair of frames.
    pub fn next(&mut self, frame: &Pixels) -> Result<Arrival, FlowError> {
        let shot = self.cuts.next(frame);
        let number = self.count;
        self.count += 1;
        let Some(estimator) = self.estimator.as_deref() else { return Ok(shot.into()) };
        let luma = Luma::of(frame, FLOW_SIZE);
        if self.ring && self.first.is_none() {
            self.first = Some(luma.clone());
        }
        let previous = self.previous.replace(luma.clone());
        let same_size = |previous: &Luma| (previous.width, previous.height) == (luma.width, luma.height);
        let Some(previous) = previous.filter(|previous| shot == Shot::Continues && same_size(previous)) else {
            return Ok(Shot::New.into());
        };
        let (now, before) = (View { number, luma: &luma }, View { number: number.saturating_sub(1), luma: &previous });
        let (back, forth) = rayon::join(|| estimator.flow(now, before), || estimator.flow(before, now));
        let step = Step::new(back?, forth?, &self.rules);
        Ok(if step.reliability.inconsistent > CUT {
            Shot::New.into()
        } else {
            Arrival { shot, step: Some(step), far: Vec::new() }
        })
    }

    /// After the last frame: how the first one follows from it, where the clip is a ring. `None` where it is none, has
    /// fewer than two frames, or motion is not estimated.
    ///
    /// # Errors
    /// When the estimator has no flow for the two.
    pub fn closing(&self) -> Result<Option<Arrival>, FlowError> {
        let (Some(estimator), Some(first), Some(last)) = (self.estimator.as_deref(), &self.first, &self.previous)
        else {
            return Ok(None);
        };
        let number = self.count.saturating_sub(1);
        if number == 0 || (first.width, first.height) != (last.width, last.height) {
            return Ok(None);
        }
        let (first, last) = (View { number: 0, luma: first }, View { number, luma: last });
        let (back, forth) = rayon::join(|| estimator.flow(first, last), || estimator.flow(last, first));
        let step = Step::new(back?, forth?, &self.rules);
        let seen = step.reliability.inconsistent <= CUT;
        Ok(Some(if seen {
            Arrival { shot: Shot::Continues, step: Some(step), far: Vec::new() }
        } else {
            Shot::New.into()
        }))
    }
}
