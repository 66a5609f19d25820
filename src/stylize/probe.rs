//! Inspection of a network for callers without tensors: pixels in, numbers out.

use std::path::{Path, PathBuf};

use tch::{Device, Kind, Tensor, no_grad};

use super::backbone::{self, Backbone, Field, Inspect, LayerShape, NamedTensors, NetOptions, Pick, Wanted};
use super::frame::loss::gram;
use super::frame::style_pictures::read_style;
use super::networks::{chosen_backbone, network_with};
use super::tensor::{from_pixels, to_planes};
use super::{StyleError, device};
use crate::media::Pixels;
use crate::media::picture::Bounds;
use crate::settings::{AUTO, Padding, Settings};
use crate::weights::{self, SearchPath};

/// A network and the device it runs on.
pub struct Probe {
    backbone: Box<dyn Backbone>,
    device: Device,
    shapes: Vec<LayerShape>,
}

/// The response of one layer to one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight {
    /// Index of the layer.
    pub layer: usize,
    /// The strongest activation of each unit; among equal ones the first, row by row.
    pub peaks: Vec<Pick>,
    /// Gram matrix per position, `[C,C]` row-major, if requested.
    pub gram: Option<Vec<f32>>,
}

/// Feature maps of a layer, `[C,height,width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Maps {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub values: Vec<f32>,
}

impl Probe {
    /// # Errors
    /// If the network does not support inspection.
    pub fn new(backbone: Box<dyn Backbone>, device: Device) -> Result<Self, StyleError> {
        let shapes = backbone.inspect().map(Inspect::shapes).ok_or_else(|| {
            let name = backbone.name();
            StyleError::Inspect(format!("{name} cannot be looked into: choose another --backbone"))
        })?;
        Ok(Self { backbone, device, shapes })
    }

    /// Opens the network that `settings` name, with the zero padding that it was trained with: the border handling used
    /// for painting is not part of what the network learned.
    ///
    /// # Errors
    /// If the device does not exist, the backbone is unknown, or weights are missing or damaged.
    pub fn open(settings: &Settings) -> Result<Self, StyleError> {
        let device = device::resolve(settings.device)?;
        let name = seen_network(settings)?;
        Self::new(network_with(&name, settings, as_trained(settings), device)?, device)
    }

    /// Returns the layers of the network that `settings` name. Its weights need not be installed, since they change no
    /// shape.
    ///
    /// # Errors
    /// If the backbone is unknown.
    pub fn outline(settings: &Settings) -> Result<(String, Vec<LayerShape>), StyleError> {
        let name = seen_network(settings)?;
        let blank = |name: &str| -> Result<NamedTensors, StyleError> {
            let tensor = |(key, shape): (String, Vec<usize>)| {
                let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
                Ok((key, Tensor::f_zeros(shape, (Kind::Float, Device::Cpu))?))
            };
            weights::known(name)?.tensors.into_iter().map(tensor).collect()
        };
        let probe = Self::new(backbone::build(&name, as_trained(settings), Device::Cpu, blank)?, Device::Cpu)?;
        Ok((probe.name().to_owned(), probe.shapes))
    }

    pub fn name(&self) -> &str {
        self.backbone.name()
    }

    /// Returns the weights file in use, if the network has one.
    pub fn weights_file(&self, settings: &Settings) -> Option<PathBuf> {
        let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
        weights::known(self.name()).ok()?;
        weights::find(self.name(), &places).ok().map(|found| found.path)
    }

    pub fn shapes(&self) -> &[LayerShape] {
        &self.shapes
    }

    /// Indices of the style layers, fine to coarse.
    ///
    /// # Errors
    /// Does not occur with the existing networks.
    pub fn style_layers(&self) -> Result<Vec<usize>, StyleError> {
        self.backbone.style_layers().iter().map(|name| self.backbone.layer(name)).collect()
    }

    /// # Errors
    /// If the name is unknown; the error lists the known ones.
    pub fn layer(&self, name: &str) -> Result<usize, StyleError> {
        self.backbone.layer(name)
    }

    pub fn field(&self, layer: usize, unit: usize) -> Field {
        self.backbone.inspect().map_or(Field::PIXEL, |inspect| inspect.field(layer, unit))
    }

    /// Whether a picture is large enough for a layer.
    pub fn fits(&self, layer: usize, width: usize, height: usize) -> bool {
        let size = |inspect: &dyn Inspect| inspect.map_size(layer, height as i64, width as i64);
        self.backbone.inspect().and_then(size).is_some()
    }

