//! Settings for the source's motion and shot boundaries.

use serde::{Deserialize, Serialize};

/// `[motion]`: optical flow and shots of the source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MotionSettings {
    /// Middlebury files of the source's flow, `flow_%d_%d.flo`: the number of the frame it starts from, then of the
    /// frame it leads to, counting the frames that the run reads from 1. Empty: flow is estimated.
    pub flow: String,
    /// A file that lists where shots begin (`stylize-video shots` prints one). Empty: cuts are detected.
    pub cuts: String,
    /// How motion is obtained for `temporal.offsets` greater than 1.
    pub long: LongFlow,
}

/// Source of the optical flow between frames that are not neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongFlow {
    /// Composed from the flow between neighbouring frames.
    Composed,
    /// Estimated directly between the two frames.
    #[default]
    Direct,
}
