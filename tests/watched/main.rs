//! Runs that machines look after: when they end, and what they tell.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod events;
mod files;
mod harness;
mod plan;
mod schedule;
