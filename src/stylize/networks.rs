//! Which networks and which face detector the settings choose, and their weights.

use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

use super::StyleError;
use super::backbone::{self, Backbone, NamedTensors, NetOptions};
use super::frame::faces::{self, FaceFinder};
use crate::settings::{AUTO, Settings};
use crate::weights::{self, SearchPath};

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
pub(super) fn advice(settings: &Settings) -> Option<String> {
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
pub(super) fn no_faces(settings: &Settings) -> Option<String> {
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
