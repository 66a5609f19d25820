//! How the source moves and where its shots begin.

use serde::{Deserialize, Serialize};

/// `[motion]`: optical flow and shots of the source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MotionSettings {
    /// Middlebury files of the source's flow, `flow_%d_%d.flo`: the number of the frame it is from, then of the one it
    /// is to, counting the frames that the run reads from 1. Empty: flow is estimated.
    pub flow: String,
    /// A file that lists where shots begin (`stylize-video shots` prints one). Empty: they are found.
    pub cuts: String,
    /// How motion over `temporal.offsets` of more than 1 comes about.
    pub long: LongFlow,
}

/// Where motion over several frames comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongFlow {
    /// From the motion between neighbours.
    Composed,
    /// From a search of its own between the two frames.
    #[default]
    Direct,
}
