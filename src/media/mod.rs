//! The words all stages share: frames, time, inputs and outputs.

mod frame;
mod info;
mod job;
mod time;

pub use frame::{Frame, Pixels, to_u8};
pub use info::MediaInfo;
pub use job::{Input, Output, Range};
pub use time::{TimeBase, Timing};
