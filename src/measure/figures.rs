//! The figures of one frame.

use serde::Serialize;

/// A figure for the result, and the same figure for the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    pub result: f64,
    pub source: f64,
}

/// How a frame relates to the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// Begins a shot, or shows nothing of the previous frame: there is nothing to compare it with.
    New,
    Continues,
    /// A flash, which is skipped.
    #[serde(rename = "aside")]
    Flash,
}

/// The figures measured between a frame and the previous one (see [`super`] for the definitions); `None` where a figure
/// could not be measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Share of the pixels that E_warp covers, 0..=1.
    pub coverage: Option<f64>,
    pub e_warp: Option<Pair>,
    pub ruder_mse: Option<Pair>,
    pub long_term: Option<Pair>,
    /// Share of the pixels that stand still, 0..=1.
    pub still: Option<f64>,
    /// Change of the still pixels' mean luma since the previous frame, minus that of the source, in 1/255.
    pub still_luma: Option<f64>,
    /// In 1/255.
    pub flicker: Option<Pair>,
    pub fdb: Option<f64>,
    /// Distance of the moving places from the scene; 0 is the scene itself.
    pub content_moving: Option<f64>,
    /// 0..=100: below 1 the moving places are nearer to the current scene, above 1 nearer to that of four frames ago.
    pub ghost: Option<f64>,
    /// Style distance of the worst tile divided by that of the median tile: 1 or more.
    pub unpainted: Option<f64>,
}

/// The figures of a frame, with its number and place.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FrameFigures {
    /// Counted from 1.
    pub frame: u64,
    pub place: Place,
    #[serde(flatten)]
    pub figures: Figures,
}
