//! Paints one frame: its look, the terms of J, where the descent starts and how long it runs.

mod bleed;
pub mod colour;
pub mod effort;
pub mod faces;
pub(super) mod first_frame;
pub mod frame_optimizer;
pub(super) mod frame_size;
pub mod init;
mod layer_plan;
pub(super) mod look;
pub mod loss;
pub mod objective;
pub mod optimizer;
pub mod phase;
pub mod scene;
pub mod style_pictures;
pub(super) mod style_targets;
