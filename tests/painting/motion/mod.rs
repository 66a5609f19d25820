//! Optical flow and its reliability, on clips whose motion is known exactly.

mod command;
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
