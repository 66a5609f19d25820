//! Settings for temporal coherence between frames.

use serde::{Deserialize, Serialize};

/// `[temporal]`: the distance to earlier painted frames, warped along the source's motion (Ruder et al. 2016).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TemporalSettings {
    /// Weight of the temporal term in J; 0 turns it off.
    pub weight: f64,
    /// How lively the result may be, 0..=1: strokes are redrawn in every frame and the temporal term weakens.
    pub boil: f64,
    /// Distances in frames back to the earlier frames. Each pixel is compared with the nearest one in which it is
    /// visible.
    pub offsets: Vec<u32>,
    /// Distance between a pixel and its warped earlier value: the square, or smooth L1, which tolerates single
    /// outliers.
    pub distance: Distance,
    /// How often each shot is painted: forward, backward, forward, ...; each pass propagates paint in its direction.
    pub passes: u32,
    /// Whether the clip loops: the last frame is followed by the first.
    #[serde(rename = "loop")]
    pub ring: bool,
    pub consistency: ConsistencySettings,
}

/// Passes for a looping clip when `passes` is 1: the second spreads the seam over the loop, the third smooths.
const PASSES_OF_LOOP: u32 = 3;

impl TemporalSettings {
    /// Returns whether frames are painted more than once.
    pub fn is_reworked(&self) -> bool {
        self.passes > 1 || self.ring
    }

    /// Returns the temporal weight that remains after `boil`.
    pub fn effective_weight(&self) -> f64 {
        self.weight * (1.0 - self.boil).powi(2)
    }

    /// Returns the offsets in use; empty if the temporal term is off.
    pub fn reach(&self) -> &[u32] {
        if self.effective_weight() > 0.0 { &self.offsets } else { &[] }
    }

    /// Returns how strongly still pixels are held to their first painted value, 0..=1; 0 from half the boil on.
    pub fn lock(&self) -> f64 {
        (1.0 - 2.0 * self.boil).max(0.0)
    }

    /// Returns the number of passes for a looping clip.
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

/// `[temporal.consistency]`: where flow is trusted. The defaults are the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConsistencySettings {
    /// Forward and backward flow disagree where |w + w'|^2 > relative (|w|^2 + |w'|^2) + absolute.
    pub relative: f64,
    /// In squared pixels.
    pub absolute: f64,
    /// Motion boundaries lie where |grad u|^2 + |grad v|^2 > boundary_relative |w|^2 + boundary_absolute.
    pub boundary_relative: f64,
    pub boundary_absolute: f64,
    /// Standard deviation in pixels of the blur that lowers weights next to unreliable pixels.
    pub blur: f64,
}

impl Default for ConsistencySettings {
    fn default() -> Self {
        Self { relative: 0.01, absolute: 0.5, boundary_relative: 0.01, boundary_absolute: 0.002, blur: 0.8 }
    }
}
