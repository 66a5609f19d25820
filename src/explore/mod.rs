//! What a network learned, seen through the user's own pictures (Zeiler & Fergus 2013): for each unit the nine patches
//! that excite it most, and of each its deconvnet projection.
//!
//! Two goes. The [`survey`] runs every picture through the network once and keeps, per unit, where its nine strongest
//! activations are: numbers, no pixels, so that a million pictures take no more memory than nine. The [`gallery`] then
//! looks at the pictures that won something once more, cuts patches, projects, and draws sheets. Pictures are 8-bit
//! throughout, so both goes see the same numbers.
//!
//! Knows no tensors: [`crate::stylize::probe`] does.

pub mod best;
mod canvas;
mod error;
pub mod gallery;
pub mod maps;
pub mod page;
pub mod pictures;
pub mod rank;
mod sheet;
pub mod state;
pub mod survey;
mod tile;

pub use error::ExploreError;

use std::path::Path;

use crate::files::write_whole;

/// Units that are shown of each layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Units {
    /// So many: those with the strongest activations, or with the largest share of the style's distance.
    Count(usize),
    All,
    These(Vec<usize>),
}

/// Which frames of a video are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Every {
    /// Each n-th frame, from the first on.
    Frames(u64),
    /// The first frame in each so many seconds.
    Seconds(f64),
}

/// Writes a file so that it is there whole or not at all.
///
/// # Errors
/// When the folder cannot be written to.
fn publish(path: &Path, bytes: &[u8]) -> Result<(), ExploreError> {
    write_whole(path, bytes).map_err(|source| ExploreError::Write { path: path.into(), source })
}
