//! What earlier frames tell about a new one: painted frames carried along the motion, and how far to believe them.

mod belief;
pub mod boil;
pub mod chain;
pub(super) mod disocclusion_fill;
mod global_motion;
pub mod history;
pub mod photometric;
pub mod pinned;
