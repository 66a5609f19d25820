//! What is known of one frame.

use serde::Serialize;

/// A figure of the result beside the same of the source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    pub result: f64,
    pub source: f64,
}

/// How a frame follows from the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// It begins a shot (or nothing of the frame before can be found in it): there is nothing to compare it with.
    New,
    Continues,
    /// A flash: passed over.
    Aside,
}

/// What was measured between a frame and the one before it (for the definitions see [`super`]); `None` where nothing
/// could be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Share of the pixels that E_warp speaks of, 0..=1.
    pub coverage: Option<f64>,
    pub e_warp: Option<Pair>,
    pub ruder_mse: Option<Pair>,
    pub long_term: Option<Pair>,
    /// Share of the pixels that stand still, 0..=1.
    pub still: Option<f64>,
    /// Change of the still pixels' mean luma since the frame before, less the source's, in 1/255.
    pub still_luma: Option<f64>,
    /// In 1/255.
    pub flicker: Option<Pair>,
    pub fdb: Option<f64>,
    /// How far from the scene what moves is: 0 is the scene itself.
    pub content_moving: Option<f64>,
    /// 0..=100: below 1 what moves shows the scene of now, above 1 that of four frames ago.
    pub ghost: Option<f64>,
    /// How far from the style the worst tile is, over the middle one: 1 or more.
    pub unpainted: Option<f64>,
}

/// The figures of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct FrameFigures {
    /// From 1.
    pub frame: u64,
    pub place: Place,
    #[serde(flatten)]
    pub figures: Figures,
}
