//! The figures of a running job, from the source motion that the job computes anyway.

use super::features::FeatureError;
use super::figures::{Figures, Place};
use super::ghost::{GhostMeter, Seen};
use super::meter::Meter;
use super::summary::Summary;
use crate::media::{Pixels, area};
use crate::motion::{Arrival, Shot};

/// Memory limit for sources and motion that wait for their frames to be painted; frames beyond it are not measured (a
/// long shot that is painted in several passes is completed only at its end).
const WAITING_BYTES: usize = 512 << 20;
/// Long side at which a frame without motion (no step) is measured.
const LONGEST: usize = 480;

/// The reference for a painted frame: its source, reduced to the size of the flow, and the motion since the last frame.
#[derive(Debug, Clone)]
pub struct Beside {
    source: Pixels,
    arrival: Arrival,
}

impl Beside {
    /// Creates the reference from a source frame, which may be larger than the flow.
    pub fn of(source: &Pixels, arrival: &Arrival) -> Self {
        let (width, height) = match &arrival.step {
            Some(step) => (step.back.width.min(source.width), step.back.height.min(source.height)),
            None => area::within(source.width, source.height, LONGEST),
        };
        let arrival = Arrival { shot: arrival.shot, step: arrival.step.clone(), far: Vec::new() };
        Self { source: shrunk(source, width, height), arrival }
    }

    /// Evaluates the painted frame with the network.
    ///
    /// # Errors
    /// As [`GhostMeter::next`].
    pub fn look(&self, painted: &Pixels, ghosts: &mut GhostMeter) -> Result<Seen, FeatureError> {
        ghosts.next(&self.source, painted, self.arrival.shot)
    }

    /// Returns its size in memory.
    fn bytes(&self) -> usize {
        let vectors =
            self.arrival.step.as_ref().map_or(0, |step| 2 * step.back.vectors.len() + step.reliability.weights.len());
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
    /// Returns `beside` and counts its memory, if there is room for it.
    pub fn keep(&mut self, beside: Option<Beside>) -> Option<Beside> {
        let kept = beside.filter(|beside| self.bytes + beside.bytes() <= WAITING_BYTES)?;
        self.bytes += kept.bytes();
        Some(kept)
    }

    /// Stops counting a reference that no longer waits.
    pub fn release(&mut self, beside: Option<&Beside>) {
        self.bytes -= beside.map_or(0, Beside::bytes);
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
    pub fn next(&mut self, painted: &Pixels, beside: Option<Beside>, seen: Seen) -> Figures {
        let fits = |beside: &Beside| beside.source.width <= painted.width && beside.source.height <= painted.height;
        let Some(Beside { source, arrival }) = beside.filter(fits) else {
            self.meter.skip();
            return Figures::default();
        };
        let painted = match arrival.shot {
            // A flash is not measured; the source stands in for the result.
            Shot::Aside => source.clone(),
            _ => shrunk(painted, source.width, source.height),
        };
        let told = self.meter.push_seen(source, painted, &arrival, seen);
        self.measured |= told.place == Place::Continues;
        told.figures
    }

    /// Returns the figures of the whole job; `None` if no two frames could be compared.
    pub fn finish(self) -> Option<Summary> {
        self.measured.then(|| self.meter.finish())
    }
}
