//! The types that all stages share (frames, time, colour, inputs and outputs) and the FFmpeg calls that they need.

pub mod area;
mod color;
pub(crate) mod ffi;
pub(crate) mod floats;
mod frame;
pub(crate) mod graph;
mod info;
mod job;
pub mod libav;
pub mod picture;
pub mod raw;
mod samples;
mod span;
pub(crate) mod splice;
pub(crate) mod tags;
mod time;

pub use color::ColorInfo;
pub use ffi::init;
pub use frame::{Frame, LUMA, Pixels, to_u8};
pub use info::{MediaInfo, Ratio, Source};
pub use job::{Input, Names, NumberedName, Output, Range};
pub use samples::{Model, Samples};
pub use span::Span;
pub use time::{TimeBase, Timing};
