//! Network visualisation, compared with independent references and with networks whose weights are set by hand.

mod browser;
mod command;
mod fields;
mod golden;
mod known;
mod nine;

use std::path::Path;

use crate::stylize::{PLAIN, formula, network, numbers};

/// Writes an 8-bit picture.
fn save(path: &Path, width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) {
    image::RgbImage::from_fn(width, height, |x, y| image::Rgb(pixel(x, y))).save(path).unwrap();
}
