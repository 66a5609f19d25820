//! Unattended runs: when they end and what they report.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod events;
mod files;
mod harness;
mod plan;
mod schedule;
