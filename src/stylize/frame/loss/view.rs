//! What a term of J sees.

use std::cell::OnceCell;

use tch::Tensor;

use super::window::Window;
use crate::stylize::StyleError;
use crate::stylize::tensor::{Border, box_blur};

/// The input of a term: a frame's picture, or a part of it, and the requested activations.
#[derive(Debug)]
pub struct View<'a> {
    /// G, `[1,3,H,W]`, RGB, 0..=1.
    pub image: &'a Tensor,
    /// Activations `[1,C,H',W']`, one per layer of the objective's layer list.
    pub features: &'a [Tensor],
    /// Width in pixels of the mirrored margin at each side of the frame, which only the networks see.
    margin: i64,
    /// Where the picture and the activations of each layer lie in the frame's, if they are a part of it.
    part: Option<(Window, &'a [Window])>,
    blurred: OnceCell<Tensor>,
}

impl<'a> View<'a> {
    pub fn new(image: &'a Tensor, features: &'a [Tensor]) -> Self {
        Self { image, features, margin: 0, part: None, blurred: OnceCell::new() }
    }

    /// Returns the same view for networks that saw the picture with a mirrored margin of `margin` pixels at each side.
    #[must_use]
    pub fn with_margin(self, margin: i64) -> Self {
        Self { margin, ..self }
    }

    /// Returns the same view as a part of a frame: `image` says where its picture lies in the frame, and `features`,
    /// where the activations of each layer lie in those of the frame.
    #[must_use]
    pub fn within(self, image: Window, features: &'a [Window]) -> Self {
        Self { part: Some((image, features)), ..self }
    }

    /// Returns where the picture lies in the frame.
    pub(super) fn window(&self) -> Result<Window, StyleError> {
        let (_, _, h, w) = self.image.size4()?;
        Ok(self.part.map_or_else(|| Window::all([h, w]), |(image, _)| image))
    }

    /// Returns where the activations of layer `layer` lie in those of the frame.
    pub(super) fn window_of(&self, layer: usize) -> Result<Window, StyleError> {
        let (_, _, h, w) = self.features[layer].size4()?;
        Ok(self.part.map_or_else(|| Window::all([h, w]), |(_, features)| features[layer]))
    }

    /// Returns the number of positions along each border of the frame's activations of layer `layer` that lie in the
    /// margin, at least one. There a network sees the extension of the picture, and a descent responds with a coloured
    /// fringe. More positions than these must not be left out, or the picture's own border stays unpainted.
    pub(super) fn border(&self, layer: usize) -> Result<i64, StyleError> {
        let seen = self.window()?.whole[1] + 2 * self.margin;
        let w = self.window_of(layer)?.whole[1];
        Ok((self.margin as f64 * w as f64 / seen as f64).ceil().max(1.0) as i64)
    }

    /// Returns G blurred over 5 x 5 pixels, computed once for all terms. The outer two pixels of a part's halo are not
    /// those of the frame.
    pub(super) fn blurred(&self) -> Result<&Tensor, StyleError> {
        if let Some(blurred) = self.blurred.get() {
            return Ok(blurred);
        }
        let blurred = box_blur(self.image, Border::Nothing)?;
        Ok(self.blurred.get_or_init(|| blurred))
    }
}

/// How many pixels around a part [`View::blurred`] needs.
pub(super) const BLUR: i64 = 2;
