//! What the terms of a frame are built from.

use tch::Tensor;

use crate::settings::Settings;
use crate::stylize::backbone::Backbone;
use crate::stylize::frame::layer_plan::LayerPlan;
use crate::stylize::frame::phase::Phase;
use crate::stylize::frame::scene::Scene;
use crate::stylize::temporal::history::Anchor;

/// What all frames of a shot have in common at one size.
#[derive(Debug)]
pub(in crate::stylize) struct ShotFacts {
    pub layers: LayerPlan,
    /// The Gram matrix per position `[C,C]` of each style layer, blended over the style pictures.
    pub grams: Vec<Tensor>,
    /// The share of detailed places in the style pictures, 0..=1.
    pub detail: f64,
    /// Factor on beta.
    pub beta: f64,
    /// E, 1 to 1.7: the painting's contrast in units of the scene's, as the ratio of the mean squares of the first
    /// content layer. The relative convention measures content by the scene's own activations. Dark or flat footage has
    /// so few of them that faces would drown in paint, and a lattice would show on plain walls. 1 in other conventions.
    pub excess: f64,
    /// D, the style distance (J_style / beta) of the scene's large forms. 0 in conventions other than the relative one.
    pub distance: f64,
}

/// A frame that is to be painted. All pictures and maps are in the size of the shot's look.
#[derive(Clone, Copy)]
pub(in crate::stylize) struct FrameFacts<'a> {
    pub settings: &'a Settings,
    pub backbone: &'a dyn Backbone,
    pub shot: &'a ShotFacts,
    pub scene: &'a Scene,
    /// Start of the descent, `[1,3,H,W]`.
    pub start: &'a Tensor,
    /// The phase in which the network sees the picture.
    pub phase: Phase,
    pub anchors: &'a [Anchor],
}

impl FrameFacts<'_> {
    /// How often a face counts: the more the painting's contrast exceeds the scene's, the more often.
    pub fn face_counts(&self) -> f64 {
        1.0 + (self.settings.faces() - 1.0) * self.shot.excess
    }
}
