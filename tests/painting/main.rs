//! Painting, motion and what a network sees, compared with independent references.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod explore;
mod motion;
mod stylize;
