//! Commands that do not paint: they take plain arguments and write plain text.

pub mod doctor;
pub mod weights;
