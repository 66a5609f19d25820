//! What keeps frames together.

use serde::{Deserialize, Serialize};

/// `[temporal]`: the distance to the earlier painted frames, carried along the source's motion (Ruder et al. 2016).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalSettings {
    /// Weight of the temporal term in J; 0 for none.
    pub weight: f64,
    /// How lively the result may be, 0..=1: strokes are drawn anew in every frame, and held less.
    pub boil: f64,
    /// How many frames before each the earlier frames lie. A pixel is held to the nearest in which it is seen.
    pub offsets: Vec<u32>,
    /// Of a pixel to where it was: its square, or the smooth L1 that lets single pixels go.
    pub distance: Distance,
    /// How often each shot is painted: forward, backward, forward, ...; each pass carries paint its way.
    pub passes: u32,
    /// Whether the last frame is to be followed by the first.
    #[serde(rename = "loop")]
    pub ring: bool,
    pub consistency: ConsistencySettings,
}

/// The passes of a clip that loops, where one is set: the second evens the seam out over the ring, the third smooths.
const PASSES_OF_LOOP: u32 = 3;

impl TemporalSettings {
    /// Whether frames are painted more than once.
    pub fn is_reworked(&self) -> bool {
        self.passes > 1 || self.ring
    }

    /// The weight that is left of `weight` with this much boil.
    pub fn effective_weight(&self) -> f64 {
        self.weight * (1.0 - self.boil).powi(2)
    }

    /// How many frames back are held to; none where nothing is.
    pub fn reach(&self) -> &[u32] {
        if self.effective_weight() > 0.0 { &self.offsets } else { &[] }
    }

    /// How strongly still pixels are held to where they were first painted, 0..=1: not at all from half the boil on.
    pub fn lock(&self) -> f64 {
        (1.0 - 2.0 * self.boil).max(0.0)
    }

    /// The passes of a clip that loops.
    pub fn passes_of_loop(&self) -> u32 {
        if self.passes > 1 { self.passes } else { PASSES_OF_LOOP }
    }
}

impl Default for TemporalSettings {
    fn default() -> Self {
        Self {
            weight: 200.0,
            boil: 0.0,
            offsets: vec![1, 10, 20, 40],
            distance: Distance::Square,
            passes: 1,
            ring: false,
            consistency: ConsistencySettings::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Distance {
    Square,
    SmoothL1,
}

/// `[temporal.consistency]`: where motion is believed. The defaults are the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsistencySettings {
    /// Forward and backward flow disagree where |w + w'|^2 > relative (|w|^2 + |w'|^2) + absolute.
    pub relative: f64,
    /// In squared pixels.
    pub absolute: f64,
    /// Motion breaks where |grad u|^2 + |grad v|^2 > boundary_relative |w|^2 + boundary_absolute.
    pub boundary_relative: f64,
    pub boundary_absolute: f64,
    /// Standard deviation in pixels of the blur that lowers weights beside unreliable pixels.
    pub blur: f64,
}

impl Default for ConsistencySettings {
    fn default() -> Self {
        Self { relative: 0.01, absolute: 0.5, boundary_relative: 0.01, boundary_absolute: 0.002, blur: 0.8 }
    }
}
