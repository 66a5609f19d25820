//! Stylise: pixels in, painted pixels out, one for one.

pub mod backbone;
mod belief;
pub mod boil;
mod build;
mod camera;
pub mod chain;
pub mod colour;
pub mod device;
pub mod earlier;
pub mod effort;
mod error;
pub mod faces;
pub mod fake;
mod fill;
mod first_frame;
pub mod init;
mod layer_plan;
pub mod loss;
pub mod meter_network;
pub mod objective;
pub mod optimizer;
pub mod painter;
pub mod probe;
pub mod scene;
mod snapshot;
pub mod still;
pub mod studio;
pub mod sweeps;
pub mod tensor;

pub use build::{Built, Workshop, build, chosen_backbone, finds_faces};
pub use error::StyleError;
pub use snapshot::Snapshot;

use crate::media::Pixels;
use crate::motion::Arrival;

/// Takes finished pictures, in the order of their contents.
pub type Done<'a> = dyn FnMut(Stylized) -> Result<(), StyleError> + 'a;

/// Repaints pictures one after another. Gets pixels, not frames: it cannot lose a timestamp.
pub trait Stylizer {
    /// Takes the next picture; `arrival` says how it follows from the one before it. What is finished by then goes to
    /// `done`: one picture for each that was taken, now or later.
    ///
    /// # Errors
    /// When it cannot be painted, the job was cancelled, or what `done` says.
    fn push(&mut self, content: &Pixels, arrival: &Arrival, done: &mut Done<'_>) -> Result<(), StyleError>;

    /// Gives what is held back of the shot in progress, for the next picture begins another.
    ///
    /// # Errors
    /// As [`Stylizer::push`].
    fn end_shot(&mut self, _done: &mut Done<'_>) -> Result<(), StyleError> {
        Ok(())
    }

    /// What another stylizer with the same settings needs in order to go on from here; `None` while pictures that were
    /// taken are not given yet.
    ///
    /// # Errors
    /// What libtorch reports.
    fn snapshot(&self) -> Result<Option<Snapshot>, StyleError> {
        Ok(Some(Snapshot::default()))
    }

    /// Goes on from where `snapshot` was taken.
    ///
    /// # Errors
    /// When it is not one of such a stylizer; what libtorch reports.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<(), StyleError> {
        Ok(())
    }

    /// Says, before [`Stylizer::finish`], how the first picture follows from the last, where the clip is to be a ring.
    fn close(&mut self, _arrival: Arrival) {}

    /// There are no more pictures: gives those that were held back.
    ///
    /// # Errors
    /// As [`Stylizer::push`].
    fn finish(&mut self, _done: &mut Done<'_>) -> Result<(), StyleError> {
        Ok(())
    }
}

/// A stylised picture and what it took.
#[derive(Debug, Clone)]
pub struct Stylized {
    pub pixels: Pixels,
    pub stats: FrameStats,
}

/// What the optimiser did for one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameStats {
    pub iterations: u32,
    /// J before the first step; here and below without the terms apart (`temporal`).
    pub initial_objective: f64,
    /// J of the frame given back.
    pub objective: f64,
    /// The temporal term of the frame given back, and what its new outlines count beyond other content.
    pub temporal: f64,
}
