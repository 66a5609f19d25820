//! Malicious inputs, names and presets, through the program's command line.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../formats/harness.rs"]
#[allow(dead_code)]
mod harness;

mod heads;
mod limits;
mod mutate;
mod names;
mod numbers;
mod presets;
mod references;
mod sweep;
