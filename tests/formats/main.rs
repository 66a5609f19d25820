//! Every row of the table in `docs/formats.md`, through the program's command line.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod harness;

mod timing;
