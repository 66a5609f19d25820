//! Draws a layer's sheet: a block for each unit, nine patches on the left and their projections on the right.

use std::path::Path;

use super::ExploreError;
use super::best::KEPT;
use super::canvas::{Canvas, LINE};
use super::tile;

/// Number of units on one sheet.
pub const PER_SHEET: usize = 36;
/// Spacing in pixels between tiles, between the two grids, and around a block.
const GAP: usize = 2;
const MIDDLE: usize = 10;
const MARGIN: usize = 10;
/// Approximate width of a sheet in pixels.
const WIDTH: usize = 2000;

/// Positions of blocks and tiles on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Side of a tile in pixels.
    pub side: usize,
    columns: usize,
    rows: usize,
}

impl Layout {
    /// Creates the layout for `units` units with a receptive field of `field` pixels.
    pub fn new(field: usize, units: usize) -> Self {
        let side = tile::side(field);
        let most = (WIDTH / (Self::block_width(side) + MARGIN)).max(1);
        let square = (units as f64).sqrt().ceil() as usize;
        let columns = square.max(units.min(3)).clamp(1, most);
        Self { side, columns, rows: units.div_ceil(columns).max(1) }
    }

    fn grid(side: usize) -> usize {
        3 * side + 2 * GAP
    }

    fn block_width(side: usize) -> usize {
        2 * Self::grid(side) + MIDDLE
    }

    /// Returns the top left corner of a block.
    fn block(&self, index: usize) -> (usize, usize) {
        let (width, height) = (Self::block_width(self.side) + MARGIN, LINE + Self::grid(self.side) + MARGIN);
        (MARGIN + index % self.columns * width, MARGIN + index / self.columns * height)
    }

    /// Returns the top left corners of a block's tiles: the patch of the k-th activation, and its projection.
    pub fn tiles(&self, index: usize, k: usize) -> [(usize, usize); 2] {
        let (x, y) = self.block(index);
        let step = self.side + GAP;
        let (x, y) = (x + k % 3 * step, y + LINE + k / 3 * step);
        [(x, y), (x + Self::grid(self.side) + MIDDLE, y)]
    }

    pub fn width(&self) -> usize {
        MARGIN + self.columns * (Self::block_width(self.side) + MARGIN)
    }

    pub fn height(&self) -> usize {
        MARGIN + self.rows * (LINE + Self::grid(self.side) + MARGIN)
    }
}

/// Tiles of one unit, planes of `[3,side,side]`, strongest activation first.
#[derive(Debug, Clone, Default)]
pub struct UnitTiles {
    /// In 0..=255.
    pub patches: Vec<Vec<f32>>,
    pub projections: Vec<Vec<f32>>,
}

/// Draws and saves a sheet of `units`, each with its tiles.
///
/// # Errors
/// If the folder cannot be written to.
pub fn draw(path: &Path, layout: Layout, units: &[(usize, &UnitTiles)]) -> Result<(), ExploreError> {
    let mut canvas = Canvas::new(layout.width(), layout.height());
    for (index, (unit, tiles)) in units.iter().enumerate() {
        let (x, y) = layout.block(index);
        canvas.number(x, y, *unit);
        let contrast = tile::contrast(tiles.projections.iter().map(Vec::as_slice));
        for k in 0..KEPT {
            let [left, right] = layout.tiles(index, k);
            match (tiles.patches.get(k), tiles.projections.get(k)) {
                (Some(patch), Some(projection)) => {
                    canvas.tile(left.0, left.1, layout.side, patch);
                    canvas.tile(right.0, right.1, layout.side, &tile::shown(projection, contrast));
                }
                _ => {
                    canvas.empty(left.0, left.1, layout.side);
                    canvas.empty(right.0, right.1, layout.side);
                }
            }
        }
    }
    canvas.save(path)
}
