//! The interface to a feature network. This module knows no network: the code that builds the job provides one.

use std::error::Error;

use crate::media::Pixels;

/// The network failed, mostly for lack of memory.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct FeatureError(#[from] Box<dyn Error + Send + Sync>);

/// Activations of one layer, `[channels,height,width]`, plane after plane.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub values: Vec<f32>,
}

/// A network that compares frames.
pub trait FeatureNetwork {
    /// Returns the activations of the layer used for the ghost figures. No side of `picture` may be shorter than 32
    /// pixels.
    ///
    /// # Errors
    /// Returns what the network reports.
    fn features(&mut self, picture: &Pixels) -> Result<Features, FeatureError>;

    /// Returns the same activations for a painted frame, and the style distance of each of its tiles (about 64 x 64
    /// pixels): 0 for the style itself, about 1 for none of it. There are no tiles if the style is not known.
    ///
    /// # Errors
    /// Returns what the network reports.
    fn painted(&mut self, picture: &Pixels) -> Result<(Features, Vec<f64>), FeatureError>;
}
