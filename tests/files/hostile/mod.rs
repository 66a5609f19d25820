//! Malicious inputs, names and presets, through the program's command line.

mod heads;
mod limits;
mod mutate;
mod names;
mod numbers;
mod presets;
mod references;
mod sweep;
