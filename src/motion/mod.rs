//! Motion between source frames: dense optical flow, and where it can be believed.
//!
//! Flow is always estimated between frames of the source, never between painted ones: what moves is the scene.
//!
//! One convention everywhere: the flow *from* frame i *to* frame j lies on the grid of i, and the point p of frame i is
//! seen at p + w(p) in frame j. To carry frame j onto the grid of i (a warp), the flow from i to j is needed; with j
//! before i this is what the literature calls backward flow.

mod compose;
mod consistency;
mod cut;
#[cfg(feature = "opencv")]
mod dis;
mod error;
mod estimator;
mod field;
pub mod flo;
mod given;
mod likeness;
mod list;
mod luma;
mod scout;
mod trail;
mod warp;
mod watch;

pub use consistency::{Consistency, Reliability};
pub use cut::Shot;
#[cfg(feature = "opencv")]
pub use dis::Dis;
pub use error::FlowError;
pub use estimator::{FloFiles, FlowEstimator, View};
pub use field::FlowField;
pub use given::{Given, GivenError};
pub use list::{CutList, CutsError, clock};
pub use luma::Luma;
pub use scout::{Scout, Sighting};
pub use trail::{Step, Trail};
pub use watch::{Arrival, Wanted, Watched, Watcher, watch};

/// This build's own estimator.
///
/// # Errors
/// When OpenCV cannot be set up, or was left out of this build.
pub fn estimate() -> Result<Box<dyn FlowEstimator>, FlowError> {
    #[cfg(feature = "opencv")]
    return Ok(Box::new(Dis::new()?));
    #[cfg(not(feature = "opencv"))]
    Err(FlowError::NotBuilt)
}

/// This build's own means to tell whether two pictures show the same, in search of cuts; `None` where OpenCV was left
/// out of this build.
///
/// # Errors
/// When OpenCV cannot be set up.
pub fn estimate_cuts() -> Result<Option<Box<dyn FlowEstimator>>, FlowError> {
    #[cfg(feature = "opencv")]
    return Ok(Some(Box::new(Dis::fast()?)));
    #[cfg(not(feature = "opencv"))]
    Ok(None)
}
