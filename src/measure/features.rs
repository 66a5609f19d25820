//! What a network sees in a picture. Figures know no networks: whoever builds the job hands one in.

use std::error::Error;

use crate::media::Pixels;

/// The network failed: out of memory, above all.
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

/// A network that frames are compared with.
pub trait FeatureNetwork {
    /// Activations of the layer that ghosts are looked for in. The picture has no side under 32 pixels.
    ///
    /// # Errors
    /// What the network reports.
    fn features(&mut self, picture: &Pixels) -> Result<Features, FeatureError>;

    /// The same of a painted frame and, of each tile of it (about 64 x 64 pixels), how far it is from the style: 0 is the
    /// style itself, about 1 is nothing of it. No tiles where the style is not known.
    ///
    /// # Errors
    /// What the network reports.
    fn painted(&mut self, picture: &Pixels) -> Result<(Features, Vec<f64>), FeatureError>;
}
