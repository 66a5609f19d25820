//! The interface for inspecting a network: the receptive fields of its units, and the pixels that excite them.

use tch::Tensor;

use super::field::{Field, LayerShape};
use crate::stylize::StyleError;

/// One activation: a unit (feature map) of a layer, a position in its map, and the value there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    pub unit: usize,
    pub y: i64,
    pub x: i64,
    pub value: f32,
}

/// The activations of one layer that are to be projected.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Index into the network's layers.
    pub layer: usize,
    pub picks: Vec<Pick>,
}

/// A network that can be inspected with a deconvnet (Zeiler & Fergus 2013).
pub trait Inspect {
    /// Returns the shape of every layer, in the network's order.
    fn shapes(&self) -> Vec<LayerShape>;

    /// Returns the receptive field of one unit; never larger than its layer's.
    fn field(&self, layer: usize, unit: usize) -> Field;

    /// Returns height and width of a layer's maps for a picture of the given size; `None` if the picture is too small.
    fn map_size(&self, layer: usize, height: i64, width: i64) -> Option<[i64; 2]>;

    /// Projects each pick, alone in its layer, down to the pixels of `image` `[1,3,H,W]` with a deconvnet. A projection
    /// is `[3,s,s]` over the unit's receptive field of s pixels, zero where the field lies outside the picture. Each
    /// one is passed to `taker` as soon as it is computed, because all of them together would take gigabytes.
    ///
    /// # Errors
    /// Returns what libtorch or `taker` reports.
    fn project_into(&self, image: &Tensor, wanted: &[Wanted], taker: &mut Taker<'_>) -> Result<(), StyleError>;

    /// As [`Inspect::project_into`], but returns all projections at once, in the order of `wanted`.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    fn project(&self, image: &Tensor, wanted: &[Wanted]) -> Result<Vec<Vec<Tensor>>, StyleError> {
        let mut found: Vec<Vec<Tensor>> = wanted.iter().map(|_| Vec::new()).collect();
        self.project_into(image, wanted, &mut |layer, projection| {
            found[layer].push(projection);
            Ok(())
        })?;
        Ok(found)
    }
}

/// A callback that receives the projections of the picks of `wanted[n]`, in their order; its first argument is n.
pub type Taker<'a> = dyn FnMut(usize, Tensor) -> Result<(), StyleError> + 'a;

/// Cuts `size` x `size` pixels from (`top`, `left`) out of `[1,3,H,W]`, zero outside the picture: `[3,size,size]`.
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

/// For the `size` positions from `first` on: returns how many lie before 0, and how many lie inside `0..length`.
pub(super) fn inside(first: i64, size: i64, length: i64) -> (i64, i64) {
    let before = (-first).clamp(0, size);
    (before, ((length - first).clamp(0, size) - before).max(0))
}
