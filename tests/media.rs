//! Decode and encode without a stylizer between them: the output equals the input.
#![allow(clippy::unwrap_used)]

mod common;

#[path = "media/animations.rs"]
mod animations;
#[path = "media/colour.rs"]
mod colour;
#[path = "media/encoders.rs"]
mod encoders;
#[path = "media/errors.rs"]
mod errors;
#[path = "media/other_streams.rs"]
mod other_streams;
#[path = "media/pictures.rs"]
mod pictures;
#[path = "media/reading.rs"]
mod reading;
#[path = "media/shape.rs"]
mod shape;
#[path = "media/streams.rs"]
mod streams;
#[path = "media/timing.rs"]
mod timing;
