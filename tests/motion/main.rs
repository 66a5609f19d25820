//! Optical flow and its reliability, on clips whose motion is known exactly.
#![allow(clippy::unwrap_used)]

mod command;
#[path = "../common/mod.rs"]
mod common;
mod cuts;
#[cfg(feature = "opencv")]
mod dis;
mod ghosts;
mod job;
mod measure;
mod reliability;
mod shots;
mod steps;
mod synth;
