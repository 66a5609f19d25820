//! The network with which the meter inspects frames: always the built-in one, whichever network painted them.

use tch::{Device, Kind, Tensor, no_grad};

use super::backbone::{self, Backbone, NetOptions};
use super::frame::frame_size::scaled_style;
use super::frame::loss::{energy, gram};
use super::frame::style_pictures::{StylePicture, read_styles};
use super::tensor::{from_pixels, to_planes};
use super::{StyleError, device};
use crate::measure::{FeatureError, FeatureNetwork, Features};
use crate::media::{LUMA, Pixels};
use crate::settings::{Colour, NetworkSettings, Settings, StyleSettings};

const NETWORK: &str = "patches";
/// The layer searched for ghosts: the second of four convolutions, with stride 2; each unit sees 15 x 15 pixels.
const GHOSTS: &str = "relu2";
/// The layers that describe a tile's style by its fine strokes: strides 1, 2 and 2.
const STROKES: [&str; 3] = ["relu1", "half1", "relu2"];
/// Approximate side of a tile, in pixels.
const TILE: i64 = 64;

/// The style that a result should have.
struct Style {
    pictures: Vec<StylePicture>,
    scale: f64,
    /// Set if results keep the scene's colours: then only the lightness of their strokes is compared with the style.
    grey: bool,
    /// Gram matrices `[C,C]` of the layers [`STROKES`], and the frame height and width that they are valid for.
    targets: Option<([i64; 2], Vec<Tensor>)>,
}

/// Measures features and style distances of frames with the built-in network.
pub struct MeterNetwork {
    network: Box<dyn Backbone>,
    ghosts: usize,
    strokes: Vec<usize>,
    style: Option<Style>,
    device: Device,
}

impl MeterNetwork {
    /// Opens the network on the device that `settings` name; `with_style` also loads their style pictures.
    ///
    /// # Errors
    /// If the device does not exist or a style picture cannot be read.
    pub fn open(settings: &Settings, with_style: bool) -> Result<Self, StyleError> {
        let device = device::resolve(settings.device)?;
        let pictures = if with_style { read_styles(settings, device)? } else { Vec::new() };
        Self::new(&pictures, &settings.style, device)
    }

    /// Creates the meter for the style of `pictures`, at the scale and in the colours of `style`; without pictures it
    /// has no style.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn new(pictures: &[StylePicture], style: &StyleSettings, device: Device) -> Result<Self, StyleError> {
        Self::with(Self::network(device)?, pictures, style, device)
    }

    /// Builds the network of every meter.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub(super) fn network(device: Device) -> Result<Box<dyn Backbone>, StyleError> {
        let built_in = |name: &str| {
            let problem = "they are not built in: this is a fault of the program".into();
            Err(StyleError::Weights { backbone: name.into(), problem })
        };
        backbone::build(NETWORK, NetOptions::from(&NetworkSettings::default()), device, built_in)
    }

    /// As [`MeterNetwork::new`], with a `network` from [`MeterNetwork::network`].
    pub(super) fn with(
        network: Box<dyn Backbone>,
        pictures: &[StylePicture],
        style: &StyleSettings,
        device: Device,
    ) -> Result<Self, StyleError> {
        let ghosts = network.layer(GHOSTS)?;
        let strokes = STROKES.iter().map(|name| network.layer(name)).collect::<Result<_, _>>()?;
        let style = (!pictures.is_empty()).then(|| Style {
            pictures: pictures.iter().map(StylePicture::shared).collect(),
            scale: style.scale,
            grey: style.colour == Colour::Content,
            targets: None,
        });
        Ok(Self { network, ghosts, strokes, style, device })
    }

    fn seen(&mut self, picture: &Pixels, painted: bool) -> Result<(Features, Vec<f64>), StyleError> {
        no_grad(|| {
            let image = from_pixels(picture, self.device)?;
            let Some(style) = self.style.as_mut().filter(|_| painted) else {
                let found = self.network.forward(&image, &[self.ghosts])?;
                return Ok((planes(found.first())?, Vec::new()));
            };
            let (_, _, height, width) = image.size4()?;
            let network = self.network.as_ref();
            let wanted: Vec<usize> = [self.ghosts].iter().chain(&self.strokes).copied().collect();
            let mut found = network.forward(&image, &wanted)?;
            let features = planes(found.first())?;
            let strokes = match style.grey {
                true => network.forward(&grey(&image)?, &self.strokes)?,
                false => found.split_off(1),
            };
            let targets = style.targets(network, &self.strokes, [height, width])?;
            Ok((features, distances(&strokes, targets, [height, width])?))
        })
    }
}

