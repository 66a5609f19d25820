//! The figures of a running job, from the source motion that the job computes anyway.

use super::features::FeatureError;
use super::figures::{Figures, Place};
use super::ghost::{GhostMeter, Seen};
use super::meter::Meter;
use super::summary::Summary;
use crate::media::{Pixels, area};
use crate::motion::{Shot, Transition};

/// Memory limit for sources and motion that wait for their frames to be painted; frames beyond it are not measured (a
/// long shot that is painted in several passes is completed only at its end).
const WAITING_BYTES: usize = 512 << 20;
/// Long side at which a frame without motion (no step) is measured.
const LONGEST: usize = 480;

/// The reference for a painted frame: its source, reduced to the size of the flow, and the motion since the last frame.
#[derive(Debug, Clone)]
pub struct Reference {
    source: Pixels,
    transition: Transition,
}

impl Reference {
    /// Creates the reference from a source frame, which may be larger than the flow.
    pub fn of(source: &Pixels, transition: &Transition) -> Self {
        let (width, height) = match &transition.step {
            Some(step) => (step.back.width.min(source.width), step.back.height.min(source.height)),
            None => area::within(source.width, source.height, LONGEST),
        };
        let transition = Transition { shot: transition.shot, step: transition.step.clone(), far: Vec::new() };
        Self { source: shrunk(source, width, height), transition }
    }

    /// Evaluates the painted frame with the network.
    ///
    /// # Errors
    /// As [`GhostMeter::next`].
    pub fn look(&self, painted: &Pixels, ghosts: &mut GhostMeter) -> Result<Seen, FeatureError> {
        ghosts.next(&self.source, painted, self.transition.shot)
    }

    /// Returns its size in memory.
    fn bytes(&self) -> usize {
        let vectors = self
            .transition
            .step
            .as_ref()
            .map_or(0, |step| 2 * step.back.vectors.len() + step.reliability.weights.len());
        4 * self.source.rgb.len() + 8 * vectors
    }
}

/// Returns the colours without alpha, reduced to `width` x `height`.
fn shrunk(pixels: &Pixels, width: usize, height: usize) -> Pixels {
    let rgb = area::shrunk(&pixels.rgb, (pixels.width, pixels.height), (width, height));
    Pixels { width, height, rgb, alpha: None }
}

/// Keeps the memory of waiting references within the limit.
#[derive(Debug, Default)]
pub struct Waiting {
    bytes: usize,
}

impl Waiting {
    /// Returns `reference` and counts its memory, if there is room for it.
    pub fn keep(&mut self, reference: Option<Reference>) -> Option<Reference> {
        let kept = reference.filter(|reference| self.bytes + reference.bytes() <= WAITING_BYTES)?;
        self.bytes += kept.bytes();
        Some(kept)
    }

    /// Stops counting a reference that no longer waits.
    pub fn release(&mut self, reference: Option<&Reference>) {
        self.bytes -= reference.map_or(0, Reference::bytes);
    }
}

/// Measures the frames of a job as they are painted.
pub struct JobMeter {
    meter: Meter,
    measured: bool,
}

impl JobMeter {
    /// Creates a meter for a source with `rate` frames per second.
    pub fn new(rate: f64) -> Self {
        Self { meter: Meter::new(rate), measured: false }
    }

    /// Takes the next painted frame, its reference and the network's figures. Without a reference, or if it is larger
    /// than the frame, no figure is measured and the shot ends.
    pub fn next(&mut self, painted: &Pixels, reference: Option<Reference>, seen: Seen) -> Figures {
        let fits = |reference: &Reference| {
            reference.source.width <= painted.width && reference.source.height <= painted.height
        };
        let Some(Reference { source, transition }) = reference.filter(fits) else {
            self.meter.skip();
            return Figures::default();
        };
        let painted = match transition.shot {
            // A flash is not measured; the source stands in for the result.
            Shot::Flash => source.clone(),
            _ => shrunk(painted, source.width, source.height),
        };
        let told = self.meter.push_seen(source, painted, &transition, seen);
        self.measured |= told.place == Place::Continues;
        told.figures
    }

    /// Returns the figures of the whole job; `None` if no two frames could be compared.
    pub fn finish(self) -> Option<Summary> {
        self.measured.then(|| self.meter.finish())
    }
}
