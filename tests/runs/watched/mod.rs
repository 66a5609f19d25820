//! Unattended runs: when they end and what they report.

mod events;
mod files;
mod harness;
mod plan;
mod schedule;
