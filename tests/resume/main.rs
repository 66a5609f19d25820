//! Runs that end before their job does: whatever happens, the next run goes on, and the result has the bytes of a run
//! that was never disturbed.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod damage;
mod harness;
mod killed;
mod other;
mod stopped;
