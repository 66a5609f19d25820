//! Paints the frames of a clip one after another, in a single pass or in several.

pub(super) mod footprint;
pub mod multi_pass;
pub mod single_pass;
