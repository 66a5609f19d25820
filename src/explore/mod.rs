//! Shows what a network learned, using the user's own pictures (Zeiler & Fergus 2013): for each unit the nine patches
//! that activate it most, and the deconvnet projection of each.
//!
//! There are two passes. The [`survey`] runs every picture through the network once and stores, per unit, the positions
//! of its nine strongest activations: numbers, no pixels, so a million pictures take no more memory than nine. The
//! [`gallery`] then reads the winning pictures again, cuts out patches, projects activations, and draws sheets.
//! Pictures are 8-bit throughout, so both passes see the same numbers.
//!
//! This module does not use tensors; [`crate::stylize::probe`] does.

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

/// Name of the state file in the output folder.
pub const STATE_FILE: &str = "layers.json";

/// The units shown of each layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Units {
    /// This number of units: those with the strongest activations, or with the largest share of the style distance.
    Count(usize),
    All,
    These(Vec<usize>),
}

/// The frames of a video that are used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Every {
    /// Every n-th frame, starting with the first.
    Frames(u64),
    /// The first frame of each period of this many seconds.
    Seconds(f64),
}

/// Writes a file atomically.
///
/// # Errors
/// If the folder cannot be written to.
fn publish(path: &Path, bytes: &[u8]) -> Result<(), ExploreError> {
    write_whole(path, bytes).map_err(|source| ExploreError::Write { path: path.into(), source })
}
