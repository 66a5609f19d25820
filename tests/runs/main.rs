//! Runs as users and unattended machines start them: options, settings, plans, identity, resume, records, weights.
#![allow(clippy::unwrap_used)]

mod cli;
#[path = "../common/mod.rs"]
mod common;
mod identity;
mod plan;
mod provenance;
mod resume;
mod settings;
mod unattended;
mod watched;
mod weights;
