//! Builds a stylizer from the settings: resolves the device, loads networks and weights, reads the style pictures.

use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

use super::backbone::{self, Backbone, NamedTensors, NetOptions};
use super::faces::{self, FaceFinder};
use super::frame_optimizer::FrameOptimizer;
use super::meter_network::MeterNetwork;
use super::model::ModelSlot;
use super::multi_pass::MultiPass;
use super::single_pass::SinglePass;
use super::{StyleError, Stylizer, device};
use crate::interrupt::CancelToken;
use crate::report::Observer;
use crate::settings::{AUTO, Settings};
use crate::weights::{self, SearchPath};

/// A stylizer, and the notes to show the user before a long run.
pub struct Built<'a> {
    pub stylizer: Box<dyn Stylizer + 'a>,
    /// Network that measures the result; it knows the same style.
    pub meter: MeterNetwork,
    pub notes: Vec<String>,
}

/// Scratch folder and observer that a clip painted in several passes needs in addition to its settings.
#[derive(Clone, Copy)]
pub struct Workshop<'a> {
    /// Folder that holds the pictures between passes.
    pub folder: &'a Path,
    /// Receives an event for every frame of every pass.
    pub observer: &'a dyn Observer,
}

/// Builds the stylizer that `settings` describe. Without a `workshop` it paints in a single pass.
///
/// # Errors
/// If the device does not exist, the backbone or a layer is unknown, weights are missing or damaged, a style picture
/// cannot be read, or the workshop's folder cannot be used.
pub fn build<'a>(
    settings: &Settings,
    cancel: &CancelToken,
    workshop: Option<Workshop<'a>>,
) -> Result<Built<'a>, StyleError> {
    build_with(&mut ModelSlot::default(), settings, cancel, workshop)
}

/// As [`build`], with the model that the last stylizer left in `slot` if it fits.
///
/// # Errors
/// As [`build`].
pub fn build_with<'a>(
    slot: &mut ModelSlot,
    settings: &Settings,
    cancel: &CancelToken,
    workshop: Option<Workshop<'a>>,
) -> Result<Built<'a>, StyleError> {
    let model = slot.model(settings)?;
    let mut notes = vec![format!("backbone {} on {}", model.backbone.name(), name_of(model.device))];
    notes.extend(advice(settings));
    let meter = MeterNetwork::with(model.meter.shared(), &model.styles, &settings.style, model.device)?;
    notes.extend(model.finder.is_none().then(|| no_faces(settings)).flatten());
    let single_pass = SinglePass::new(FrameOptimizer::of(model, settings, cancel)?);
    let stylizer: Box<dyn Stylizer + 'a> = match workshop.filter(|_| settings.temporal.is_reworked()) {
        Some(Workshop { folder, observer }) => Box::new(MultiPass::new(single_pass, folder, observer)?),
        None => Box::new(single_pass),
    };
    Ok(Built { stylizer, meter, notes })
}

fn name_of(device: Device) -> String {
    match device {
        Device::Cuda(n) => format!("cuda:{n}"),
        _ => match device::threads() {
            1 => "the CPU, 1 thread".into(),
            threads => format!("the CPU, {threads} threads"),
        },
    }
}

/// The backbone that `auto` selects if the weights of EfficientNet-Lite0 are installed: the best set measured,
/// according to the judge in `docs/networks.md`.
const PAIR: &str = "patches+efficientnet_lite0";

/// Returns the networks to use, joined by `+`; for `auto`, the best set whose weights are installed.
pub fn chosen_backbone(settings: &Settings, places: &SearchPath) -> String {
    let installed = |name| weights::find(name, places).is_ok();
    match settings.network.backbone.as_str() {
        AUTO if installed("efficientnet_lite0") => PAIR.to_owned(),
        AUTO if installed("vgg19") => "vgg19".to_owned(),
        AUTO => "patches".to_owned(),
        named => backbone::names(named).collect::<Vec<_>>().join("+"),
    }
}

/// Returns a hint for the user, if better networks than the chosen ones could be installed.
fn advice(settings: &Settings) -> Option<String> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let name = chosen_backbone(settings, &places);
    (settings.network.backbone == AUTO && name != PAIR).then(|| {
        format!(
            "{name} is used alone; {PAIR} paints better and needs 17 MB: stylize-video weights fetch efficientnet_lite0"
        )
    })
}

/// Returns the installed weights files that a stylizer for `settings` reads.
pub fn weight_files(settings: &Settings) -> Vec<PathBuf> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let chosen = chosen_backbone(settings, &places);
    let faces = finds_faces(settings, &places).then_some(faces::NAME);
    let names = backbone::names(&chosen).filter(|name| backbone::shipped_weights(name).is_none()).chain(faces);
    names.filter_map(|name| weights::find(name, &places).ok()).map(|found| found.path).collect()
}

/// Whether faces are searched for: they must count for more than the rest, and the detector's weights must be
/// installed.
pub fn finds_faces(settings: &Settings, places: &SearchPath) -> bool {
    settings.faces() != 1.0 && weights::find(faces::NAME, places).is_ok()
}

pub(super) fn face_finder(settings: &Settings, device: Device) -> Result<Option<FaceFinder>, StyleError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    if !finds_faces(settings, &places) {
        return Ok(None);
    }
    Ok(Some(FaceFinder::new(read_weights(faces::NAME, &places, device)?)))
}

/// Returns a note that the face weights are missing, for users who have fetched the other weights.
fn no_faces(settings: &Settings) -> Option<String> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    let wanted = settings.faces() != 1.0 && chosen_backbone(settings, &places) == PAIR;
    wanted
        .then(|| "faces are painted like anything else; to keep them (2 MB): stylize-video weights fetch mtcnn".into())
}

/// Loads the networks `name` with `options` instead of the options that the settings give.
pub(super) fn network_with(
    name: &str,
    settings: &Settings,
    options: NetOptions,
    device: Device,
) -> Result<Box<dyn Backbone>, StyleError> {
    let places = SearchPath::new(Some(Path::new(&settings.network.weights_dir)));
    backbone::build(name, options, device, |name| read_weights(name, &places, device))
}

fn read_weights(name: &str, places: &SearchPath, device: Device) -> Result<NamedTensors, StyleError> {
    let manifest = weights::known(name)?;
    let found = weights::find(name, places)?;
    tracing::info!(path = %found.path.display(), "weights");
    weights::load(&found.path, &manifest)?
        .into_iter()
        .map(|(key, array)| {
            let shape: Vec<i64> = array.shape.iter().map(|&n| n as i64).collect();
            Ok((key, Tensor::f_from_slice(&array.data)?.f_view(shape.as_slice())?.f_to_device(device)?))
        })
        .collect()
}
