//! Decode and encode without a stylizer between them: the output equals the input.

mod animations;
mod colour;
mod encoders;
mod errors;
mod other_streams;
mod pictures;
mod reading;
mod shape;
mod streams;
mod timing;
