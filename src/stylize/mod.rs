//! Stylization: takes pictures as pixels and returns as many painted ones. Knows nothing of files or timestamps.

pub mod backbone;
mod build;
pub mod device;
mod error;
pub mod fake;
pub mod frame;
pub mod meter_network;
mod model;
mod networks;
pub mod probe;
mod snapshot;
pub mod temporal;
pub mod tensor;
mod term_values;
pub mod video;

pub use build::{Built, Workshop, build, build_with};
pub use error::StyleError;
pub use model::ModelSlot;
pub use networks::{chosen_backbone, finds_faces, weight_files};
pub use snapshot::Snapshot;
pub use term_values::TermValues;
pub use video::footprint::{Footage, kept_bytes};

use crate::media::Pixels;
use crate::motion::Transition;

/// Callback that receives the finished pictures, in the order of their contents.
pub type Done<'a> = dyn FnMut(Stylized) -> Result<(), StyleError> + 'a;

/// Repaints pictures one after another. It gets pixels instead of frames, so it cannot lose a timestamp.
pub trait Stylizer {
    /// Takes the next picture; `transition` describes how it follows from the previous one. Passes every picture that is
    /// finished by then to `done`: one for each picture taken, either now or later.
    ///
    /// # Errors
    /// If the picture cannot be painted or the job was cancelled, or what `done` returns.
    fn push(&mut self, content: &Pixels, transition: &Transition, done: &mut Done<'_>) -> Result<(), StyleError>;

    /// Passes on the pictures held back from the shot in progress; the next picture starts another shot.
    ///
    /// # Errors
    /// As [`Stylizer::push`].
    fn end_shot(&mut self, _done: &mut Done<'_>) -> Result<(), StyleError> {
        Ok(())
    }

    /// Returns the state that another stylizer with the same settings needs to continue from here; `None` while
    /// pictures are held back.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn snapshot(&self) -> Result<Option<Snapshot>, StyleError> {
        Ok(Some(Snapshot::default()))
    }

    /// Continues from the point where `snapshot` was taken.
    ///
    /// # Errors
    /// If the snapshot does not belong to this kind of stylizer, or what libtorch reports.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<(), StyleError> {
        Ok(())
    }

    /// Describes, before [`Stylizer::finish`], how the first picture follows from the last one, for a clip that should
    /// loop.
    fn close(&mut self, _arrival: Transition) {}

    /// Ends the clip: passes on the pictures that were held back.
    ///
    /// # Errors
    /// As [`Stylizer::push`].
    fn finish(&mut self, _done: &mut Done<'_>) -> Result<(), StyleError> {
        Ok(())
    }
}

/// A stylised picture and the statistics of its descent.
#[derive(Debug, Clone)]
pub struct Stylized {
    pub pixels: Pixels,
    pub stats: FrameStats,
}

/// Statistics of one frame's descent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct FrameStats {
    pub iterations: u32,
    /// J before the first step; here and below without the separate terms (see `temporal`).
    pub initial_objective: f64,
    /// J of the returned frame.
    pub objective: f64,
    /// The temporal term of the returned frame, plus the amount that its new outlines add to the content term.
    pub temporal: f64,
    /// The terms of the returned frame. All of them except `temporal` and `outlines` add up to `objective`.
    pub terms: TermValues,
}
