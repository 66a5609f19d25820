//! The loaded part of a stylizer: what depends neither on the pictures that it paints nor on most settings. A worker
//! keeps it from one job to the next, because loading takes longer than painting a small picture.

use std::path::{Path, PathBuf};

use tch::Device;

use super::backbone::{Backbone, NetOptions};
use super::frame::faces::FaceFinder;
use super::frame::frame_optimizer::FrameOptimizer;
use super::frame::style_pictures::{StylePicture, read_styles};
use super::frame::style_targets::TargetMemory;
use super::meter_network::MeterNetwork;
use super::networks::{chosen_backbone, face_finder, finds_faces, network_with, weight_files};
use super::{StyleError, device};
use crate::files::FileStat;
use crate::interrupt::CancelToken;
use crate::media::picture::Bounds;
use crate::settings::{NetworkSettings, Settings, StyleImage};
use crate::weights::SearchPath;

/// Networks and style pictures on a device. Stylizers share its tensors, which nobody changes.
pub(super) struct Model {
    pub device: Device,
    pub backbone: Box<dyn Backbone>,
    pub styles: Vec<StylePicture>,
    /// `None` if faces are not searched for.
    pub finder: Option<FaceFinder>,
    /// The network of [`MeterNetwork`].
    pub meter: Box<dyn Backbone>,
    /// Style targets of the frame sizes that came up so far.
    pub targets: TargetMemory,
}

impl Model {
    fn load(settings: &Settings, source: &Source) -> Result<Self, StyleError> {
        let device = source.device;
        let backbone = network_with(&source.backbone, settings, NetOptions::from(&settings.network), device)?;
        let styles = read_styles(settings, device)?;
        let meter = MeterNetwork::network(device)?;
        let finder = face_finder(settings, device)?;
        Ok(Self { device, backbone, styles, finder, meter, targets: TargetMemory::default() })
    }

    /// Returns a frame optimizer that shares the tensors of this model.
    ///
    /// # Errors
    /// As [`FrameOptimizer::new`].
    pub fn frame_optimizer(&self, settings: &Settings, cancel: &CancelToken) -> Result<FrameOptimizer, StyleError> {
        let styles = self.styles.iter().map(StylePicture::shared).collect();
        let own = FrameOptimizer::new(self.backbone.shared(), styles, settings.clone(), self.device, cancel.clone())?;
        Ok(own.sharing(self.finder.as_ref().map(FaceFinder::shared), self.targets.clone()))
    }
}

/// Everything that a [`Model`] is loaded from.
#[derive(Debug, PartialEq)]
struct Source {
    device: Device,
    /// The networks, joined by `+`.
    backbone: String,
    network: NetworkSettings,
    faces: bool,
    images: Vec<StyleImage>,
    bounds: Bounds,
    /// The files of weights and style pictures; a built-in picture has none.
    files: Vec<(PathBuf, Option<FileStat>)>,
}

impl Source {
    fn of(settings: &Settings) -> Result<Self, StyleError> {
        let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
        let images = settings.style.images.clone();
        let files = weight_files(settings).into_iter().chain(images.iter().map(|style| PathBuf::from(&style.image)));
        let stat = |path: PathBuf| {
            let stat = FileStat::of(&path);
            (path, stat)
        };
        Ok(Self {
            device: device::resolve(settings.device)?,
            backbone: chosen_backbone(settings, &places),
            network: settings.network.clone(),
            faces: finds_faces(settings, &places),
            bounds: settings.input.bounds(),
            files: files.map(stat).collect(),
            images,
        })
    }
}

/// Room for one loaded model, which stays until another one is needed.
#[derive(Default)]
pub struct ModelSlot {
    loaded: Option<(Source, Model)>,
    loads: u64,
}

impl ModelSlot {
    /// Returns how often a model was loaded.
    pub fn loads(&self) -> u64 {
        self.loads
    }

    /// Returns the model for `settings`: the one in the slot if it was loaded from the same settings and files.
    /// Otherwise drops that one and loads another.
    pub(super) fn model(&mut self, settings: &Settings) -> Result<&Model, StyleError> {
        // Recorded before the files are read: a file that changes meanwhile is read again for the next job.
        let source = Source::of(settings)?;
        let loaded = match self.loaded.take().filter(|(of, _)| *of == source) {
            Some(loaded) => loaded,
            // The other model is dropped by now, so there is never more than one in memory.
            None => {
                self.loads += 1;
                let model = Model::load(settings, &source)?;
                (source, model)
            }
        };
        Ok(&self.loaded.insert(loaded).1)
    }
}