    /// Runs a picture through the network. Layers that it is too small for are left out. `grams` lists the layers whose
    /// Gram matrix is wanted too.
    ///
    /// # Errors
    /// Returns what libtorch reports, typically that memory is exhausted.
    pub fn look(&self, picture: &Pixels, layers: &[usize], grams: &[usize]) -> Result<Vec<Sight>, StyleError> {
        self.each(picture, layers, |layer, features| {
            let gram = grams.contains(&layer).then(|| to_planes(&gram(features)?)).transpose()?;
            Ok(Sight { layer, peaks: peaks(features)?, gram })
        })
    }

    /// Passes the deconvnet projections of `wanted` in `picture` to `taker`, with the index of their layer in `wanted`.
    /// Each projection is `[3,s,s]`, plane after plane, over the unit's receptive field of s pixels; the projections
    /// follow in the order of the picks.
    ///
    /// # Errors
    /// Returns what libtorch or `taker` reports.
    pub fn project(
        &self,
        picture: &Pixels,
        wanted: &[Wanted],
        taker: &mut dyn FnMut(usize, Vec<f32>) -> Result<(), StyleError>,
    ) -> Result<(), StyleError> {
        let Some(inspect) = self.backbone.inspect() else { return Ok(()) };
        inspect.project_into(&from_pixels(picture, self.device)?, wanted, &mut |layer, projection| {
            taker(layer, to_planes(&projection)?)
        })
    }

    /// Returns all feature maps of the layers that the picture is large enough for.
    ///
    /// # Errors
    /// Returns what libtorch reports.
    pub fn maps(&self, picture: &Pixels, layers: &[usize]) -> Result<Vec<(usize, Maps)>, StyleError> {
        self.each(picture, layers, |layer, features| {
            let (_, channels, height, width) = features.size4()?;
            let [channels, height, width] = [channels, height, width].map(|n| n as usize);
            Ok((layer, Maps { channels, height, width, values: to_planes(features)? }))
        })
    }

    /// Applies `of` to the activations `[1,C,h,w]` of each layer that the picture is large enough for.
    fn each<T>(
        &self,
        picture: &Pixels,
        layers: &[usize],
        of: impl Fn(usize, &Tensor) -> Result<T, StyleError>,
    ) -> Result<Vec<T>, StyleError> {
        let fits = |layer: &usize| self.fits(*layer, picture.width, picture.height);
        let wanted: Vec<usize> = layers.iter().copied().filter(fits).collect();
        no_grad(|| {
            let found = self.backbone.forward(&from_pixels(picture, self.device)?, &wanted)?;
            wanted.iter().zip(&found).map(|(&layer, features)| of(layer, features)).collect()
        })
    }
}

/// Name of the inspected network; if `auto` stands for a set, the one that has learned most.
fn seen_network(settings: &Settings) -> Result<String, StyleError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let names = chosen_backbone(settings, &places);
    match backbone::names(&names).collect::<Vec<_>>().as_slice() {
        [name] => Ok((*name).to_owned()),
        [.., last] if settings.network.backbone == AUTO => Ok((*last).to_owned()),
        names => Err(StyleError::Inspect(format!(
            "one network at a time can be looked into: choose --backbone {}",
            names.join(" or --backbone ")
        ))),
    }
}

/// The settings' network options, with the zero padding of the training.
fn as_trained(settings: &Settings) -> NetOptions {
    NetOptions { padding: Padding::Zeros, ..NetOptions::from(&settings.network) }
}

/// Returns the strongest activation of each unit of `[1,C,h,w]`.
fn peaks(features: &Tensor) -> Result<Vec<Pick>, StyleError> {
    let (_, channels, _, width) = features.size4()?;
    // Among equal maxima libtorch returns the first.
    let (values, places) = features.f_reshape([channels, -1])?.f_max_dim(1, false)?;
    let values = to_planes(&values)?;
    let mut flat = vec![0i64; values.len()];
    let count = flat.len();
    places.f_to_device(Device::Cpu)?.f_copy_data(&mut flat, count)?;
    let pick = |(unit, (value, place)): (usize, (f32, i64))| Pick { unit, y: place / width, x: place % width, value };
    Ok(values.into_iter().zip(flat).enumerate().map(pick).collect())
}

/// Reads a style picture from a file or from `builtin:NAME`.
///
/// # Errors
/// If it cannot be read.
pub fn style_picture(image: &str) -> Result<Pixels, StyleError> {
    read_style(image, Bounds::default())
}
