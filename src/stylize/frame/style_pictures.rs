//! Reads the style pictures that the settings name.

use std::path::{Path, PathBuf};

use image::ImageError;
use rayon::prelude::*;
use tch::{Device, Tensor};

use crate::media::Pixels;
use crate::media::picture::{self, Bounds};
use crate::read_limited;
use crate::settings::{Settings, builtin_image};
use crate::stylize::StyleError;
use crate::stylize::tensor::from_pixels;

/// A style picture in its own size, `[1,3,H,W]`, and its share of the blend.
#[derive(Debug)]
pub struct StylePicture {
    pub image: Tensor,
    pub weight: f64,
}

impl StylePicture {
    /// Returns the same picture; its samples are shared.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self { image: self.image.shallow_clone(), weight: self.weight }
    }
}

/// Reads the style pictures that `settings` name, in their own sizes.
pub(in crate::stylize) fn read_styles(settings: &Settings, device: Device) -> Result<Vec<StylePicture>, StyleError> {
    let (images, bounds) = (&settings.style.images, settings.input.bounds());
    let pictures = images.par_iter().map(|style| read_style(&style.image, bounds)).collect::<Result<Vec<_>, _>>()?;
    let styles = pictures
        .iter()
        .zip(images)
        .map(|(pixels, style)| Ok(StylePicture { image: from_pixels(pixels, device)?, weight: style.weight }));
    styles.collect()
}

/// Reads a style picture from a file or from `builtin:NAME`.
pub(in crate::stylize) fn read_style(image: &str, bounds: Bounds) -> Result<Pixels, StyleError> {
    let bad = |problem: String| StyleError::StylePicture { path: PathBuf::from(image), problem };
    let bytes = match image.strip_prefix("builtin:") {
        Some(name) => builtin_image(name).ok_or_else(|| bad("there is no such built-in picture".into()))?.to_vec(),
        None => read_limited::read(Path::new(image), read_limited::PICTURE).map_err(|error| bad(error.to_string()))?,
    };
    match picture::look(&bytes, bounds) {
        // Transparent pixels do not count.
        Ok(found) => {
            found.warnings.iter().for_each(|warning| tracing::warn!(image, "{warning}"));
            Ok(picture::without_holes(found.pixels))
        }
        Err(ImageError::Limits(_)) => Err(bad(format!(
            "it is larger than the {} pixels ({} along a side) that are allowed; make it smaller, or allow more with \
             --set input.max_pixels=N, --set input.max_side=N",
            bounds.pixels, bounds.side
        ))),
        Err(error) => Err(bad(format!("{error}; use a PNG, JPEG or WebP file"))),
    }
}
