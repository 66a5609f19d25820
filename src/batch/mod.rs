//! Jobs: which inputs become which outputs.

pub mod plan;
