//! An image for sheets, with methods to draw tiles and numbers.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage};

use super::{ExploreError, publish};

const PAPER: Rgb<u8> = Rgb([32, 34, 38]);
const EMPTY: Rgb<u8> = Rgb([44, 47, 53]);
const INK: Rgb<u8> = Rgb([214, 217, 222]);
/// Bitmap font for digits: rows of five bits, the highest bit at the left.
const DIGITS: [[u8; 7]; 10] = [
    [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e],
    [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e],
    [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f],
    [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e],
    [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02],
    [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e],
    [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e],
    [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08],
    [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e],
    [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c],
];
/// Height in pixels of a line with a number.
pub const LINE: usize = 13;

pub struct Canvas(RgbImage);

impl Canvas {
    pub fn new(width: usize, height: usize) -> Self {
        Self(RgbImage::from_pixel(width as u32, height as u32, PAPER))
    }

    /// Draws a tile from planes of `[3,height,width]` in 0..=255.
    pub fn tile(&mut self, x: usize, y: usize, width: usize, planes: &[f32]) {
        let plane = planes.len() / 3;
        for at in 0..plane {
            let value = [0, 1, 2].map(|channel| planes[channel * plane + at].round() as u8);
            self.put(x + at % width, y + at / width, Rgb(value));
        }
    }

    /// Draws a placeholder where there is no activation.
    pub fn empty(&mut self, x: usize, y: usize, side: usize) {
        for row in 0..side {
            for column in 0..side {
                self.put(x + column, y + row, EMPTY);
            }
        }
    }

    pub fn number(&mut self, x: usize, y: usize, number: usize) {
        for (place, digit) in number.to_string().bytes().enumerate() {
            for (row, bits) in DIGITS[usize::from(digit - b'0') % 10].iter().enumerate() {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    self.put(x + 6 * place + column, y + 2 + row, INK);
                }
            }
        }
    }

    fn put(&mut self, x: usize, y: usize, color: Rgb<u8>) {
        if let Some(pixel) = self.0.get_pixel_mut_checked(x as u32, y as u32) {
            *pixel = color;
        }
    }

    /// Saves the canvas as a PNG file.
    ///
    /// # Errors
    /// If the folder cannot be written to.
    pub fn save(&self, path: &Path) -> Result<(), ExploreError> {
        let mut bytes = Cursor::new(Vec::new());
        let failed = |source| ExploreError::Draw { path: path.into(), source };
        self.0.write_to(&mut bytes, ImageFormat::Png).map_err(failed)?;
        publish(path, bytes.get_ref())
    }
}
