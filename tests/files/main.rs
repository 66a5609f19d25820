//! What the program reads and writes: every kind of file, valid and hostile, compared with what `ffmpeg` sees in it.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod formats;
mod hostile;
mod media;
mod outputs;
mod verify;
