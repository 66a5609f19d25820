//! What it takes to look into a network: where its units look, and what of a picture excites one of them.

use tch::Tensor;

use super::{Field, LayerShape};
use crate::stylize::StyleError;

/// One activation: a unit (feature map) of a layer, a position in its map, and the value there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    pub unit: usize,
    pub y: i64,
    pub x: i64,
    pub value: f32,
}

/// Activations of one layer that are to be projected.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Index into the network's layers.
    pub layer: usize,
    pub picks: Vec<Pick>,
}

/// A network that can be looked into (Zeiler & Fergus 2013).
pub trait Inspect {
    /// Every layer, in the network's order.
    fn shapes(&self) -> Vec<LayerShape>;

    /// The receptive field of one unit; never larger than its layer's.
    fn field(&self, layer: usize, unit: usize) -> Field;

    /// Height and width of a layer's maps for a picture of that size; `None` where the picture is too small.
    fn map_size(&self, layer: usize, height: i64, width: i64) -> Option<[i64; 2]>;

    /// The deconvnet projection of each pick, alone in its layer, down to the pixels of `image` `[1,3,H,W]`: `[3,s,s]`
    /// over the unit's receptive field of s pixels, zero where that lies outside the picture. Each goes to `taker` as
    /// it is found, for all of them would take gigabytes.
    ///
    /// # Errors
    /// What libtorch reports, or `taker`.
    fn project_into(&self, image: &Tensor, wanted: &[Wanted], taker: &mut Taker<'_>) -> Result<(), StyleError>;

    /// As [`Inspect::project_into`], all at once, in the order of `wanted`.
    ///
    /// # Errors
    /// What libtorch reports.
    fn project(&self, image: &Tensor, wanted: &[Wanted]) -> Result<Vec<Vec<Tensor>>, StyleError> {
        let mut found: Vec<Vec<Tensor>> = wanted.iter().map(|_| Vec::new()).collect();
        self.project_into(image, wanted, &mut |layer, projection| {
            found[layer].push(projection);
            Ok(())
        })?;
        Ok(found)
    }
}

/// Takes projections: of the picks of `wanted[n]`, in their order.
pub type Taker<'a> = dyn FnMut(usize, Tensor) -> Result<(), StyleError> + 'a;

/// `[1,3,H,W]` cut to `size` pixels from (`top`, `left`), with zeros outside: `[3,size,size]`.
pub(super) fn cut(image: &Tensor, top: i64, left: i64, size: i64) -> Result<Tensor, StyleError> {
    let (_, channels, height, width) = image.size4()?;
    let out = Tensor::f_zeros([channels, size, size], (image.kind(), image.device()))?;
    let (rows, columns) = (inside(top, size, height), inside(left, size, width));
    if rows.1 > 0 && columns.1 > 0 {
        let from = image.f_select(0, 0)?.f_narrow(1, top + rows.0, rows.1)?.f_narrow(2, left + columns.0, columns.1)?;
        out.f_narrow(1, rows.0, rows.1)?.f_narrow(2, columns.0, columns.1)?.f_copy_(&from)?;
    }
    Ok(out)
}

/// Of `size` places from `first` on, which lie in `0..length`: how many come before, and how many they are.
pub(super) fn inside(first: i64, size: i64, length: i64) -> (i64, i64) {
    let before = (-first).clamp(0, size);
    (before, ((length - first).clamp(0, size) - before).max(0))
}
