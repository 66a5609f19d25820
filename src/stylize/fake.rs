//! Stylizers that do not paint: test doubles that prove what the rest of the pipeline preserves.

use super::{Done, FrameStats, StyleError, Stylized, Stylizer};
use crate::media::Pixels;
use crate::motion::Transition;

/// Returns every picture unchanged.
#[derive(Debug, Default)]
pub struct Identity;

impl Stylizer for Identity {
    fn push(&mut self, content: &Pixels, _arrival: &Transition, done: &mut Done<'_>) -> Result<(), StyleError> {
        done(Stylized { pixels: content.clone(), stats: FrameStats::default() })
    }
}

/// The colours of [`Bars`] from left to right, in RGB of 0..=255.
pub const BARS: [[u8; 3]; 8] = [
    [230, 20, 20],
    [20, 230, 20],
    [20, 20, 230],
    [230, 230, 20],
    [20, 230, 230],
    [230, 20, 230],
    [128, 128, 128],
    [250, 120, 10],
];

/// Paints every picture with vertical bars of equal width in saturated colours ([`BARS`]). An identity round trip
/// cannot detect a wrong colour matrix, because its two errors cancel; these colours survive only the right one.
#[derive(Debug, Default)]
pub struct Bars;

impl Stylizer for Bars {
    fn push(&mut self, content: &Pixels, _arrival: &Transition, done: &mut Done<'_>) -> Result<(), StyleError> {
        let mut pixels = content.clone();
        let width = pixels.width.max(1);
        let plane = pixels.width * pixels.height;
        for (i, value) in pixels.rgb.iter_mut().enumerate() {
            let (channel, x) = (i / plane, i % width);
            *value = f32::from(BARS[x * BARS.len() / width][channel]) / 255.0;
        }
        done(Stylized { pixels, stats: FrameStats::default() })
    }
}
