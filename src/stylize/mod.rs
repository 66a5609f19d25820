//! Stylise: pixels in, painted pixels out, one for one.

pub mod backbone;
mod build;
pub mod chain;
pub mod colour;
pub mod device;
mod error;
pub mod fake;
pub mod init;
pub mod loss;
pub mod objective;
pub mod optimizer;
pub mod painter;
pub mod tensor;

pub use build::{Built, build};
pub use error::StyleError;

use crate::media::Pixels;
use crate::motion::Arrival;

/// Repaints pictures one after another. Gets pixels, not frames: it cannot lose a timestamp.
pub trait Stylizer {
    /// `arrival` says how `content` follows from the picture before it.
    ///
    /// # Errors
    /// When it cannot be painted, or the job was cancelled.
    fn stylize(&mut self, content: &Pixels, arrival: &Arrival) -> Result<Stylized, StyleError>;
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
    /// J before the first step.
    pub initial_objective: f64,
    /// J of the frame given back.
    pub objective: f64,
}