impl FeatureNetwork for MeterNetwork {
    fn features(&mut self, picture: &Pixels) -> Result<Features, FeatureError> {
        let (features, _) = self.seen(picture, false).map_err(|error| FeatureError::from(Box::from(error)))?;
        Ok(features)
    }

    fn painted(&mut self, picture: &Pixels) -> Result<(Features, Vec<f64>), FeatureError> {
        self.seen(picture, true).map_err(|error| FeatureError::from(Box::from(error)))
    }
}

impl Style {
    /// Returns the Gram matrices for frames of the given height and width, with strokes of the size that a run paints
    /// there.
    fn targets(
        &mut self,
        network: &dyn Backbone,
        layers: &[usize],
        [height, width]: [i64; 2],
    ) -> Result<&[Tensor], StyleError> {
        let known = self.targets.take().filter(|(size, _)| *size == [height, width]);
        let (_, targets) = match known {
            Some(known) => self.targets.insert(known),
            None => {
                let grams = self.grams(network, layers, [height, width])?;
                self.targets.insert(([height, width], grams))
            }
        };
        Ok(targets)
    }

    /// Computes the Gram matrices, blended by the pictures' weights.
    fn grams(
        &self,
        network: &dyn Backbone,
        layers: &[usize],
        [height, width]: [i64; 2],
    ) -> Result<Vec<Tensor>, StyleError> {
        let total: f64 = self.pictures.iter().map(|picture| picture.weight).sum();
        let mut blend: Vec<Option<Tensor>> = layers.iter().map(|_| None).collect();
        for picture in &self.pictures {
            let image = scaled_style(&picture.image, self.scale, height, width)?;
            let image = if self.grey { grey(&image)? } else { image };
            for (slot, features) in blend.iter_mut().zip(network.forward(&image, layers)?) {
                let share = gram(&features)?.f_mul_scalar(picture.weight / total)?;
                *slot = Some(match slot.take() {
                    Some(sum) => sum.f_add(&share)?,
                    None => share,
                });
            }
        }
        Ok(blend.into_iter().flatten().collect())
    }
}

/// For each tile, row by row: the mean over the layers of sum (G-A)^2 / sum A^2, for the tile's Gram matrix G and the
/// style's A.
fn distances(layers: &[Tensor], targets: &[Tensor], [height, width]: [i64; 2]) -> Result<Vec<f64>, StyleError> {
    let count = |length: i64| ((length + TILE / 2) / TILE).max(1);
    let (rows, columns) = (count(height), count(width));
    let mut sums = vec![0.0; (rows * columns) as usize];
    for (features, target) in layers.iter().zip(targets) {
        let (_, _, h, w) = features.size4()?;
        let mut found = Vec::with_capacity(sums.len());
        for tile in 0..rows * columns {
            let (row, column) = (tile / columns, tile % columns);
            let (top, left) = (row * h / rows, column * w / columns);
            let (bottom, right) = ((row + 1) * h / rows, (column + 1) * w / columns);
            let part = features.f_narrow(2, top, bottom - top)?.f_narrow(3, left, right - left)?;
            found.push(energy(&gram(&part)?.f_sub(target)?)?);
        }
        // Read back all at once, because each read waits for the device.
        let found = Tensor::f_stack(&found, 0)?.f_div(&energy(target)?.f_clamp_min(1e-24)?)?;
        sums.iter_mut().zip(to_planes(&found)?).for_each(|(sum, value)| *sum += f64::from(value));
    }
    sums.iter_mut().for_each(|sum| *sum /= layers.len().max(1) as f64);
    Ok(sums)
}

/// Copies `[1,C,h,w]` to the host.
fn planes(features: Option<&Tensor>) -> Result<Features, StyleError> {
    let features = features.ok_or_else(|| StyleError::Torch("the network gave no activations".into()))?;
    let (_, channels, height, width) = features.size4()?;
    let [channels, height, width] = [channels, height, width].map(|n| n as usize);
    Ok(Features { channels, height, width, values: to_planes(features)? })
}

/// Returns the luma of `[1,3,H,W]` in all three channels.
fn grey(image: &Tensor) -> Result<Tensor, StyleError> {
    let weights = Tensor::f_from_slice(&LUMA)?.f_to_kind(Kind::Float)?.f_view([1, 3, 1, 1])?;
    let luma = image.f_mul(&weights.f_to_device(image.device())?)?;
    Ok(luma.f_sum_dim_intlist([1i64].as_slice(), true, Kind::Float)?.f_expand_as(image)?.f_contiguous()?)
}
