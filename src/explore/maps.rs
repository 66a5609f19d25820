//! Draws the feature maps of one picture.

use std::path::{Path, PathBuf};

use super::ExploreError;
use super::canvas::{Canvas, LINE};
use super::tile::plane;
use crate::media::area;
use crate::stylize::probe::Maps;

/// Longest side of a map on the sheet; smaller maps are enlarged by an integer factor to at most this size.
const SIDE: usize = 128;
const GAP: usize = 6;
/// Approximate width of a sheet in pixels.
const WIDTH: usize = 2000;

/// Draws all feature maps of a layer on one sheet, each with its unit's number: black is 0 and white the layer's
/// strongest activation; in a layer with negative values grey is 0. Returns the path of the file.
///
/// # Errors
/// If the folder cannot be written to.
pub fn draw(folder: &Path, picture: &Path, layer: &str, maps: &Maps) -> Result<PathBuf, ExploreError> {
    let (width, height) = (maps.width.max(1), maps.height.max(1));
    let long = width.max(height);
    let times = (SIDE / long).max(1);
    let (shown_width, shown_height) = area::within(width * times, height * times, SIDE);
    let columns = (WIDTH / (shown_width + GAP)).clamp(1, maps.channels.max(1));
    let rows = maps.channels.div_ceil(columns);
    let (step_x, step_y) = (shown_width + GAP, LINE + shown_height + GAP);
    let mut canvas = Canvas::new(GAP + columns * step_x, GAP + rows * step_y);
    let largest = maps.values.iter().map(|value| value.abs()).fold(f32::MIN_POSITIVE, f32::max);
    let (zero, gain) = if maps.values.iter().any(|value| *value < 0.0) { (127.5, 127.5) } else { (0.0, 255.0) };
    for (unit, map) in maps.values.chunks_exact(width * height).enumerate() {
        let grey: Vec<f32> = map.iter().map(|value| zero + gain * value / largest).collect();
        let grey = plane(&grey, [width, height], [shown_width, shown_height]);
        let (x, y) = (GAP + unit % columns * step_x, GAP + unit / columns * step_y);
        canvas.number(x, y, unit);
        canvas.tile(x, y + LINE, shown_width, &grey.repeat(3));
    }
    let stem = picture.file_stem().unwrap_or_default().to_string_lossy();
    let path = folder.join(format!("activations-{stem}-{layer}.png"));
    canvas.save(&path)?;
    Ok(path)
}
