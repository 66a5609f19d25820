//! A job's own figures, gathered while it runs from what it knows of the source's motion anyway.

use super::features::FeatureError;
use super::figures::{Figures, Place};
use super::ghost::{GhostMeter, Seen};
use super::meter::Meter;
use super::summary::Summary;
use crate::media::{Pixels, area};
use crate::motion::{Arrival, Shot};

/// Sources and motion that wait for their frames to be painted may take this much memory; what is beyond it is not
/// measured (a long shot that is painted in several passes comes out at its end).
const WAITING_BYTES: usize = 512 << 20;
/// Long side of what is measured where a frame has no motion to tell.
const LONGEST: usize = 480;

/// What a painted frame is held against: its source, as small as the flow, and how it follows from the one before.
#[derive(Debug, Clone)]
pub struct Beside {
    source: Pixels,
    arrival: Arrival,
}

impl Beside {
    /// Of a source frame, which may be large.
    pub fn of(source: &Pixels, arrival: &Arrival) -> Self {
        let (width, height) = match &arrival.step {
            Some(step) => (step.back.width.min(source.width), step.back.height.min(source.height)),
            None => area::within(source.width, source.height, LONGEST),
        };
        let arrival = Arrival { shot: arrival.shot, step: arrival.step.clone(), far: Vec::new() };
        Self { source: shrunk(source, width, height), arrival }
    }

    /// What the network sees of the frame that was painted of it.
    ///
    /// # Errors
    /// As [`GhostMeter::next`].
    pub fn look(&self, painted: &Pixels, ghosts: &mut GhostMeter) -> Result<Seen, FeatureError> {
        ghosts.next(&self.source, painted, self.arrival.shot)
    }

    /// Memory that it takes.
    fn bytes(&self) -> usize {
        let vectors =
            self.arrival.step.as_ref().map_or(0, |step| 2 * step.back.vectors.len() + step.reliability.weights.len());
        4 * self.source.rgb.len() + 8 * vectors
    }
}

/// Its colours alone, with so many columns and rows.
fn shrunk(pixels: &Pixels, width: usize, height: usize) -> Pixels {
    let rgb = area::shrunk(&pixels.rgb, (pixels.width, pixels.height), (width, height));
    Pixels { width, height, rgb, alpha: None }
}

/// Keeps what waits for its frames within bounds.
#[derive(Debug, Default)]
pub struct Waiting {
    bytes: usize,
}

impl Waiting {
    /// `beside` if there is room for it.
    pub fn keep(&mut self, beside: Option<Beside>) -> Option<Beside> {
        let kept = beside.filter(|beside| self.bytes + beside.bytes() <= WAITING_BYTES)?;
        self.bytes += kept.bytes();
        Some(kept)
    }

    /// It waits no longer.
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
    /// For a source of so many frames a second.
    pub fn new(rate: f64) -> Self {
        Self { meter: Meter::new(rate), measured: false }
    }

    /// The next painted frame, and what a network has seen of it; nothing is known of it without what it is held against.
    pub fn next(&mut self, painted: &Pixels, beside: Option<Beside>, seen: Seen) -> Figures {
        let fits = |beside: &Beside| beside.source.width <= painted.width && beside.source.height <= painted.height;
        let Some(Beside { source, arrival }) = beside.filter(fits) else {
            self.meter.skip();
            return Figures::default();
        };
        let painted = match arrival.shot {
            // Not looked at.
            Shot::Aside => source.clone(),
            _ => shrunk(painted, source.width, source.height),
        };
        let told = self.meter.push_seen(source, painted, &arrival, seen);
        self.measured |= told.place == Place::Continues;
        told.figures
    }

    /// The figures of the whole job; `None` if no two frames could be compared.
    pub fn finish(self) -> Option<Summary> {
        self.measured.then(|| self.meter.finish())
    }
}
