//! Motion between source frames: dense optical flow, and how far it is reliable.
//!
//! Flow is always estimated between source frames, never between painted ones, because the scene moves and not the
//! paint.
//!
//! One convention holds everywhere: the flow *from* frame i *to* frame j lies on the grid of i, and the point p of
//! frame i appears at p + w(p) in frame j. A warp of frame j onto the grid of i needs the flow from i to j; with j
//! before i, the literature calls this backward flow.

mod compose;
mod consistency;
mod cut;
#[cfg(feature = "opencv")]
mod dis;
mod error;
mod estimator;
mod field;
pub mod flo;
mod list;
mod luma;
mod prefetch;
mod similarity;
mod supplied;
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
pub use list::{CutList, CutsError, clock};
pub use luma::Luma;
pub use prefetch::{Pending, Prefetch, flow_size};
pub use supplied::{SuppliedMotion, SuppliedMotionError};
pub use trail::{Step, Trail};
pub use watch::{Transition, Wanted, Watched, Watcher, watch};

/// Creates the flow estimator of this build.
///
/// # Errors
/// If OpenCV cannot be set up or this build does not include it.
pub fn estimate() -> Result<Box<dyn FlowEstimator>, FlowError> {
    #[cfg(feature = "opencv")]
    return Ok(Box::new(Dis::new()?));
    #[cfg(not(feature = "opencv"))]
    Err(FlowError::NotBuilt)
}

/// Creates the estimator for cut detection, which tests whether two pictures show the same scene; `None` if this build
/// does not include OpenCV.
///
/// # Errors
/// If OpenCV cannot be set up.
pub fn estimate_cuts() -> Result<Option<Box<dyn FlowEstimator>>, FlowError> {
    #[cfg(feature = "opencv")]
    return Ok(Some(Box::new(Dis::fast()?)));
    #[cfg(not(feature = "opencv"))]
    Ok(None)
}
