//! Rules that hold for the repository as a whole.
#![allow(clippy::unwrap_used)]

mod architecture;
mod commands;
mod messages;
